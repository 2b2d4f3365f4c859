//! Checks of the crate `mysql_async`.

use futures_util::StreamExt;
use mysql_async::prelude::Queryable;
use mysql_async::{
    ChangeUserOpts, Column, Compression, Conn, Opts, OptsBuilder, Params, Row, SslOpts, TxOpts,
    Value, WhiteListFsHandler,
};

use crate::report::*;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn ssl() -> SslOpts {
    SslOpts::default().with_danger_accept_invalid_certs(true)
}

fn options() -> OptsBuilder {
    let files = ["rows.txt", "empty.txt", "missing.txt"];
    let files = files.map(|file| format!("{}/{file}", directory()));
    OptsBuilder::default()
        .ssl_opts(tls().then(ssl))
        .ip_or_hostname(HOST)
        .tcp_port(port())
        .user(Some("u"))
        .pass(Some("secret"))
        .db_name(Some("matrix"))
        .prefer_socket(false)
        .max_allowed_packet(Some(64 * 1024 * 1024))
        .local_infile_handler(Some(WhiteListFsHandler::new(files)))
}

async fn connect_with(options: OptsBuilder) -> Result<Conn, Failure> {
    Ok(Conn::new(Opts::from(options)).await?)
}

async fn connect() -> Result<Conn, Failure> {
    connect_with(options()).await
}

fn describe(column: &Column) -> String {
    format!(
        "{} {:?} {:?} {} {} {}",
        column.name_str(),
        column.column_type(),
        column.flags(),
        column.column_length(),
        column.character_set(),
        column.decimals()
    )
}

fn values(rows: Vec<Row>) -> Vec<Vec<Value>> {
    rows.into_iter().map(Row::unwrap).collect()
}

/// All results of a text query: columns and rows, and what is told beside them.
async fn results(conn: &mut Conn, sql: &str) -> Outcome {
    let mut found = conn.query_iter(sql).await?;
    let mut seen = String::new();
    while !found.is_empty() {
        let columns: Vec<_> =
            found.columns().iter().flat_map(|all| all.iter().map(describe)).collect();
        let told = (found.affected_rows(), found.last_insert_id(), found.warnings());
        seen.push_str(&format!("{columns:?} {told:?} "));
        match found.collect::<Row>().await {
            Ok(rows) => seen.push_str(&format!("{:?} ", values(rows))),
            Err(error) => {
                seen.push_str(&format!("failed: {error} "));
                break;
            }
        }
    }
    Ok(seen)
}

async fn query(sql: &str) -> Outcome {
    results(&mut connect().await?, sql).await
}

async fn login(options: OptsBuilder) -> Outcome {
    results(&mut connect_with(options).await?, USER).await
}

async fn who(options: OptsBuilder) -> Outcome {
    results(&mut connect_with(options).await?, WHO).await
}

/// One query with a prepared statement.
async fn prepared(conn: &mut Conn, sql: &str, params: impl Into<Params> + Send) -> Outcome {
    let statement = conn.prep(sql).await?;
    let columns: Vec<_> = statement.columns().iter().map(describe).collect();
    let rows: Vec<Row> = conn.exec(&statement, params.into()).await?;
    conn.close(statement).await?;
    Ok(format!("{columns:?} {:?}", values(rows)))
}

async fn each(queries: &[&str]) -> Outcome {
    let mut conn = connect().await?;
    let mut seen = Vec::new();
    for sql in queries {
        seen.push(told(results(&mut conn, sql).await));
        seen.push(results(&mut conn, AFTER).await?);
    }
    Ok(seen.join("; "))
}

async fn types() -> Result<(), Failure> {
    let mut conn = connect().await?;
    for name in conn.query::<String, _>(COLUMNS).await? {
        let sql = format!("SELECT {name} FROM types ORDER BY id");
        report(&format!("types_text.{name}"), results(&mut conn, &sql).await);
        report(&format!("types_prepared.{name}"), prepared(&mut conn, &sql, ()).await);
    }
    Ok(())
}

