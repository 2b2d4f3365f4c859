//! Tutorials that look at results or change them, and their short forms: inject, packets, query_time, union, warnings.

use super::*;

#[test]
fn inject_asks_for_the_time_after_each_query() {
    for host in [run("tutorial_inject.py"), waits("short_inject.py").start()] {
        asks_for_the_time(host);
    }
}

fn asks_for_the_time(host: Host) {
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1 UNION SELECT 2");
    assert_same_as_direct(&mut client, "SELECT nothing");
    assert_in_step(&mut client);
    client.quit();
    let lines = printed(host);
    let queries: Vec<&str> = lines
        .iter()
        .map(|line| {
            let (time, query) = line.split_once(" at the server after ").expect("a time");
            assert!(looks_like_a_time(time), "{line}");
            query
        })
        .collect();
    assert_eq!(queries, ["SELECT 1 UNION SELECT 2", "SELECT nothing", "SELECT 'in', 'step'"]);
}

/// Whether the text is like `2024-05-17 09:30:12`.
fn looks_like_a_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    shape == "9999-99-99 99:99:99"
}

#[test]
fn query_time_prints_two_times_for_each_query() {
    let host = run("tutorial_query_time.py");
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1");
    assert_eq!(client.query("SELECT SLEEP(0.05)").unwrap().value(), "0");
    client.quit();
    let lines = printed(host);
    let times: Vec<(f64, &str)> = lines
        .iter()
        .map(|line| {
            let (time, rest) = line.trim_start().split_once(" ms  ").expect("a time");
            (time.parse().expect("a number"), rest)
        })
        .collect();
    let texts: Vec<&str> = times.iter().map(|(_, rest)| *rest).collect();
    let expected = [
        "first packet",
        "last packet   SELECT 1",
        "first packet",
        "last packet   SELECT SLEEP(0.05)",
    ];
    assert_eq!(texts, expected);
    for pair in times.chunks(2) {
        assert!(0.0 < pair[0].0 && pair[0].0 <= pair[1].0, "{pair:?}");
    }
    assert!(times[3].0 >= 40.0, "the server slept 50 ms: {times:?}");
}

#[test]
fn packets_prints_all_columns_and_all_rows() {
    let host = run("tutorial_packets.py");
    let mut setup = direct();
    let columns = "id INT, name VARCHAR(10) CHARACTER SET utf8mb4";
    setup
        .query(&format!("CREATE OR REPLACE TABLE test.tutorial_packets ({columns})"))
        .unwrap()
        .ok();
    setup.query("INSERT INTO test.tutorial_packets VALUES (1, 'Ada'), (2, NULL)").unwrap().ok();
    let login = testkit::MariaDb::user().database("test");
    let mut client = host.login(&login);
    assert_same_as_direct(&mut client, "SELECT id, name FROM test.tutorial_packets ORDER BY id");
    let from = client.local_address();
    client.quit();
    let lines = printed(host);
    assert_eq!(lines[0], format!("connection    u@{from} -> {}, database test", db()));
    let query: String = b"\x03SELECT id, name FROM test.tutorial_packets ORDER BY id"
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(lines[1], format!("query         {query}"));
    assert_eq!(lines[2], "first packet  02");
    assert!(lines[3].starts_with("times         "), "{lines:?}");
    assert_eq!(
        lines[4..],
        [
            "status        OK, auto_commit, no_index_used",
            "counters      2 rows in 17 bytes, None affected, insert id None, 0 warnings",
            "field 0       test.tutorial_packets.id, type 3, collation 63, length 11",
            "field 1       test.tutorial_packets.name, type 253, collation 45, length 40",
            "row 0         ('1', 'Ada')",
            "row 1         ('2', None)",
        ]
    );
}

#[test]
fn packets_prints_answers_without_rows() {
    let host = run("tutorial_packets.py");
    let mut client = host.client();
    assert_same_as_direct(&mut client, "DO 1");
    assert_same_as_direct(&mut client, "SELECT nothing");
    client.quit();
    let lines = printed(host);
    let of = |name: &str| -> Vec<String> {
        let found = lines.iter().filter_map(|line| line.strip_prefix(name));
        found.map(|text| text.trim_start().to_owned()).collect()
    };
    assert_eq!(of("status "), ["OK, auto_commit", "ERR"]);
    let nothing = "0 rows in 0 bytes, 0 affected, insert id 0, 0 warnings";
    assert_eq!(of("counters "), [nothing, nothing]);
    let packets = of("first packet ");
    assert!(packets[0].starts_with("00000002") && packets[1].starts_with("ff1e04"), "{packets:?}");
    assert_eq!((of("field "), of("row ")), (vec![], vec![]));
}

#[test]
fn union_gives_the_rows_of_both_runs() {
    for style in ["tutorial", "short"] {
        let host = run(&format!("{style}_union.py"));
        let mut client = host.client();
        for _ in 0..2 {
            let answer = client.query("select 1 AS n, NULL UNION ALL SELECT 2, 'two'").unwrap();
            let rows = [["1", "NULL"], ["2", "two"]];
            assert_eq!(answer.text(), [rows, rows].concat());
        }
        assert_eq!(client.query("SELECT nothing").unwrap().err().code, 1054);
        assert_eq!(client.query("SELECT 1 FROM dual WHERE 0").unwrap().text().len(), 0);
        client.query("SELECT 5 INTO @five").unwrap().ok();
        assert_same_as_direct(&mut client, "SHOW VARIABLES LIKE 'port'");
        assert_eq!(client.query("SELECT @five").unwrap().text(), [["5"], ["5"]]);
        client.quit();
        assert_eq!(printed(host), Vec::<String>::new());
    }
}

#[test]
fn union_really_runs_the_query_twice() {
    for style in ["tutorial", "short"] {
        let host = run(&format!("{style}_union.py"));
        let mut client = host.client();
        client.query("SET @runs = 0").unwrap().ok();
        let answer = client.query("SELECT @runs := @runs + 1").unwrap();
        assert_eq!(answer.text(), [["1"], ["2"]]);
        client.quit();
        assert_eq!(printed(host), Vec::<String>::new());
    }
}

#[test]
fn warnings_prints_code_level_and_message() {
    for host in [run("tutorial_warnings.py"), waits("short_warnings.py").start()] {
        prints_warnings(host);
    }
}

fn prints_warnings(host: Host) {
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1");
    assert_same_as_direct(&mut client, "SELECT 1 / 0, 'a' + 1");
    // The list is still there for the client.
    let own = client.query("SHOW WARNINGS").unwrap().text();
    assert_eq!(own.len(), 2, "{own:?}");
    assert_same_as_direct(&mut client, "DROP TABLE IF EXISTS test.tutorial_warnings");
    assert_in_step(&mut client);
    client.quit();
    assert_eq!(
        printed(host),
        [
            "SELECT 1 / 0, 'a' + 1",
            "  Warning 1365: Division by 0",
            "  Warning 1292: Truncated incorrect DOUBLE value: 'a'",
            "DROP TABLE IF EXISTS test.tutorial_warnings",
            "  Note 1051: Unknown table 'test.tutorial_warnings'",
        ]
    );
}
