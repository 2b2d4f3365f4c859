//! Prepared statements by hand: every command through scripts that look, queue, inject and replace; cursors.

use testkit::{Host, RawClient};

use crate::support::*;

const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const SEND_LONG_DATA: u8 = 0x18;
const CLOSE: u8 = 0x19;
const RESET: u8 = 0x1a;
const FETCH: u8 = 0x1c;

/// ER_STMT_HAS_NO_OPEN_CURSOR; the message has the id of the statement.
const NO_OPEN_CURSOR: u16 = 1421;

/// Five rows with a number, a text that is a parameter, a date and a NULL.
const SELECT: &[u8] = b"SELECT seq, ?, DATE '2024-02-29', NULL FROM test.seq_1_to_5";
/// Behind the id in COM_STMT_EXECUTE: iterations, NULL bitmap, types follow, a string.
const PARAMETER: &[u8] = b"\x01\0\0\0\0\x01\xfd\x00";

/// A statement of a client, and all that came back for it.
struct Statement<'c> {
    client: &'c mut RawClient,
    id: Vec<u8>,
    answers: Vec<Vec<u8>>,
}

impl<'c> Statement<'c> {
    fn prepare(client: &'c mut RawClient, sql: &[u8]) -> Self {
        client.send_command(PREPARE, sql).unwrap();
        let mut ok = client.read_packet().unwrap().payload;
        let id = ok[1..5].to_vec();
        // MariaDB numbers the statements of all connections in one sequence.
        ok[1..5].fill(0);
        let mut statement = Self { client, id, answers: vec![ok] };
        // A parameter, EOF, four columns, EOF.
        statement.read(2 + 5);
        statement
    }

    fn read(&mut self, packets: usize) {
        for _ in 0..packets {
            self.answers.push(self.client.read_packet().unwrap().payload);
        }
    }

    fn send(&mut self, command: u8, rest: &[u8]) {
        let payload = [&[command], self.id.as_slice(), rest].concat();
        self.client.send_packet(0, &payload).unwrap();
    }

    /// `cursor`: without rows. The parameter comes as long data, or here.
    fn execute(&mut self, cursor: bool, parameter: &[u8]) {
        self.send(EXECUTE, &[&[cursor.into()], PARAMETER, parameter].concat());
        // Count, columns, EOF; rows, EOF.
        self.read(if cursor { 6 } else { 6 + 6 });
    }

    /// Asks for `rows` rows, of which so many are there.
    fn fetch(&mut self, rows: u8, there: usize) {
        self.send(FETCH, &[rows, 0, 0, 0]);
        self.read(there + 1);
    }
}

/// Every command there is.
fn session(client: &mut RawClient) -> Vec<Vec<u8>> {
    let mut statement = Statement::prepare(client, SELECT);
    statement.send(SEND_LONG_DATA, b"\0\0long ");
    statement.send(SEND_LONG_DATA, b"\0\0data");
    statement.execute(false, b"");
    statement.execute(true, b"\x03abc");
    statement.fetch(2, 2);
    statement.fetch(9, 3);
    statement.send(RESET, b"");
    statement.read(1);
    statement.send(FETCH, &[1, 0, 0, 0]);
    let refused = statement.client.expect_err();
    assert_eq!(refused.code, NO_OPEN_CURSOR, "{refused:?}");
    statement.execute(true, b"\x01x");
    statement.fetch(5, 5);
    let answers = std::mem::take(&mut statement.answers);
    statement.send(CLOSE, b"");
    assert_in_step(client);
    answers
}

/// `SELECT` by the wish of a script: what becomes of each command.
fn same_as_direct_through(script: &str) -> Host {
    let host = Host::with_script(script);
    let mut client = host.client();
    let through = session(&mut client);
    let expected = session(&mut direct());
    assert_eq!(through.len(), expected.len());
    for (number, (through, direct)) in through.iter().zip(expected).enumerate() {
        let shown = (through.escape_ascii().to_string(), direct.escape_ascii().to_string());
        assert!(*through == direct, "packet {number}: {} instead of {}", shown.0, shown.1);
    }
    host
}

#[test]
fn every_command_is_seen() {
    let host = same_as_direct_through(
        r#"
        def read_query(proxy, packet):
            print(packet[0], flush=True)
        "#,
    );
    let session = "22\n24\n24\n23\n23\n28\n28\n26\n28\n23\n28\n25\n3\n";
    host.wait_for_stdout(session);
}

#[test]
fn every_command_can_be_queued() {
    same_as_direct_through(
        r#"
        def read_query(proxy, packet):
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY
        "#,
    );
}