async fn written() -> Outcome {
    let params: Vec<Value> = vec![
        (-5).into(),
        u64::MAX.into(),
        2.5_f64.into(),
        Value::Date(2024, 2, 29, 12, 34, 56, 654_321),
        Value::Time(true, 1, 6, 0, 5, 9),
        "žluťoučký 🐎 ' \" \\ \0".into(),
        vec![0_u8, 255, 39, 92].into(),
        "".into(),
        Value::NULL,
    ];
    prepared(&mut connect().await?, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", params).await
}

async fn send_blob() -> Outcome {
    let blob = blob();
    let mut conn = connect().await?;
    conn.query_drop("CREATE TEMPORARY TABLE blobs (data LONGBLOB)").await?;
    conn.exec_drop("INSERT INTO blobs VALUES (?)", (&blob,)).await?;
    let (back, sum): (Vec<u8>, String) =
        conn.query_first("SELECT data, MD5(data) FROM blobs").await?.ok_or("no row")?;
    Ok(format!("{} {sum}", back == blob))
}

async fn packet_edges() -> Outcome {
    let mut conn = connect().await?;
    let mut seen = Vec::new();
    for length in edges() {
        let row: String = conn.query_first(query_of_row(length)).await?.ok_or("no row")?;
        let answer: u64 = conn.query_first(query_of_length(length)).await?.ok_or("no row")?;
        seen.push((row.len(), answer));
    }
    Ok(format!("{seen:?}"))
}

async fn transaction() -> Outcome {
    let mut conn = connect().await?;
    conn.query_drop("CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB").await?;
    let mut seen = Vec::new();
    for commit in [false, true, false] {
        let mut tx = conn.start_transaction(TxOpts::default()).await?;
        tx.exec_drop("INSERT INTO tx VALUES (?)", (1,)).await?;
        if commit {
            tx.commit().await?
        } else {
            tx.rollback().await?
        }
        seen.push(results(&mut conn, "SELECT COUNT(*), @@in_transaction FROM tx").await?);
    }
    Ok(seen.join("; "))
}

async fn load(file: &str) -> Outcome {
    let mut conn = connect().await?;
    conn.query_drop("CREATE TEMPORARY TABLE loaded (a INT, b TEXT)").await?;
    let sql = format!("LOAD DATA LOCAL INFILE '{}/{file}' INTO TABLE loaded", directory());
    let answer = told(results(&mut conn, &sql).await);
    let counted = results(&mut conn, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded").await;
    Ok(format!("{answer} {}", told(counted)))
}

async fn change_user() -> Outcome {
    let other = || {
        ChangeUserOpts::new()
            .with_user(Some("other".into()))
            .with_pass(Some("other-secret".into()))
            .with_db_name(Some("matrix_other".into()))
    };
    let mut conn = connect().await?;
    conn.change_user(other()).await?;
    let who = results(&mut conn, WHO).await?;
    let refused = told(conn.change_user(other().with_pass(Some("wrong".into()))).await);
    Ok(format!("{who} {refused}"))
}

async fn reset() -> Outcome {
    let mut conn = connect().await?;
    conn.query_drop("SET @kept = 1").await?;
    conn.reset().await?;
    let kept = results(&mut conn, "SELECT @kept").await?;
    Ok(format!("{kept} {}", results(&mut conn, WHO).await?))
}

async fn ping() -> Outcome {
    let mut conn = connect().await?;
    conn.ping().await?;
    results(&mut conn, AFTER).await
}

async fn streaming(limit: usize) -> Outcome {
    let mut conn = connect().await?;
    let (mut count, mut total) = (0, 0);
    {
        let mut rows = conn.query_stream::<(usize, String), _>(STREAM).await?.take(limit);
        while let Some(row) = rows.next().await {
            let (number, text) = row?;
            count += 1;
            total += number + text.len();
        }
    }
    Ok(format!("{count} {total} {}", results(&mut conn, AFTER).await?))
}

async fn statements() -> Outcome {
    let mut conn = connect().await?;
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(conn.prep(format!("SELECT ?, ?, {number}")).await?);
    }
    let mut seen = Vec::new();
    for turn in 0..3 {
        for statement in &all {
            let rows: Vec<Row> = conn.exec(statement, (turn, format!("text {turn}"))).await?;
            seen.push(values(rows));
        }
    }
    for statement in all {
        conn.close(statement).await?;
    }
    let failing = prepared(&mut conn, "SELECT nosuch FROM types WHERE id = ?", (1,)).await;
    Ok(format!("{seen:?} {} {}", told(failing), results(&mut conn, AFTER).await?))
}

async fn work(number: u64) -> Result<u64, Failure> {
    let mut conn = connect().await?;
    let mut sum = 0;
    for step in 0..QUERIES_PER_CONNECTION {
        let back: Option<u64> = conn.exec_first("SELECT ?", (number * 1000 + step,)).await?;
        sum += back.ok_or("no row")?;
    }
    Ok(sum)
}

async fn parallel() -> Outcome {
    let tasks: Vec<_> = (0..CONNECTIONS).map(|number| tokio::spawn(work(number))).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await??;
    }
    Ok(sum.to_string())
}

