//! Query statistics: which statements take the most time.

use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler};
use serde_json::{Value, json};
use testkit::client::COM_QUERY;
use testkit::mariadb::DATABASE;
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, Packet, RawClient, eventually};

use super::changes::Open;
use super::metrics::assert_checked;
use super::*;
use crate::support::*;

fn counting() -> Builder {
    Host::builder().backend(db()).option("pyproxy-query-stats", 50)
}

impl Site {
    fn queries(&self) -> Vec<Value> {
        self.json("queries")["queries"].as_array().unwrap().clone()
    }

    /// The one with this fingerprint.
    fn counted(&self, fingerprint: &str) -> Value {
        let all = self.queries();
        let found = all.iter().find(|query| query["fingerprint"] == fingerprint).cloned();
        found.unwrap_or_else(|| panic!("no {fingerprint} in {all:#?}"))
    }

    fn fingerprints(&self) -> Vec<String> {
        let of = |query: &Value| query["fingerprint"].as_str().unwrap().to_owned();
        self.queries().iter().map(of).collect()
    }
}

/// Calls, errors, rows.
fn numbers(query: &Value) -> [u64; 3] {
    ["calls", "errors", "rows"].map(|name| query[name].as_u64().unwrap())
}

#[test]
fn what_clients_send_is_counted() {
    for event_loop in ["own", "chassis"] {
        let site = Site::start(counting().option("pyproxy-event-loop", event_loop));
        let mut client = site.host.client();
        for number in 0..5 {
            let sql = format!("SELECT {number} AS a UNION SELECT 'x'");
            assert_eq!(client.query(&sql).unwrap().text().len(), 2);
        }
        for _ in 0..2 {
            assert_eq!(client.query("SELEKT 'secret'").unwrap().err().code, 1064);
        }
        client.query("SELECT SLEEP(0.15)").unwrap();
        client.query("SELECT 1; SELECT 2, 3; SELEKT").unwrap();
        client.simple(testkit::client::COM_PING, b"").unwrap();

        let select = site.counted("SELECT ? AS a UNION SELECT ?");
        assert_eq!(numbers(&select), [5, 0, 10], "{event_loop}");
        // Of each row the header, the length and the text.
        assert_eq!(select["bytes"], 10 * 6);
        assert_eq!(select["example"], "SELECT 0 AS a UNION SELECT 'x'");
        assert_eq!(select["times"]["count"], 5);
        let seconds = |name: &str| select[name].as_f64().unwrap();
        assert!(seconds("min_seconds") > 0.0 && seconds("min_seconds") <= seconds("max_seconds"));
        assert!(seconds("seconds") >= 5.0 * seconds("min_seconds"));
        let since = site.json("queries")["since"].as_u64().unwrap();
        let seen = |name: &str| select[name].as_u64().unwrap();
        assert!(since > 1_600_000_000 && since <= seen("first_seen"));
        assert!(seen("first_seen") <= seen("last_seen"));

        assert_eq!(numbers(&site.counted("SELEKT ?")), [2, 2, 0]);
        // The rows of the first two statements, and the error of the third one.
        assert_eq!(numbers(&site.counted("SELECT ?; SELECT ?+; SELEKT")), [1, 1, 2]);
        // The most costly one is the first.
        assert_eq!(site.fingerprints()[0], "SELECT SLEEP(?)");
        let slow = &site.queries()[0];
        assert!(slow["min_seconds"].as_f64().unwrap() >= 0.15, "{slow}");
        assert!((0.3..=1.0).contains(&slow["share"].as_f64().unwrap()), "{slow}");
        let total = &site.json("queries")["total"];
        assert_eq!((&total["calls"], &total["errors"]), (&json!(9), &json!(3)), "{total}");
        assert_eq!(site.json("queries?limit=1")["queries"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn executions_count_under_the_text_that_was_prepared() {
    let tracking = "def init(proxy): proxy.globals.track_sessions = True";
    let asked = "def read_query(proxy, packet): pass";
    for (event_loop, script) in
        [("own", None), ("chassis", None), ("own", Some(tracking)), ("chassis", Some(asked))]
    {
        let builder = counting().option("pyproxy-event-loop", event_loop);
        let site = Site::start(match script {
            Some(script) => builder.script(script),
            None => builder,
        });
        let mut conn = Conn::new(site.host.url().as_str()).unwrap();
        let select = conn.prep("SELECT ? + 1, 'x' /* prepared */").unwrap();
        let other = conn.prep("SELECT 'other' FROM (SELECT ? UNION SELECT 2) t").unwrap();
        for number in 0..4_i64 {
            let row: Option<(i64, String)> = conn.exec_first(&select, (number,)).unwrap();
            assert_eq!(row, Some((number + 1, "x".to_owned())));
        }
        conn.exec_drop(&other, (1,)).unwrap();
        conn.close(select).unwrap();
        // As text it is the same statement.
        conn.query_drop("SELECT 4 + 1,   'x'").unwrap();
        let counted = site.counted("SELECT ? + ?, ?");
        assert_eq!(numbers(&counted), [5, 0, 5], "{event_loop} {script:?}");
        assert_eq!(counted["example"], "SELECT ? + 1, 'x' /* prepared */");
        let others = site.counted("SELECT ? FROM (SELECT ? UNION SELECT ?) t");
        assert_eq!(numbers(&others), [1, 0, 2]);
    }
}

/// Sends a command and reads so many packets; gives the first one.
fn exchange(client: &mut RawClient, payload: &[u8], count: usize) -> Packet {
    client.send_packet(0, payload).unwrap();
    let packets: Vec<_> = (0..count).map(|_| client.read_packet().unwrap()).collect();
    packets[0].clone()
}

/// Prepares a statement with one column and without parameters; gives its number.
fn prepare(client: &mut RawClient, sql: &str) -> Vec<u8> {
    let answer = exchange(client, &[b"\x16", sql.as_bytes()].concat(), 3);
    answer.payload[1..5].to_vec()
}

/// A number of a statement means nothing any more behind COM_RESET_CONNECTION.
#[test]
fn statements_that_are_gone_are_not_counted() {
    let site = Site::start(counting());
    let mut client = site.host.client();
    let number = prepare(&mut client, "SELECT 'gone'");
    client.simple(0x1f, b"").unwrap();
    let execute = [b"\x17", number.as_slice(), &[0, 1, 0, 0, 0]].concat();
    assert!(exchange(&mut client, &execute, 1).is_err());
    assert_in_step(&mut client);
    assert_eq!(site.fingerprints(), ["SELECT ?+"]);
}

#[test]
fn rows_of_cursors_belong_to_their_statement() {
    let site = Site::start(counting());
    let mut client = site.host.client();
    let number = prepare(&mut client, "SELECT 1 UNION SELECT 2 UNION SELECT 3");
    // With a read-only cursor: the column only.
    exchange(&mut client, &[b"\x17", number.as_slice(), &[1, 1, 0, 0, 0]].concat(), 3);
    let fetch = [b"\x1c", number.as_slice(), &2_u32.to_le_bytes()].concat();
    // Two rows and then one, each with an end.
    exchange(&mut client, &fetch, 3);
    exchange(&mut client, &fetch, 2);
    let counted = site.counted("SELECT ? UNION SELECT ? UNION SELECT ?");
    assert_eq!(numbers(&counted), [1, 0, 3]);
    assert_eq!(counted["times"]["count"], 1);
}

#[test]
fn a_file_of_the_client() {
    let site = Site::start(counting());
    let mut conn = Conn::new(site.host.url().as_str()).unwrap();
    conn.query_drop("CREATE OR REPLACE TABLE test.counted_file (a INT)").unwrap();
    conn.set_local_infile_handler(Some(LocalInfileHandler::new(|_, stream| {
        (0..1000).try_for_each(|row| writeln!(stream, "{row}"))
    })));
    conn.query_drop("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.counted_file").unwrap();
    let load = site.counted("LOAD DATA LOCAL INFILE ? INTO TABLE test.counted_file");
    assert_eq!(numbers(&load), [1, 0, 0]);
}

/// A command counts once, under what the client sent, with what the client got.
#[test]
fn queries_of_scripts_are_part_of_the_command_that_they_are_for() {
    let site = Site::start(counting().option("pyproxy-event-loop", "own").script(
        r#"
        from pyproxy import Rows

        async def read_query(proxy, packet):
            if b"'replaced'" in packet:
                proxy.queries.append(1, "SELECT 1 AS injected UNION SELECT 2", resultset_is_needed=True)
                proxy.queries.append(2, "SELECT 3 AS injected", resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY
            if b"'made'" in packet:
                return Rows(["a"], [(1,), (2,), (3,)])
            if b"'awaited'" in packet:
                return await proxy.query("SELECT 1 AS awaited UNION SELECT 2")
            if b"'raised'" in packet:
                raise RuntimeError

        def read_query_result(proxy, inj):
            if inj.id == 1:
                return proxy.PROXY_IGNORE_RESULT
        "#,
    ));
    let mut client = site.host.client();
    for (name, rows) in [("replaced", 1), ("made", 3), ("awaited", 2)] {
        let answer = client.query(&format!("SELECT '{name}' AS {name}")).unwrap();
        assert_eq!(answer.text().len(), rows, "{name}");
        let counted = site.counted(&format!("SELECT ? AS {name}"));
        assert_eq!(numbers(&counted), [1, 0, rows as u64], "{name}");
    }
    assert_query_fails(&mut client, "SELECT 'raised' AS raised", "read_query");
    assert_eq!(numbers(&site.counted("SELECT ? AS raised")), [1, 1, 0]);
    let all = site.fingerprints();
    assert_eq!(all.len(), 4, "{all:?}");
}

#[test]
fn what_has_no_answer_counts_as_an_error() {
    for event_loop in ["own", "chassis"] {
        let site = Site::start(counting().option("pyproxy-event-loop", event_loop));
        let mut client = site.host.client();
        client.send_command(COM_QUERY, b"SELECT SLEEP(60), 'aborted'").unwrap();
        let admin = &mut direct();
        let find = "SELECT id FROM information_schema.processlist WHERE info = \
                    \"SELECT SLEEP(60), 'aborted'\"";
        let ids = || admin.query(find).unwrap().text();
        let mut ids = ids;
        let mut found = Vec::new();
        assert!(eventually(PATIENCE, || {
            found = ids();
            !found.is_empty()
        }));
        direct().query(&format!("KILL {}", found[0][0])).unwrap();
        client.expect_closed();
        assert!(eventually(PATIENCE, || !site.queries().is_empty()), "{event_loop}");
        assert_eq!(numbers(&site.counted("SELECT SLEEP(?), ?")), [1, 1, 0], "{event_loop}");
    }
}

#[test]
fn who_hides_queries_hides_examples() {
    let site = Site::start(counting().option("pyproxy-http-hide-queries", true));
    let mut client = site.host.client();
    client.query("SELECT 'secret'").unwrap();
    let counted = site.counted("SELECT ?");
    assert_eq!((&counted["example"], &counted["example_is_cut"]), (&Value::Null, &Value::Null));
    client.send_command(COM_QUERY, b"SELECT SLEEP(0.5), 'secret'").unwrap();
    for page in ["/api/v1/queries", "/api/v1/connections", "/metrics", "/"] {
        assert!(!site.get(page).body.contains("secret"), "{page}");
    }
}

#[test]
fn they_begin_anew_when_somebody_says_so() {
    let open = Open::start(counting());
    let mut client = open.site.host.client();
    client.query("SELECT 1").unwrap();
    let (status, _) = open.post_with("queries/reset", "", "");
    assert_eq!((status, open.site.queries().len()), (401, 1));
    assert_eq!(open.post("queries/reset", ""), (200, json!({"reset": true})));
    open.site.host.wait_for_log("query statistics begin anew, as 127.0.0.1:");
    assert_eq!(open.site.queries(), Vec::<Value>::new());
    client.query("SELECT 1").unwrap();
    assert_eq!(numbers(&open.site.counted("SELECT ?")), [1, 0, 1]);
}

#[test]
fn off_unless_it_is_asked_for() {
    let open = Open::start(Host::builder().backend(db()));
    open.site.host.client().query("SELECT 1").unwrap();
    let told = open.site.json("queries");
    assert_eq!((&told["counted"], &told["queries"]), (&json!(0), &json!([])));
    assert!(!open.site.get("/metrics").body.contains("pyproxy_query"));
    assert_eq!(open.post("queries/reset", "").0, 404);
}

#[test]
fn parameters_are_checked() {
    let site = Site::start(counting());
    for (query, why) in
        [("first=1", "only limit can be given"), ("limit=-1", "limit is not a number")]
    {
        let answer = site.get(&format!("/api/v1/queries?{query}"));
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, body), (400, json!({ "error": why })));
    }
}

/// Whatever is in a query, it stays a value.
#[test]
fn hostile_texts() {
    let site = Site::start(counting());
    let mut client = site.host.login(&MariaDb::user().database(DATABASE));
    let hostile: [&[u8]; 7] = [
        b"SELECT `a\"} 1\nevil{x=\"`",
        b"SELECT \"</script><script>document.title='evil'</script>\" AS `</script><b>`",
        b"SELECT `\xff\xfe\x80`",
        b"SELECT `a\0b\x1b[2J\x7f\r\n`",
        b"SELECT '\xf0\x9f\x92\xa3' AS `\xf0\x9f\x92\xa3\\`",
        b"SELECT 'unterminated",
        b"\xff\xff\xff\xff",
    ];
    for text in hostile {
        client.send_command(COM_QUERY, text).unwrap();
        client.read_answer(1).unwrap();
    }
    let long = format!("SELECT 1 AS `{}`", "\u{e4}".repeat(3000));
    client.query(&long).unwrap();
    let all = site.queries();
    // Of two of them no server reads anything behind the first word.
    assert_eq!(all.len(), 7, "{all:#?}");
    for query in &all {
        assert_eq!(query["digest"].as_str().unwrap().len(), 16);
        assert!(query["fingerprint"].as_str().unwrap().chars().count() <= 1100);
    }
    let cut = all.iter().find(|query| query["example_is_cut"] == true).unwrap();
    assert!(cut["example"].as_str().unwrap().len() < 1100, "{cut}");
    let metrics = site.get("/metrics").body;
    assert_checked(&metrics);
    assert!(!metrics.lines().any(|line| line.starts_with("evil")), "{metrics}");
    assert_eq!(metrics.lines().filter(|line| line.starts_with("pyproxy_query_info{")).count(), 7);
    assert_eq!(site.host.criticals(), Vec::<String>::new());
}

/// Of more statements than there is room for, the costly ones are there, and memory does not grow.
#[test]
fn a_flood_of_different_statements() {
    let site = Site::start(counting().option("pyproxy-query-stats", 5));
    let mut client = site.host.client();
    client.query("SELECT SLEEP(0.2)").unwrap();
    for number in 0..2000 {
        client.query(&format!("SELECT 1 AS a{number}")).unwrap();
    }
    let told = site.json("queries");
    assert_eq!((&told["counted"], &told["total"]["calls"]), (&json!(5), &json!(2001)));
    assert!(told["total"]["forgotten"].as_u64().unwrap() > 1800, "{told}");
    let all = site.fingerprints();
    assert_eq!((all.len(), all[0].as_str()), (5, "SELECT SLEEP(?)"));
}
