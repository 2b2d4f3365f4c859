//! Checks of the crate `mysql`.

use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{
    ChangeUserOpts, Compression, Conn, LocalInfileHandler, OptsBuilder, Params, Row, SslOpts,
    TxOpts, Value,
};

use crate::report::*;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Check = fn(&mut Conn) -> Outcome;

fn ssl() -> SslOpts {
    SslOpts::default().with_danger_accept_invalid_certs(true)
}

fn options() -> OptsBuilder {
    OptsBuilder::new()
        .ssl_opts(tls().then(ssl))
        .ip_or_hostname(Some(HOST))
        .tcp_port(port())
        .user(Some("u"))
        .pass(Some("secret"))
        .db_name(Some("matrix"))
        .prefer_socket(false)
        .max_allowed_packet(Some(64 * 1024 * 1024))
        .secure_auth(true)
        .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS)
        .local_infile_handler(Some(LocalInfileHandler::new(|name, stream| {
            let name = String::from_utf8_lossy(name).into_owned();
            std::io::copy(&mut std::fs::File::open(name)?, stream)?;
            Ok(())
        })))
}

fn check(name: &str, run: Check) {
    check_with(name, options(), run);
}

fn check_with(name: &str, options: OptsBuilder, run: Check) {
    let outcome = Conn::new(options).map_err(Failure::from).and_then(|mut conn| run(&mut conn));
    report(name, outcome);
}

/// All results of a text query: columns and rows, and what is told beside them.
fn results(conn: &mut Conn, sql: &str) -> Outcome {
    let mut found = conn.query_iter(sql)?;
    let mut seen = String::new();
    while let Some(set) = found.iter() {
        let columns: Vec<_> = set.columns().as_ref().iter().map(describe).collect();
        let told = (set.affected_rows(), set.last_insert_id(), set.warnings());
        let rows: Result<Vec<Row>, _> = set.collect();
        seen.push_str(&format!("{columns:?} {told:?} "));
        match rows {
            Ok(rows) => seen.push_str(&format!("{:?} ", values(rows))),
            Err(error) => seen.push_str(&format!("failed: {error} ")),
        }
    }
    Ok(seen)
}