async fn killed() -> Outcome {
    let kill = told(query("KILL CONNECTION_ID()").await);
    Ok(format!("{kill} {}", query(AFTER).await?))
}

async fn encrypted() -> Outcome {
    let options = options().ssl_opts(ssl());
    results(&mut connect_with(options).await?, "SHOW STATUS LIKE 'Ssl_version'").await
}

async fn compressed() -> Outcome {
    let options = options().compression(Compression::default());
    results(&mut connect_with(options).await?, "SHOW STATUS LIKE 'Compression'").await
}

/// Runs all checks.
pub async fn run() -> Result<(), Failure> {
    report("connect", who(options()).await);
    report("no_database", who(options().db_name(None::<String>)).await);
    report("wrong_password", who(options().pass(Some("wrong"))).await);
    report("unknown_database", who(options().db_name(Some("nosuch"))).await);
    for (user, port) in logins() {
        for (name, password) in LOGINS {
            let options = options().user(Some(&user)).pass(Some(password)).tcp_port(port);
            let options = options.secure_auth(false).enable_cleartext_plugin(true);
            report(&format!("{name}.{user}"), login(options).await);
        }
    }
    report("server_version", connect().await.map(|conn| format!("{:?}", conn.server_version())));
    types().await?;
    report("null", query("SELECT NULL, '', 'NULL' UNION SELECT NULL, NULL, NULL").await);
    report("values_written", written().await);
    report("empty_result", query("SELECT * FROM types WHERE id = 99").await);
    report("blob", send_blob().await);
    report("edges", packet_edges().await);
    report("multi_statement", each(&[MULTI]).await);
    report("multi_error", each(&[MULTI_WITH_ERROR]).await);
    report("procedure", each(&["CALL one_result()"]).await);
    report("procedure_error", each(&["CALL results_then_error()"]).await);
    report("transaction", transaction().await);
    report("warnings", each(&["SELECT 1/0", "SHOW WARNINGS"]).await);
    report("error_continue", each(&FAILING).await);
    report("load_data", load("rows.txt").await);
    report("load_data_empty", load("empty.txt").await);
    report("load_data_missing", load("missing.txt").await);
    report("change_user", change_user().await);
    report("reset_connection", reset().await);
    report("ping", ping().await);
    report("parallel", parallel().await);
    report("streaming", streaming(usize::MAX).await);
    report("streaming_abandoned", streaming(1).await);
    report("statements", statements().await);
    report("killed", killed().await);
    report("tls", encrypted().await);
    report("compression", compressed().await);
    Ok(())
}
