//! Answers of several results: `inj.resultsets`, and `resultsets` in a response.

use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

/// What a client gets for a query of several statements through a script that changes results by `body`.
fn answered(body: &str, sql: &str) -> testkit::client::answer::Answer {
    let host = Host::with_script(&format!(
        "def read_query(proxy, packet):\n    \
             proxy.queries.append(1, packet, resultset_is_needed=True)\n    \
             return proxy.PROXY_SEND_QUERY\n\
         def read_query_result(proxy, inj):\n    \
             if b\"'step'\" in inj.query: return\n    \
             all = inj.resultsets\n    \
             {}\n",
        body.replace('\n', "\n    ")
    ));
    let mut client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    let answer = client.query(sql).unwrap();
    assert_in_step(&mut client);
    let ids: Vec<u8> = answer.packets.iter().map(|packet| packet.id).collect();
    let consecutive: Vec<u8> = (1..).take(ids.len()).collect();
    assert_eq!(ids, consecutive);
    answer
}

const SQL: &str = "SELECT 1 AS a UNION SELECT 2; DO 1; SELECT 'x' AS b, 'y'; DO 2";

#[test]
fn each_result_is_seen_and_can_be_sent_as_it_was() {
    let straight = direct().query(SQL).unwrap();
    for body in [
        "assert len(all) == 4, all\n\
         assert [len(r.rows) if r.rows is not None else None for r in all] == [2, None, 1, None]\n\
         assert [r.row_count for r in all] == [2, 0, 1, 0] and inj.resultset.row_count == 3\n\
         assert [r.affected_rows for r in all] == [None, 0, None, 0]\n\
         assert [tuple(row) for row in all[2].rows] == [('x', 'y')] and all[2].fields[0].name == 'b'\n\
         assert all[2].raw == b'\\x02' and all[1].raw[0] == 0 and all[0].error is None\n\
         assert inj.resultset.fields[0].name == all[0].fields[0].name == 'a'\n\
         assert inj.resultsets is all",
        "proxy.response = {'type': 0, 'resultsets': all}\nreturn proxy.PROXY_SEND_RESULT",
        "proxy.response.type = 0\nproxy.response.resultsets = iter(all)\nreturn 2",
    ] {
        assert_eq!(answered(body, SQL).payloads(), straight.payloads(), "{body}");
    }
}

#[test]
fn results_are_replaced_one_by_one() {
    let same = "SELECT 1 AS a UNION SELECT 2; DO 1; SELECT 'z' AS b, 'y'; DO 2";
    let straight = direct().query(same).unwrap();
    let body = "masked = {'fields': all[2].fields, 'rows': [('z', 'y')],\n    }\n\
                one = {'resultset': masked, 'server_status': int(all[2].flags)}\n\
                proxy.response = {'type': 0, 'resultsets': [all[0], all[1], one, all[3]]}\n\
                return proxy.PROXY_SEND_RESULT";
    let through = answered(body, SQL);
    assert_eq!(through.payloads(), straight.payloads());
}

#[test]
fn results_may_be_left_out_and_added() {
    let straight = direct().query("SELECT 'x' AS b, 'y'").unwrap();
    let last = "proxy.response = {'type': 0, 'resultsets': [all[2]]}\nreturn 2";
    assert_eq!(answered(last, SQL).payloads(), straight.payloads());
    let two =
        "proxy.response = {'type': 0, 'resultsets': [{'affected_rows': 3}, all[2]]}\nreturn 2";
    let through = answered(two, SQL);
    assert_eq!(through.payloads()[0], b"\0\x03\0\x0a\0\0\0");
    assert_eq!(through.payloads()[1..], straight.payloads()[..]);
}

#[test]
fn an_error_behind_results_is_one_of_them() {
    let sql = "SELECT 1; SELECT nothing";
    let straight = direct().query(sql).unwrap();
    let body = "assert len(all) == 2 and all[0].error is None and all[1].error[0] == 255\n\
                assert all[1].query_status == 255 and all[0].query_status == 0\n\
                proxy.response = {'type': 0, 'resultsets': all}\nreturn 2";
    assert_eq!(answered(body, sql).payloads(), straight.payloads());
}

#[test]
fn results_of_a_prepared_call() {
    MariaDb::shared().query("DROP PROCEDURE IF EXISTS test.several_results").ok();
    MariaDb::shared()
        .query("CREATE PROCEDURE test.several_results() BEGIN SELECT 1; SELECT 'two', 2; END")
        .ok();
    let script = "
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.query[0] == proxy.COM_STMT_EXECUTE:
        first, second, ok = inj.resultsets
        assert [tuple(row) for row in first.rows] == [(1,)]
        assert [tuple(row) for row in second.rows] == [('two', 2)]
        assert ok.affected_rows == 0
        proxy.response = {'type': 0, 'resultsets': [second, first, ok]}
        return proxy.PROXY_SEND_RESULT
";
    let host = Host::with_script(script);
    let mut client = host.login(&MariaDb::user().with(testkit::proto::caps::PS_MULTI_RESULTS));
    client.send_command(0x16, b"CALL test.several_results()").unwrap();
    let prepared = client.read_packet().unwrap();
    let id = prepared.payload[1..5].to_vec();
    client.send_command(0x17, &[&id[..], b"\0\x01\0\0\0"].concat()).unwrap();
    let mut payloads = Vec::new();
    loop {
        let packet = client.read_packet().unwrap();
        let is_last = packet.payload[0] == 0 && packet.payload.len() == 7;
        payloads.push(packet.payload);
        if is_last {
            break;
        }
    }
    assert_eq!(payloads[0], b"\x02", "two columns first: {payloads:?}");
    // Behind the columns and the rows of both: another result follows.
    let ends: Vec<_> = payloads.iter().filter(|payload| payload[0] == 0xfe).collect();
    assert_eq!(ends.len(), 4, "{payloads:?}");
    assert!(ends.iter().all(|end| end[3] & 8 != 0), "{payloads:?}");
    assert_in_step(&mut client);
}

#[test]
fn what_makes_no_answer_is_a_script_error() {
    for (body, message) in [
        ("proxy.response = {'type': 0, 'resultsets': []}", "resultsets is empty"),
        (
            "proxy.response = {'type': 0, 'resultsets': [5]}",
            "is a mapping or a result of the query, not int",
        ),
        (
            "proxy.response = {'type': 0, 'resultsets': [{}], 'warnings': 1}",
            "each result has its own",
        ),
    ] {
        let host = Host::with_script(&format!(
            "def read_query(proxy, packet):\n    {body}\n    return proxy.PROXY_SEND_RESULT\n"
        ));
        assert_query_fails(&mut host.client(), "x", "read_query");
        host.wait_for_log(message);
    }
}
