//! The slow log: what is in it, whatever clients say, and that nobody waits for it.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;
use serde_json::{Value, json};
use testkit::client::COM_QUERY;
use testkit::host::builder::Builder;
use testkit::mariadb::{DATABASE, PASSWORD, USER};
use testkit::wait::PATIENCE;
use testkit::{Host, Login, MariaDb, RawClient, eventually};

use crate::support::*;

/// A host that takes a command for slow that needs so many seconds.
fn slow(seconds: f64) -> Builder {
    Host::builder()
        .backend(db())
        .option("pyproxy-slow-query", seconds)
        .option_to_file("pyproxy-slow-log", "slow.log")
}

/// The lines of a file, each of them JSON.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Its lines when there are so many.
fn wait_for(host: &Host, count: usize) -> Vec<Value> {
    let path = host.file("slow.log");
    let came = eventually(PATIENCE, || lines(&path).len() >= count);
    let lines = lines(&path);
    assert!(came && lines.len() == count, "{lines:#?}\n{}", host.log());
    lines
}

#[test]
fn what_is_slow_is_there() {
    for event_loop in ["own", "chassis"] {
        let host = slow(0.2).option("pyproxy-event-loop", event_loop).start();
        let mut client = host.login(&MariaDb::user().database(DATABASE));
        client.query("SELECT 'fast'").unwrap();
        client.query("SELECT SLEEP(0.3), 'slow' UNION SELECT 1, 'other'").unwrap();
        assert_eq!(client.query("SELEKT").unwrap().err().code, 1064);
        let error = client.query("SELECT IF(SLEEP(0.3), 1, (SELECT 1 UNION SELECT 2))");
        assert_eq!(error.unwrap().err().code, 1242);
        let mut conn = Conn::new(host.url().as_str()).unwrap();
        conn.exec_drop("SELECT SLEEP(?), 'prepared'", (0.3,)).unwrap();
        let [first, failed, prepared] = wait_for(&host, 3).try_into().unwrap();

        let seconds = first["seconds"].as_f64().unwrap();
        assert!((0.3..30.0).contains(&seconds), "{first}");
        assert!(first["time"].as_f64().unwrap() > 1.6e9, "{first}");
        assert!(first["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{first}");
        for (name, value) in [
            ("connection", json!(1)),
            ("user", json!(USER)),
            ("database", json!(DATABASE)),
            ("backend", json!(db().to_string())),
            ("command", json!("query")),
            ("rows", json!(2)),
            ("bytes", json!(11 + 12)),
            ("error", Value::Null),
            ("aborted", json!(false)),
            ("query", json!("SELECT SLEEP(0.3), 'slow' UNION SELECT 1, 'other'")),
            ("query_is_cut", json!(false)),
        ] {
            assert_eq!(first[name], value, "{name}: {first}");
        }
        assert_eq!(first["fingerprint"].as_str().unwrap().len(), 16);
        assert_eq!((&failed["error"], &failed["rows"]), (&json!(1242), &json!(0)), "{failed}");
        assert_eq!(prepared["command"], "stmt_execute");
        assert_eq!(prepared["query"], "SELECT SLEEP(?), 'prepared'");
        assert_eq!((&prepared["user"], &prepared["rows"]), (&json!(USER), &json!(1)));
    }
}

#[test]
fn what_has_no_answer_is_there() {
    let host = slow(0.2).start();
    let mut client = host.client();
    client.send_command(COM_QUERY, b"SELECT SLEEP(60), 'left'").unwrap();
    sleep(Duration::from_millis(400));
    client.abort();
    let [left] = wait_for(&host, 1).try_into().unwrap();
    assert_eq!((&left["aborted"], &left["error"]), (&json!(true), &Value::Null), "{left}");
    assert_eq!(left["query"], "SELECT SLEEP(60), 'left'");
}

#[test]
fn texts_may_be_hidden() {
    let host = slow(0.000_001).option("pyproxy-slow-log-hide-queries", true).start();
    host.client().query("SELECT 'secret'").unwrap();
    let [hidden] = wait_for(&host, 1).try_into().unwrap();
    assert_eq!((&hidden["query"], &hidden["query_is_cut"]), (&Value::Null, &Value::Null));
    assert!(hidden["fingerprint"].is_string() && !hidden.to_string().contains("secret"));
}

/// Names and texts of any bytes are values of JSON, in one line each.
#[test]
fn hostile_texts() {
    let name = "a\"}\n{\"b\\\u{2028}\u{1}";
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let mut admin = direct();
    admin
        .query(&format!("CREATE OR REPLACE USER \"{quoted}\" IDENTIFIED BY '{PASSWORD}'"))
        .unwrap();
    admin.query(&format!("GRANT ALL ON *.* TO \"{quoted}\"")).unwrap().ok();
    admin.query(&format!("CREATE OR REPLACE DATABASE `{name}`")).unwrap().ok();
    let host = slow(0.000_001).start();
    let login = Login::new(name, PASSWORD).database(name);
    let mut client = RawClient::login(host.address(), &login).unwrap();
    let hostile: [&[u8]; 6] = [
        b"SELECT '\xff\xfe\x80\xc3'",
        b"SELECT '\0\x01\x1b[2J\x7f\r\n\t'",
        b"SELECT '\\\\\"}\n{\"'",
        "SELECT '\u{2028}\u{2029}\u{85}\u{1f4a3}'".as_bytes(),
        b"</script>\xf0\x9f",
        b"",
    ];
    for text in hostile {
        client.send_command(COM_QUERY, text).unwrap();
        client.read_answer(1).unwrap();
    }
    let long = format!("SELECT '{}'", "\u{e4}".repeat(100_000));
    client.query(&long).unwrap();
    let all = wait_for(&host, 7);
    for (line, text) in all.iter().zip(hostile) {
        assert_eq!((&line["user"], &line["database"]), (&json!(name), &json!(name)), "{line}");
        let shown = String::from_utf8_lossy(text);
        let want = if text.is_empty() { Value::Null } else { json!(shown) };
        assert_eq!(line["query"], want);
    }
    assert_eq!(all[6]["query_is_cut"], true);
    assert!(all[6]["query"].as_str().unwrap().len() < 4200);
    assert_eq!(host.criticals(), Vec::<String>::new());
    admin.query(&format!("DROP DATABASE `{name}`")).unwrap().ok();
    admin.query(&format!("DROP USER \"{quoted}\"")).unwrap().ok();
}

/// As log rotation does it: with a signal and without.
#[test]
fn a_file_that_was_moved_is_made_anew() {
    let host = slow(0.000_001).start();
    let mut client = host.client();
    let path = host.file("slow.log");
    for (round, signal) in [(1, None), (2, Some(1))] {
        client.query(&format!("SELECT {round}")).unwrap();
        wait_for(&host, 1);
        let old = host.file(&format!("slow.log.{round}"));
        std::fs::rename(&path, &old).unwrap();
        signal.into_iter().for_each(|signal| host.signal(signal));
        // It looks once a second.
        sleep(Duration::from_millis(1100));
        assert_eq!(lines(&old).len(), 1);
    }
    client.query("SELECT 3").unwrap();
    assert_eq!(wait_for(&host, 1)[0]["query"], "SELECT 3");
}

/// A disk that takes nothing, which a pipe is that nobody reads, holds up nobody.
#[test]
fn nobody_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let _reader: File = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let http = format!("127.0.0.1:{}", testkit::ports::free_port());
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-slow-query", "0.000001")
        .option("pyproxy-slow-log", pipe.display())
        .option("pyproxy-http-address", &http)
        .start();
    let mut client = host.client();
    for number in 0..2500 {
        let sql = format!("SELECT {number}");
        assert_eq!(client.query(&sql).unwrap().value(), number.to_string());
    }
    let metrics = metrics(&http);
    let number = |name: &str| -> u64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
    };
    assert_eq!(number("pyproxy_slow_queries_total"), 2500);
    // What fits into the pipe, and into the queue, is not dropped.
    assert!((500..2500).contains(&number("pyproxy_slow_log_dropped_total")), "{metrics}");
    drop(client);
    assert!(host.stop().status.success());
}

