//! Checks of the crate `sqlx`.

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Executor, Row, TypeInfo, ValueRef};

use crate::report::*;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn options() -> MySqlConnectOptions {
    MySqlConnectOptions::new()
        .host(HOST)
        .port(port())
        .username("u")
        .password("secret")
        .database("matrix")
        .ssl_mode(if tls() { MySqlSslMode::Required } else { MySqlSslMode::Disabled })
}

async fn connect() -> Result<MySqlConnection, Failure> {
    Ok(options().connect().await?)
}

/// The names, types and bytes of a row.
fn describe(row: &MySqlRow) -> Result<String, Failure> {
    let mut seen = String::new();
    for column in row.columns() {
        let raw = row.try_get_raw(column.ordinal())?;
        let bytes: Option<Vec<u8>> = row.try_get_unchecked(column.ordinal())?;
        let text = bytes.map(|bytes| bytes.escape_ascii().to_string());
        let kind = raw.type_info().name().to_owned();
        seen.push_str(&format!("{} {kind} {text:?}, ", column.name()));
    }
    Ok(seen)
}

fn describe_all(rows: &[MySqlRow]) -> Outcome {
    rows.iter().map(describe).collect()
}

/// A query in the text protocol, with all its results.
async fn text(conn: &mut MySqlConnection, sql: &str) -> Outcome {
    describe_all(&conn.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await?)
}

/// A query with a prepared statement.
async fn prepared(conn: &mut MySqlConnection, sql: &str) -> Outcome {
    describe_all(&sqlx::query(AssertSqlSafe(sql)).fetch_all(conn).await?)
}

async fn who(options: MySqlConnectOptions) -> Outcome {
    text(&mut options.connect().await?, WHO).await
}

async fn encrypted() -> Outcome {
    let mut conn = options().ssl_mode(MySqlSslMode::Required).connect().await?;
    text(&mut conn, "SHOW STATUS LIKE 'Ssl_version'").await
}

async fn login(options: MySqlConnectOptions) -> Outcome {
    text(&mut options.connect().await?, USER).await
}

async fn each(queries: &[&str]) -> Outcome {
    let mut conn = connect().await?;
    let mut seen = Vec::new();
    for sql in queries {
        seen.push(told(text(&mut conn, sql).await));
        seen.push(text(&mut conn, AFTER).await?);
        seen.push(told(prepared(&mut conn, sql).await));
        seen.push(prepared(&mut conn, AFTER).await?);
    }
    Ok(seen.join("; "))
}

async fn types() -> Result<(), Failure> {
    let mut conn = connect().await?;
    for row in conn.fetch_all(COLUMNS).await? {
        let name = String::from_utf8(row.try_get_unchecked(0)?)?;
        let sql = format!("SELECT {name} FROM types ORDER BY id");
        report(&format!("types_text.{name}"), text(&mut conn, &sql).await);
        report(&format!("types_prepared.{name}"), prepared(&mut conn, &sql).await);
    }
    Ok(())
}

async fn written() -> Outcome {
    let query = sqlx::query("SELECT ?, ?, ?, ?, ?, ?, ?, ?")
        .bind(-5)
        .bind(u64::MAX)
        .bind(2.5)
        .bind("žluťoučký 🐎 ' \" \\ \0")
        .bind(vec![0_u8, 255, 39, 92])
        .bind("")
        .bind(None::<i32>)
        .bind(true);
    describe_all(&query.fetch_all(&mut connect().await?).await?)
}

