//! Query attributes of MySQL 8.0.23: a client that sends them, and a server that says what it got.

use std::process::Command;

use testkit::proto::{caps, ok_err, resultset};
use testkit::{Greeting, Host, Login, RawServer, python};

const QUERY: u8 = 0x03;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const PARAMETER_DEFINITION: &str = "?";

/// Queries and executions, with and without attributes, by a client that does the encoding.
const CLIENT: &str = r#"
import datetime, sys
import mysql.connector

connection = mysql.connector.connect(
    host="127.0.0.1", port=int(sys.argv[1]), user="u", password="p", use_pure=True, ssl_disabled=True,
    auth_plugin="mysql_native_password",
)
cursor = connection.cursor()
cursor.execute("DO 1")
cursor.add_attribute("text", "value")
cursor.add_attribute("number", -7)
cursor.add_attribute("float", 1.5)
cursor.add_attribute("time", datetime.datetime(2024, 2, 3, 4, 5, 6))
cursor.execute("DO 2")
cursor.execute("USE x")
cursor.clear_attributes()
prepared = connection.cursor(prepared=True)
for statement, values in [("DO 3", ()), ("DO %s", ("a",)), ("DO %s + %s", (b"b" * 20, 4))]:
    prepared.execute(statement, values)
    prepared.add_attribute("text", "value")
    prepared.execute(statement, values)
    prepared.clear_attributes()
connection.close()
"#;

const QUEUE_ALL: &str = r#"
def read_query(proxy, packet):
    print(proxy.command.name, packet, dict(proxy.command.attributes), flush=True)
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    print(inj.query, proxy.connection.client.default_db, flush=True)
"#;

/// A server with the capability. It knows nothing of statements but how many parameters they have.
fn server() -> RawServer {
    let greeting = Greeting::default().version("8.0.36").with(caps::QUERY_ATTRIBUTES);
    RawServer::start(move |conn| {
        conn.accept_login(&greeting)?;
        conn.serve(|command| match command[0] {
            PREPARE => {
                let params = command.iter().filter(|byte| **byte == b'?').count();
                let count = u8::try_from(params).unwrap();
                let mut answer = vec![vec![0, 1, 0, 0, 0, 0, 0, count, 0, 0, 0, 0]];
                if params > 0 {
                    answer.extend(vec![resultset::column(PARAMETER_DEFINITION); params]);
                    answer.push(ok_err::eof(caps::STATUS_AUTOCOMMIT));
                }
                answer
            }
            0x18 | 0x19 => Vec::new(),
            _ => vec![ok_err::plain_ok()],
        })
    })
}

/// What the server gets of the client: the commands that matter.
fn session(server: &RawServer, port: u16) -> Vec<Vec<u8>> {
    let output = Command::new(python::interpreter())
        .args(["-c", CLIENT, &port.to_string()])
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = server.wait_all_ended();
    let commands = seen.last().expect("a connection").commands();
    let matters = |command: &&&[u8]| matches!(command.first(), Some(&(QUERY | EXECUTE)));
    commands.iter().filter(matters).map(|command| command.to_vec()).collect()
}

#[test]
fn a_server_gets_them_as_directly() {
    let straight_server = server();
    let straight = session(&straight_server, straight_server.address().port());
    let carries = |name: &[u8]| straight.iter().any(|c| c.windows(name.len()).any(|w| w == name));
    assert!(carries(b"number") && straight.iter().any(|c| c[0] == EXECUTE), "{straight:?}");
    for script in [None, Some("def read_query(proxy, packet):\n    pass\n"), Some(QUEUE_ALL)] {
        let server = server();
        let host = match script {
            None => Host::plain(server.address()),
            Some(script) => Host::builder().script(script).backend(server.address()).start(),
        };
        assert_eq!(session(&server, host.address().port()), straight, "{script:?}");
    }
}

#[test]
fn a_script_sees_text_and_attributes() {
    let server = server();
    let host = Host::builder().script(QUEUE_ALL).backend(server.address()).start();
    session(&server, host.address().port());
    let printed = host.stdout();
    for line in [
        r"COM_QUERY b'\x03DO 1' {}",
        r"COM_QUERY b'\x03DO 2' {'text': b'value', 'number': -7, 'float': 1.5, 'time': datetime.datetime(2024, 2, 3, 4, 5, 6)}",
        r"b'\x03USE x' x",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    let with_value =
        |line: &&str| line.starts_with("COM_STMT_EXECUTE") && line.ends_with("{'text': b'value'}");
    assert_eq!(printed.lines().filter(with_value).count(), 3, "{printed}");
}

#[test]
fn a_changed_query_goes_without_them() {
    let server = server();
    let script = r#"
        def read_query(proxy, packet):
            if packet[:1] == b"\x03":
                proxy.queries.append(1, packet + b" -- changed")
                return proxy.PROXY_SEND_QUERY
        "#;
    let host = Host::builder().script(script).backend(server.address()).start();
    let login = Login::new("u", "p").with(caps::QUERY_ATTRIBUTES);
    let mut client = host.login(&login);
    client.send_command(QUERY, b"\x01\x01\0\x01\xfd\0\x01n\x01vDO 1").unwrap();
    client.read_answer(1).unwrap().ok();
    let refused = client.simple(QUERY, b"\0\x02DO 1").unwrap();
    assert!(refused.is_err() && refused.payload[1..3] == 1835_u16.to_le_bytes(), "{refused:?}");
    client.quit();
    let seen = server.wait_all_ended();
    assert_eq!(seen[0].commands()[0], b"\x03\0\x01DO 1 -- changed");
}

#[test]
fn a_client_may_do_without_and_a_server_may_not_have_them() {
    let server = server();
    let host = Host::builder().script(QUEUE_ALL).backend(server.address()).start();
    let mut client = host.login(&Login::new("u", "p"));
    client.query("DO 1").unwrap().ok();
    client.quit();
    assert_eq!(server.wait_all_ended()[0].commands()[0], b"\x03DO 1");
}