#[test]
fn queries_injected_between_the_commands_disturb_nothing() {
    let host = same_as_direct_through(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_QUIT:
                return None
            proxy.queries.append(1, b"\x03SELECT 'before'", resultset_is_needed=True)
            proxy.queries.append(2, packet, resultset_is_needed=True)
            proxy.queries.append(3, b"\x03SELECT 'behind'", resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            if inj.id != 2:
                print(inj.resultset.rows[0][0], flush=True)
                return proxy.PROXY_IGNORE_RESULT
        "#,
    );
    // Thirteen commands, the last of them a query.
    // The last query is answered by its own result: what was queued behind it ends a moment later.
    host.wait_for_stdout(&"before\nbehind\n".repeat(13));
}

/// A script that reads what FETCH brings; `queued` says which commands it queues for that.
fn reading(queued: &str, answer: &str) -> String {
    format!(
        r#"
def read_query(proxy, packet):
    if packet[0] in ({queued}):
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    result = inj.resultset
    if inj.query[0] != proxy.COM_STMT_FETCH:
        return
    if result.fields is None:
        print(result.query_status, flush=True)
        return
    print([field.name for field in result.fields][:2], [row[:2] for row in result.rows], flush=True)
    print({{row[2:] for row in result.rows}}, len(result.rows), flush=True)
    {answer}
"#
    )
}

const ROWS: &str = "\
['seq', '?'] [(1, 'abc'), (2, 'abc')]
{(datetime.date(2024, 2, 29), None)} 2
['seq', '?'] [(3, 'abc'), (4, 'abc'), (5, 'abc')]
{(datetime.date(2024, 2, 29), None)} 3
255
['seq', '?'] [(1, 'x'), (2, 'x'), (3, 'x'), (4, 'x'), (5, 'x')]
{(datetime.date(2024, 2, 29), None)} 5
";

#[test]
fn rows_of_a_cursor_have_the_columns_of_the_execution() {
    // The execution itself may have gone its way without the script, or through it.
    for queued in ["proxy.COM_STMT_FETCH,", "proxy.COM_STMT_FETCH, proxy.COM_STMT_EXECUTE"] {
        let host = same_as_direct_through(&reading(queued, "pass"));
        assert_eq!(host.stdout(), ROWS);
    }
}

#[test]
fn rows_of_a_cursor_are_replaced() {
    let back = r#"proxy.response = {"type": 0, "resultset": {"fields": result.fields, "rows": result.rows}}
    return proxy.PROXY_SEND_RESULT"#;
    // The end of the rows, too: with the status that tells the client whether to go on.
    let host = same_as_direct_through(&reading("proxy.COM_STMT_FETCH,", back));
    assert_eq!(host.stdout(), ROWS);
}

#[test]
fn a_script_answers_a_fetch_without_the_server() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_STMT_FETCH:
                resultset = {"fields": [("a", proxy.MYSQL_TYPE_TINY)], "rows": [[7], [None]]}
                proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": resultset}
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.client();
    let mut statement = Statement::prepare(&mut client, SELECT);
    statement.execute(true, b"\x03abc");
    statement.answers.clear();
    statement.fetch(9, 2);
    // Autocommit, a cursor, the last row was sent.
    assert_eq!(statement.answers, [&b"\0\0\x07"[..], b"\0\x04", b"\xfe\0\0\xc2\0"]);
    assert_in_step(&mut client);
}

#[test]
fn a_cursor_streams() {
    let host = Host::with_script("def read_query_result(proxy, inj): pass");
    let mut client = host.client();
    let sql = b"SELECT seq, REPEAT('x', 10000), ?, 1 FROM test.seq_1_to_20000";
    let mut statement = Statement::prepare(&mut client, sql);
    statement.execute(true, b"\x03abc");
    let before = host.rss_peak_kib();
    for _ in 0..200 {
        statement.fetch(100, 100);
        statement.answers.clear();
    }
    let grown = host.rss_peak_kib() - before;
    assert!(grown < 30_000, "the host grew by {grown} KiB for 200 MB");
}

#[test]
fn a_command_without_an_answer_gets_none_whatever_is_queued() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] in (proxy.COM_STMT_SEND_LONG_DATA, proxy.COM_STMT_CLOSE):
                proxy.queries.append(1, b"\x03SELECT 'streamed'")
                proxy.queries.append(2, b"\x03SELECT 'kept'", resultset_is_needed=True)
                proxy.queries.append(3, packet)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print(inj.id, inj.resultset.rows[0][0], flush=True)
        "#,
    );
    let mut client = host.client();
    let mut statement = Statement::prepare(&mut client, SELECT);
    statement.send(SEND_LONG_DATA, b"\0\0data");
    statement.answers.clear();
    statement.execute(false, b"");
    assert!(statement.answers[6].ends_with(b"\x04data\x04\xe8\x07\x02\x1d"), "the data arrived");
    statement.send(CLOSE, b"");
    statement.send(RESET, b"");
    assert!(statement.client.read_packet().unwrap().is_err(), "the statement is closed");
    assert_in_step(&mut client);
    assert_eq!(host.stdout(), "2 kept\n".repeat(2));
    host.wait_for_log("query 1 is not run: the client has its result already or expects none");
}
