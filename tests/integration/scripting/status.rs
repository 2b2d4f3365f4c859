//! The status of answers that the proxy or a script makes: that of the connection, as the server reported it last.

use testkit::client::answer::Answer;
use testkit::{Greeting, Host, MariaDb, RawClient, RawServer};

use crate::support::*;

/// IN_TRANS, AUTOCOMMIT, NO_INDEX_USED, NO_BACKSLASH_ESCAPES.
const IN_TRANS: u16 = 0x0001;
const AUTOCOMMIT: u16 = 0x0002;
const NO_INDEX_USED: u16 = 0x0020;
const NO_BACKSLASH_ESCAPES: u16 = 0x0200;

/// Answers what begins with `made`, and replaces the result of what begins with `SELECT`.
const MAKES: &str = r#"
ROWS = {"fields": [("a", 0x03)], "rows": [(1,)]}


def read_query(proxy, packet):
    sql = packet[1:].decode()
    if sql == "made rows":
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": ROWS}
        return proxy.PROXY_SEND_RESULT
    if sql == "made ok":
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK}
        return proxy.PROXY_SEND_RESULT
    if sql == "made zero":
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "server_status": 0}
        return proxy.PROXY_SEND_RESULT
    if sql == "made detached":
        proxy.connection.backend_ndx = -1
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK}
        return proxy.PROXY_SEND_RESULT
    if sql.startswith("SELECT") or packet[0] == proxy.COM_STMT_EXECUTE:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    if inj.resultset.fields is not None:
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": ROWS}
        return proxy.PROXY_SEND_RESULT
"#;

/// The status fields of an answer: that of the OK, or those of both EOFs.
fn statuses(answer: &Answer) -> Vec<u16> {
    let payloads = answer.payloads();
    let status = |payload: &[u8], at: usize| u16::from_le_bytes([payload[at], payload[at + 1]]);
    match payloads.as_slice() {
        [ok] => vec![status(ok, 3)],
        all => all.iter().filter(|p| p[0] == 0xfe && p.len() == 5).map(|p| status(p, 3)).collect(),
    }
}

fn made(client: &mut RawClient, sql: &str) -> Vec<u16> {
    statuses(&client.query(sql).unwrap())
}

#[test]
fn made_answers_tell_the_state_of_the_connection() {
    let host = Host::with_script(MAKES);
    let mut client = host.client();
    assert_eq!(made(&mut client, "made ok"), [AUTOCOMMIT], "as the greeting said");
    client.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'").unwrap().ok();
    let quiet = AUTOCOMMIT | NO_BACKSLASH_ESCAPES;
    assert_eq!(made(&mut client, "made ok"), [quiet]);
    assert_eq!(made(&mut client, "made rows"), [quiet, quiet]);
    client.query("BEGIN").unwrap().ok();
    let open = quiet | IN_TRANS;
    assert_eq!(made(&mut client, "made ok"), [open]);
    assert_eq!(made(&mut client, "made rows"), [open, open]);
    assert_eq!(made(&mut client, "made zero"), [0], "the script says otherwise");
    // An ERR has no status: the transaction is still open.
    client.query("no SQL").unwrap().err();
    assert_eq!(made(&mut client, "made ok"), [open]);
    client.query("ROLLBACK").unwrap().ok();
    client.query("SET autocommit = 0").unwrap().ok();
    assert_eq!(made(&mut client, "made ok"), [NO_BACKSLASH_ESCAPES]);
}

#[test]
fn replaced_results_tell_the_state_but_not_what_is_about_one_result() {
    MariaDb::shared().query("DROP TABLE IF EXISTS test.status_unindexed").ok();
    MariaDb::shared().query("CREATE TABLE test.status_unindexed (a INT)").ok();
    let host = Host::with_script(MAKES);
    let mut client = host.client();
    client.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'").unwrap().ok();
    client.query("BEGIN").unwrap().ok();
    let sql = "SELECT * FROM test.status_unindexed";
    let open = AUTOCOMMIT | NO_BACKSLASH_ESCAPES | IN_TRANS;
    assert_eq!(made(&mut client, sql), [open, open]);
    client.query("ROLLBACK").unwrap().ok();
    let mut straight = direct();
    assert_ne!(made(&mut straight, sql)[1] & NO_INDEX_USED, 0, "or this test shows nothing");
    MariaDb::shared().query("DROP TABLE test.status_unindexed").ok();
}

#[test]
fn without_a_server_the_last_report_holds_but_no_transaction() {
    let host = Host::with_script(MAKES);
    let mut client = host.client();
    client.query("SET sql_mode = 'NO_BACKSLASH_ESCAPES'").unwrap().ok();
    client.query("BEGIN").unwrap().ok();
    let quiet = AUTOCOMMIT | NO_BACKSLASH_ESCAPES;
    assert_eq!(made(&mut client, "made detached"), [quiet]);
    assert_eq!(made(&mut client, "made rows"), [quiet, quiet]);
}

/// The greeting and the answer to the login report a status, too.
#[test]
fn a_login_reports_the_state() {
    let server = RawServer::start(|conn| {
        conn.write(0, &Greeting::default().payload())?;
        conn.read()?;
        conn.write(2, &testkit::proto::ok_err::ok(0, 0, NO_BACKSLASH_ESCAPES))?;
        conn.serve(|_command| testkit::proto::resultset::one_cell("v", "x"))
    });
    let host = Host::builder().backend(server.address()).script(MAKES).start();
    assert_eq!(made(&mut host.client(), "made ok"), [NO_BACKSLASH_ESCAPES]);
}