async fn send_blob() -> Outcome {
    let blob = blob();
    let mut conn = connect().await?;
    conn.execute("CREATE TEMPORARY TABLE blobs (data LONGBLOB)").await?;
    sqlx::query("INSERT INTO blobs VALUES (?)").bind(&blob).execute(&mut conn).await?;
    // The crate takes a row that begins with a text as long as this for the end of the rows.
    let row = conn.fetch_one("SELECT MD5(data), data FROM blobs").await?;
    let (sum, back): (Vec<u8>, Vec<u8>) = (row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
    Ok(format!("{} {}", back == blob, sum.escape_ascii()))
}

async fn packet_edges() -> Outcome {
    let mut conn = connect().await?;
    let mut seen = Vec::new();
    for length in edges() {
        let row = sqlx::raw_sql(AssertSqlSafe(query_of_row(length))).fetch_one(&mut conn).await?;
        seen.push(row.try_get_unchecked::<Vec<u8>, _>(0)?.len().to_string());
        seen.push(text(&mut conn, &query_of_length(length)).await?);
    }
    Ok(format!("{seen:?}"))
}

async fn transaction() -> Outcome {
    let mut conn = connect().await?;
    conn.execute("CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB").await?;
    let mut seen = Vec::new();
    for commit in [false, true, false] {
        let mut tx = conn.begin().await?;
        let done = sqlx::query("INSERT INTO tx VALUES (?)").bind(1).execute(&mut *tx).await?;
        if commit {
            tx.commit().await?
        } else {
            tx.rollback().await?
        }
        seen.push(format!("{} {}", done.rows_affected(), done.last_insert_id()));
        seen.push(text(&mut conn, "SELECT COUNT(*), @@in_transaction FROM tx").await?);
    }
    Ok(seen.join("; "))
}

async fn ping() -> Outcome {
    let mut conn = connect().await?;
    conn.ping().await?;
    conn.close().await?;
    Ok("answered and closed".into())
}

async fn streaming(limit: usize) -> Outcome {
    let mut conn = connect().await?;
    let (mut count, mut bytes) = (0, 0);
    {
        let mut rows = sqlx::query(STREAM).fetch(&mut conn);
        while count < limit {
            let Some(row) = rows.try_next().await? else { break };
            count += 1;
            bytes += row.try_get_unchecked::<Vec<u8>, _>(1)?.len();
        }
    }
    Ok(format!("{count} {bytes} {}", text(&mut conn, AFTER).await?))
}

async fn statements() -> Outcome {
    let mut conn = connect().await?;
    let mut seen = String::new();
    for turn in 0..3 {
        for number in 0..20 {
            let query = sqlx::query(AssertSqlSafe(format!("SELECT ?, ?, {number}")));
            let rows = query.bind(turn).bind(format!("text {turn}")).fetch_all(&mut conn).await?;
            seen.push_str(&describe_all(&rows)?);
        }
    }
    conn.clear_cached_statements().await?;
    Ok(format!("{seen} {}", prepared(&mut conn, AFTER).await?))
}

async fn parallel() -> Outcome {
    let size = u32::try_from(CONNECTIONS)?;
    let pool = MySqlPoolOptions::new().max_connections(size).connect_with(options()).await?;
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut sum = 0;
                for step in 0..QUERIES_PER_CONNECTION {
                    let query = sqlx::query_scalar("SELECT ?").bind(number * 1000 + step);
                    sum += query.fetch_one(&pool).await.map(|back: u64| back)?;
                }
                Ok::<u64, Failure>(sum)
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    pool.close().await;
    Ok(sum.to_string())
}

async fn killed() -> Outcome {
    let kill = told(text(&mut connect().await?, "KILL CONNECTION_ID()").await);
    Ok(format!("{kill} {}", text(&mut connect().await?, AFTER).await?))
}

/// Runs all checks.
pub async fn run() -> Result<(), Failure> {
    report("connect", who(options()).await);
    report("wrong_password", who(options().password("wrong")).await);
    report("unknown_database", who(options().database("nosuch")).await);
    for (user, port) in logins() {
        for (name, password) in LOGINS {
            let options = options().username(&user).password(password).port(port);
            report(&format!("{name}.{user}"), login(options).await);
        }
    }
    types().await?;
    report("null", each(&["SELECT NULL, '', 'NULL' UNION SELECT NULL, NULL, NULL"]).await);
    report("values_written", written().await);
    report("blob", send_blob().await);
    report("edges", packet_edges().await);
    report("multi_statement", each(&[MULTI]).await);
    report("multi_error", each(&[MULTI_WITH_ERROR]).await);
    report("procedure", each(&["CALL one_result()"]).await);
    report("procedure_error", each(&["CALL results_then_error()"]).await);
    report("transaction", transaction().await);
    report("warnings", each(&["SELECT 1/0", "SHOW WARNINGS"]).await);
    report("error_continue", each(&FAILING).await);
    report("ping", ping().await);
    report("parallel", parallel().await);
    report("streaming", streaming(usize::MAX).await);
    report("streaming_abandoned", streaming(1).await);
    report("statements", statements().await);
    report("killed", killed().await);
    report("tls", encrypted().await);
    Ok(())
}
