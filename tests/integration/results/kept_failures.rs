//! `failure_is_needed`: an answer passes, but one that is an error is the script's.

use testkit::Host;

use crate::support::*;

/// What fails is answered by another query.
const SECOND_TRY: &str = r#"
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(1, packet, failure_is_needed=True)
        return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    print("result:", inj.resultset.error is not None, inj.resultset.rows is not None)
    if inj.resultset.error is None or b"and stay" in inj.query:
        return
    proxy.queries.append(2, "SELECT 'instead'")
    return proxy.PROXY_IGNORE_RESULT
"#;

#[test]
fn an_error_in_place_of_the_first_row_can_be_replaced() {
    let host = Host::with_script(SECOND_TRY);
    let mut client = host.client();
    // The second is an error behind the definitions of the columns.
    for sql in ["no statement", "SELECT (SELECT 1 UNION SELECT 2)"] {
        assert_eq!(client.query(sql).unwrap().value(), "instead", "{sql}");
    }
    host.wait_for_stdout("result: True False");
    assert_in_step(&mut client);
}

#[test]
fn an_error_that_is_not_replaced_is_the_answer() {
    let host = Host::with_script(SECOND_TRY);
    let mut client = host.client();
    for sql in ["no statement /* and stay */", "SELECT (SELECT 1 UNION SELECT 2) /* and stay */"] {
        let through = client.query(sql).unwrap();
        let straight = direct().query(sql).unwrap();
        assert_eq!(through.payloads(), straight.payloads());
    }
    assert_in_step(&mut client);
}

#[test]
fn what_goes_well_passes() {
    let host = Host::with_script(SECOND_TRY);
    let mut client = host.client();
    for sql in ["DO 1", "SELECT 1, 2", "SELECT 1 WHERE FALSE", "SELECT seq FROM test.seq_1_to_1000"]
    {
        assert_same_as_direct(&mut client, sql);
    }
    host.wait_for_stdout("result: False False");
    assert!(!host.stdout().contains("result: False True"));
}

#[test]
fn an_error_behind_the_first_row_is_the_clients() {
    let host = Host::with_script(SECOND_TRY);
    let mut client = host.client();
    let sql = "SELECT seq, (SELECT seq UNION SELECT IF(seq > 500, 1, seq)) FROM test.seq_1_to_1000";
    let through = client.query(sql).unwrap();
    assert_eq!(through.payloads(), direct().query(sql).unwrap().payloads());
    assert_in_step(&mut client);
}