fn describe(column: &mysql::Column) -> String {
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

/// One query with a prepared statement.
fn prepared(conn: &mut Conn, sql: &str, params: impl Into<Params>) -> Outcome {
    let statement = conn.prep(sql)?;
    let columns: Vec<_> = statement.columns().iter().map(describe).collect();
    let rows: Vec<Row> = conn.exec(&statement, params.into())?;
    conn.close(statement)?;
    Ok(format!("{columns:?} {:?}", values(rows)))
}

fn each(conn: &mut Conn, queries: &[&str]) -> Outcome {
    let mut seen = Vec::new();
    for sql in queries {
        seen.push(told(results(conn, sql)));
        seen.push(results(conn, AFTER)?);
    }
    Ok(seen.join("; "))
}

fn types() -> Result<(), Failure> {
    let mut conn = Conn::new(options())?;
    for name in conn.query::<String, _>(COLUMNS)? {
        let sql = format!("SELECT {name} FROM types ORDER BY id");
        report(&format!("types_text.{name}"), results(&mut conn, &sql));
        report(&format!("types_prepared.{name}"), prepared(&mut conn, &sql, ()));
    }
    Ok(())
}

fn written(conn: &mut Conn) -> Outcome {
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
    prepared(conn, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?", params)
}

fn send_blob(conn: &mut Conn) -> Outcome {
    let blob = blob();
    conn.query_drop("CREATE TEMPORARY TABLE blobs (data LONGBLOB)")?;
    conn.exec_drop("INSERT INTO blobs VALUES (?)", (&blob,))?;
    let (back, sum): (Vec<u8>, String) =
        conn.query_first("SELECT data, MD5(data) FROM blobs")?.ok_or("no row")?;
    Ok(format!("{} {sum}", back == blob))
}

fn packet_edges(conn: &mut Conn) -> Outcome {
    let mut seen = Vec::new();
    for length in edges() {
        let row: String = conn.query_first(query_of_row(length))?.ok_or("no row")?;
        let answer: u64 = conn.query_first(query_of_length(length))?.ok_or("no row")?;
        seen.push((row.len(), answer));
    }
    Ok(format!("{seen:?}"))
}

fn transaction(conn: &mut Conn) -> Outcome {
    conn.query_drop("CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB")?;
    let mut seen = Vec::new();
    for commit in [false, true, false] {
        let mut tx = conn.start_transaction(TxOpts::default())?;
        tx.exec_drop("INSERT INTO tx VALUES (?)", (1,))?;
        if commit {
            tx.commit()?
        } else {
            tx.rollback()?
        }
        seen.push(results(conn, "SELECT COUNT(*), @@in_transaction FROM tx")?);
    }
    Ok(seen.join("; "))
}

fn load(conn: &mut Conn, file: &str) -> Outcome {
    conn.query_drop("CREATE TEMPORARY TABLE loaded (a INT, b TEXT)")?;
    let sql = format!("LOAD DATA LOCAL INFILE '{}/{file}' INTO TABLE loaded", directory());
    // When the file cannot be read the crate leaves the server waiting for it: no further query then.
    let answer = results(conn, &sql)?;
    Ok(format!("{answer} {}", told(results(conn, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded"))))
}

fn change_user(conn: &mut Conn) -> Outcome {
    let other = || {
        ChangeUserOpts::new()
            .with_user(Some("other".into()))
            .with_pass(Some("other-secret".into()))
            .with_db_name(Some("matrix_other".into()))
    };
    conn.change_user(other())?;
    let who = results(conn, WHO)?;
    let refused = told(conn.change_user(other().with_pass(Some("wrong".into()))));
    Ok(format!("{who} {refused}"))
}

fn reset(conn: &mut Conn) -> Outcome {
    conn.query_drop("SET @kept = 1")?;
    conn.reset()?;
    Ok(format!("{} {}", results(conn, "SELECT @kept")?, results(conn, WHO)?))
}

fn streaming(conn: &mut Conn, limit: usize) -> Outcome {
    let (mut count, mut total) = (0, 0);
    for row in conn.query_iter(STREAM)?.take(limit) {
        let (number, text): (usize, String) = mysql::from_row(row?);
        count += 1;
        total += number + text.len();
    }
    Ok(format!("{count} {total} {}", results(conn, AFTER)?))
}

fn statements(conn: &mut Conn) -> Outcome {
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(conn.prep(format!("SELECT ?, ?, {number}"))?);
    }
    let mut seen = Vec::new();
    for turn in 0..3 {
        for statement in &all {
            let rows: Vec<Row> = conn.exec(statement, (turn, format!("text {turn}")))?;
            seen.push(values(rows));
        }
    }
    for statement in all {
        conn.close(statement)?;
    }
    let failing = told(prepared(conn, "SELECT nosuch FROM types WHERE id = ?", (1,)));
    Ok(format!("{seen:?} {failing} {}", results(conn, AFTER)?))
}

fn parallel() -> Outcome {
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            std::thread::spawn(move || -> Result<u64, Failure> {
                let mut conn = Conn::new(options())?;
                let mut sum = 0;
                for step in 0..QUERIES_PER_CONNECTION {
                    let back: Option<u64> = conn.exec_first("SELECT ?", (number * 1000 + step,))?;
                    sum += back.ok_or("no row")?;
                }
                Ok(sum)
            })
        })
        .collect();
    let mut sum = 0;
    for thread in threads {
        sum += thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(sum.to_string())
}

fn killed(conn: &mut Conn) -> Outcome {
    let kill = told(results(conn, "KILL CONNECTION_ID()"));
    Ok(format!("{kill} {}", results(&mut Conn::new(options())?, AFTER)?))
}

/// Runs all checks.
pub fn run() -> Result<(), Failure> {
    let who: Check = |conn| results(conn, WHO);
    check("connect", who);
    check_with("no_database", options().db_name(None::<String>), who);
    check_with("wrong_password", options().pass(Some("wrong")), who);
    check_with("unknown_database", options().db_name(Some("nosuch")), who);
    for (user, port) in logins() {
        for (name, password) in LOGINS {
            let options = options().user(Some(&user)).pass(Some(password)).tcp_port(port);
            let options = options.secure_auth(false).enable_cleartext_plugin(true);
            check_with(&format!("{name}.{user}"), options, |conn| results(conn, USER));
        }
    }
    check("server_version", |conn| Ok(format!("{:?}", conn.server_version())));
    types()?;
    check("null", |conn| each(conn, &["SELECT NULL, '', 'NULL' UNION SELECT NULL, NULL, NULL"]));
    check("utf8mb4", |conn| prepared(conn, "SELECT ?, 'ž 🐎', HEX(?)", ("naïve 🐎", "🐎")));
    check("values_written", written);
    check("empty_result", |conn| results(conn, "SELECT * FROM types WHERE id = 99"));
    check("blob", send_blob);
    check("edges", packet_edges);
    check("multi_statement", |conn| each(conn, &[MULTI]));
    check("multi_error", |conn| each(conn, &[MULTI_WITH_ERROR]));
    check("procedure", |conn| each(conn, &["CALL one_result()"]));
    check("procedure_prepared", |conn| prepared(conn, "CALL one_result()", ()));
    check("procedure_error", |conn| each(conn, &["CALL results_then_error()"]));
    check("transaction", transaction);
    check("warnings", |conn| each(conn, &["SELECT 1/0", "SHOW WARNINGS"]));
    check("error_continue", |conn| each(conn, &FAILING));
    check("load_data", |conn| load(conn, "rows.txt"));
    check("load_data_empty", |conn| load(conn, "empty.txt"));
    check("load_data_missing", |conn| load(conn, "missing.txt"));
    check("change_user", change_user);
    check("reset_connection", reset);
    check("select_db", |conn| {
        Ok(format!("{} {}", conn.select_db("matrix_other").is_ok(), results(conn, WHO)?))
    });
    check("ping", |conn| Ok(format!("{}", conn.ping().is_ok())));
    report("parallel", parallel());
    check("streaming", |conn| streaming(conn, usize::MAX));
    check("streaming_abandoned", |conn| streaming(conn, 1));
    check("statements", statements);
    check("killed", killed);
    check_with("tls", options().ssl_opts(Some(ssl())), |conn| {
        results(conn, "SHOW STATUS LIKE 'Ssl_version'")
    });
    let compressed = options().compress(Some(Compression::default()));
    check_with("compression", compressed, |conn| results(conn, "SHOW STATUS LIKE 'Compression'"));
    Ok(())
}