fn metrics(address: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_cannot_be_is_refused_in_one_line() {
    let refused = |options: &[(&str, &str)], line: &str| {
        let mut builder = Host::builder().backend(refusing());
        for (option, value) in options {
            builder = builder.option(option, value);
        }
        let ended = builder.run_to_end();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
        let is_critical = |said: &&str| said.contains("(critical) pyproxy: ");
        let told: Vec<_> = ended.log.lines().filter(is_critical).collect();
        assert!(told.len() == 1 && told[0].ends_with(line), "{told:?}");
    };
    let log = ("pyproxy-slow-log", "/no/such/folder/slow.log");
    refused(&[log], "pyproxy-slow-log=/no/such/folder/slow.log: this needs pyproxy-slow-query");
    refused(
        &[("pyproxy-slow-query", "1.5")],
        "pyproxy-slow-query=1.5: this needs pyproxy-slow-log",
    );
    refused(
        &[("pyproxy-slow-query", "1"), log],
        "pyproxy-slow-log=/no/such/folder/slow.log: No such file or directory (os error 2)",
    );
    refused(
        &[("pyproxy-slow-query", "soon"), log],
        "pyproxy-slow-query=soon: expected a number of seconds, or 0",
    );
    refused(&[("pyproxy-query-stats", "5001")], "pyproxy-query-stats=5001: expected at most 5000");
    // It is not made if nothing is slow.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.log");
    let off = Host::builder().backend(db()).option("pyproxy-slow-query", 0);
    let host = off.option("pyproxy-slow-log", path.display()).start();
    assert_in_step(&mut host.client());
    assert!(!path.exists());
}
