//! The scripts in `examples/` do what their first lines say.

use testkit::Host;

use crate::support::*;

const QUERY_LOG: &str = include_str!("../../examples/query_log.py");
const REWRITE_AND_ANSWER: &str = include_str!("../../examples/rewrite_and_answer.py");

#[test]
fn query_log_prints_each_query_with_time_rows_and_client() {
    let host = Host::builder().backend(db()).script(QUERY_LOG).start();
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1 UNION SELECT 2");
    assert_same_as_direct(&mut client, "SELECT nothing FROM nowhere");
    assert_same_as_direct(&mut client, "DO 1");
    host.wait_for_stdout("DO 1\n");
    let stdout = host.stdout();
    let lines: Vec<&str> = stdout.lines().collect();
    let expected = [
        ("2 rows", "SELECT 1 UNION SELECT 2"),
        ("failed", "SELECT nothing FROM nowhere"),
        ("0 rows", "DO 1"),
    ];
    assert_eq!(lines.len(), expected.len(), "{stdout}");
    for (line, (outcome, query)) in lines.into_iter().zip(expected) {
        let (time, rest) = line.split_once(" ms  ").expect("a time");
        assert!(time.parse::<f64>().unwrap() > 0.0, "{line}");
        assert!(rest.starts_with(&format!("{outcome}  u@127.0.0.1:")), "{line}");
        assert!(rest.ends_with(&format!("  {query}")), "{line}");
    }
    assert!(host.criticals().is_empty(), "{:?}", host.criticals());
}

#[test]
fn rewrite_and_answer_reads_the_new_table_for_the_old_name() {
    let (host, mut client) = rewriting_host("shop_rewrite");
    let rows = client.query("SELECT name FROM shop_rewrite.Clients WHERE id = 2").unwrap();
    assert_eq!(rows.value(), "Grace");
    assert_same_as_direct(&mut client, "SELECT COUNT(*) FROM shop_rewrite.customers");
    host.wait_for_stdout("rewrote:  SELECT name FROM shop_rewrite.Clients WHERE id = 2 -> ");
    assert!(host.criticals().is_empty(), "{:?}", host.criticals());
}

#[test]
fn rewrite_and_answer_counts_the_queries_of_each_user() {
    let (_host, mut client) = rewriting_host("shop_count");
    assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
    let answer = client.query("show proxy queries").unwrap();
    assert_eq!(answer.text(), [["u", "2"]]);
    assert_in_step(&mut client);
}

#[test]
fn rewrite_and_answer_refuses_a_delete_without_where() {
    let (_host, mut client) = rewriting_host("shop_delete");
    let answer = client.query("DELETE FROM shop_delete.customers").unwrap();
    assert_eq!(answer.err().message, "DELETE without WHERE is not allowed here");
    client.query("DELETE FROM shop_delete.customers WHERE id = 1").unwrap().ok();
    let left = client.query("SELECT id FROM shop_delete.customers ORDER BY id").unwrap();
    assert_eq!(left.text(), [["2"], ["3"]]);
}

/// A host with the script in front of a new database with the table `customers`.
fn rewriting_host(database: &str) -> (Host, testkit::RawClient) {
    let mut setup = direct();
    for statement in [
        format!("CREATE OR REPLACE DATABASE {database}"),
        format!("CREATE TABLE {database}.customers (id INT PRIMARY KEY, name VARCHAR(40))"),
        format!("INSERT INTO {database}.customers VALUES (1,'Ada'), (2,'Grace'), (3,'Edsger')"),
    ] {
        setup.query(&statement).unwrap().ok();
    }
    let host = Host::builder().backend(db()).script(REWRITE_AND_ANSWER).start();
    let client = host.client();
    (host, client)
}
