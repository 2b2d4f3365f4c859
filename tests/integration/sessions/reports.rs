//! Servers that are asked for reports, and clients that read what they would read directly.

use testkit::client::{COM_PING, COM_QUERY};
use testkit::proto::caps;
use testkit::{Host, Login, MariaDb, RawClient};

use crate::support::*;

const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_FETCH: u8 = 0x1c;
const COM_FIELD_LIST: u8 = 0x04;
const COM_SET_OPTION: u8 = 0x1b;
const COM_INIT_DB: u8 = 0x02;
const COM_RESET_CONNECTION: u8 = 0x1f;

/// Scripts that track, and pass results on or keep them.
const TRACKING: &str = "
def init(proxy):
    proxy.globals.track_sessions = True
";
const KEEPING: &str = "
def init(proxy):
    proxy.globals.track_sessions = True


def read_query(proxy, packet):
    proxy.queries.append(1, packet, True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    return None
";

/// Everything that decides about the form of answers here.
fn logins() -> Vec<Login> {
    let plain = || MariaDb::user().without(caps::SESSION_TRACK | caps::DEPRECATE_EOF);
    let results = caps::MULTI_STATEMENTS | caps::MULTI_RESULTS | caps::PS_MULTI_RESULTS;
    [0, caps::DEPRECATE_EOF, caps::SESSION_TRACK, caps::SESSION_TRACK | caps::DEPRECATE_EOF]
        .map(|bits| plain().with(bits | results).database("test"))
        .into_iter()
        .collect()
}

/// Sends a command, and gives all that comes in answer: the answer to a COM_PING behind it begins with another 1.
fn exchange(client: &mut RawClient, command: u8, argument: &[u8]) -> Vec<Vec<u8>> {
    client.send_command(command, argument).unwrap();
    client.send_command(COM_PING, b"").unwrap();
    let mut payloads = Vec::new();
    loop {
        let packet = client.read_packet().unwrap();
        if packet.id == 1 && !payloads.is_empty() {
            return payloads;
        }
        payloads.push(packet.payload);
    }
}

/// Without what nobody reads: the status between columns and rows, which is that of the end for a server and not known to a proxy that
/// has not seen the end. And without the numbers of statements, which count all that the server ever prepared.
fn normalized(mut payloads: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut is_behind_column = false;
    for payload in &mut payloads {
        if is_behind_column && payload.len() == 5 && payload[0] == 0xfe {
            payload[3..].fill(0);
        }
        if payload.len() == 12 && payload[0] == 0 {
            payload[1..5].fill(0);
        }
        is_behind_column = payload.starts_with(b"\x03def");
    }
    payloads
}

fn check(script: &str, look: impl Fn(&mut RawClient) -> Vec<Vec<u8>>) {
    let host = Host::with_script(script);
    for login in logins() {
        let mut through = RawClient::login(host.address(), &login).unwrap();
        let mut straight = RawClient::login(db(), &login).unwrap();
        let (seen, expected) = (normalized(look(&mut through)), normalized(look(&mut straight)));
        assert_eq!(seen, expected, "capabilities {:x}", login.capabilities());
        assert_in_step(&mut RawClient::login(host.address(), &MariaDb::user()).unwrap());
    }
}

#[test]
fn queries_are_answered_as_directly() {
    let look = |client: &mut RawClient| {
        let statements = [
            "SELECT 1, 'x'",
            "SELECT seq FROM seq_1_to_3",
            "SELECT 1 WHERE FALSE",
            "SET sql_mode = ''",
            "SET time_zone = '+01:00'",
            "SET @user = 1",
            "SET character_set_results = latin1",
            "SELECT no_such_column",
            "SELECT (SELECT 1 UNION SELECT 2)",
            "SET autocommit = 0; SELECT 1; BEGIN; SELECT 2; COMMIT",
            "SELECT 1; no statement",
            "USE mysql",
            "DO 1",
        ];
        statements.iter().flat_map(|sql| exchange(client, COM_QUERY, sql.as_bytes())).collect()
    };
    check(TRACKING, look);
    check(KEEPING, look);
}

#[test]
fn statements_and_other_commands_are_answered_as_directly() {
    let look = |client: &mut RawClient| {
        // One parameter, a number; with and without a cursor.
        let execution =
            |flags| [255, 255, 255, 255, flags, 1, 0, 0, 0, 0, 1, 8, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        let commands: [(u8, &[u8]); 11] = [
            (COM_STMT_PREPARE, b"no statement"),
            (COM_STMT_PREPARE, b"SELECT 7, seq FROM seq_1_to_3 WHERE seq < ?"),
            (COM_STMT_EXECUTE, &execution(0)),
            (COM_STMT_EXECUTE, &execution(1)),
            (COM_STMT_FETCH, b"\xff\xff\xff\xff\x02\0\0\0"),
            (COM_STMT_FETCH, b"\xff\xff\xff\xff\x02\0\0\0"),
            (COM_STMT_PREPARE, b"DO 1"),
            (COM_SET_OPTION, b"\0\0"),
            (COM_INIT_DB, b"mysql"),
            (COM_FIELD_LIST, b"db\0Host"),
            (COM_RESET_CONNECTION, b""),
        ];
        commands
            .iter()
            .flat_map(|(command, argument)| exchange(client, *command, argument))
            .collect()
    };
    check(TRACKING, look);
}

#[test]
fn out_parameters_are_announced() {
    let procedure = "CREATE OR REPLACE PROCEDURE test.reported(OUT a INT) SET a = 5";
    MariaDb::shared().query(procedure).ok();
    check(TRACKING, |client| {
        let mut payloads = exchange(client, COM_STMT_PREPARE, b"CALL test.reported(?)");
        payloads.extend(exchange(
            client,
            COM_STMT_EXECUTE,
            &[255, 255, 255, 255, 0, 1, 0, 0, 0, 1, 1, 8, 0],
        ));
        payloads
    });
}

#[test]
fn a_script_sees_what_changed() {
    let script = r#"
        def init(proxy):
            proxy.globals.track_sessions = True


        def read_query(proxy, packet):
            if packet[0] == proxy.COM_QUERY:
                proxy.queries.append(1, packet)
                return proxy.PROXY_SEND_QUERY


        def read_query_result(proxy, inj):
            changes = inj.resultset.session_changes
            names = ",".join(sorted(changes.variables))
            print("changed:", changes.state, names, changes.schema, changes.transaction, changes.characteristics)
            print("tracked:", proxy.connection.server.session.is_tracked)
    "#;
    let host = Host::with_script(script);
    for login in logins() {
        let mut client = RawClient::login(host.address(), &login).unwrap();
        let seen = host.stdout().lines().count();
        let statements = [
            "SELECT 1",
            "SET time_zone = '+02:00'",
            "SET @a = 1",
            "USE mysql",
            "BEGIN",
            "SELECT 1 FROM mysql.db",
            "COMMIT",
            "SET TRANSACTION READ ONLY",
            "SELECT 2",
        ];
        for sql in statements {
            exchange(&mut client, COM_QUERY, sql.as_bytes());
        }
        host.wait_for_stdout("");
        let printed = host.stdout();
        let lines: Vec<_> =
            printed.lines().skip(seen).filter(|line| line.contains("changed:")).collect();
        let expected = [
            "changed: False  None None None",
            "changed: True time_zone None None None",
            "changed: True  None None None",
            "changed: True  mysql None None",
            "changed: False  None T_______ START TRANSACTION;",
            "changed: False  None Tr____S_ None",
            "changed: False  None ________ ",
            "changed: False  None None SET TRANSACTION READ ONLY;",
        ];
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.ends_with(expected), "{lines:#?}");
        }
        assert_eq!(lines.len(), statements.len(), "{printed}");
        assert!(!printed.contains("tracked: False"), "{printed}");
    }
}
