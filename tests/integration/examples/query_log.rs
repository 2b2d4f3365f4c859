//! `query_log.py`.

use super::*;

#[test]
fn query_log_prints_each_query_with_time_rows_and_client() {
    let host = run("query_log.py");
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1 UNION SELECT 2");
    assert_same_as_direct(&mut client, "SELECT nothing FROM nowhere");
    assert_same_as_direct(&mut client, "DO 1");
    client.quit();
    let lines = printed(host);
    let expected = [
        ("2 rows", "SELECT 1 UNION SELECT 2"),
        ("failed", "SELECT nothing FROM nowhere"),
        ("0 rows", "DO 1"),
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, (outcome, query)) in lines.iter().zip(expected) {
        let (time, rest) = line.split_once(" ms  ").expect("a time");
        assert!(time.parse::<f64>().unwrap() > 0.0, "{line}");
        assert!(rest.starts_with(&format!("{outcome}  u@127.0.0.1:")), "{line}");
        assert!(rest.ends_with(&format!("  {query}")), "{line}");
    }
}
