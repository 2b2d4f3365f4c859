//! Compression: mirrored, on one side, and with TLS below it.

use testkit::Host;
use testkit::mariadb::{PASSWORD, USER};

use super::support::*;

const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
/// What is offered to clients.
const COMPRESS: u32 = 1 << 5;

/// The modes: what a client is offered, and whether the server compresses for a client that asks for it, or does not.
const MODES: [(&str, bool, [&str; 2]); 4] = [
    ("mirror", true, ["ON", "OFF"]),
    ("client", true, ["OFF", "OFF"]),
    ("server", false, ["ON", "ON"]),
    ("off", false, ["OFF", "OFF"]),
];

fn start(mode: &str) -> Host {
    proxy().option("pyproxy-compression", mode).event_threads(2).start()
}

#[test]
fn each_mode() {
    let sql = "SHOW SESSION STATUS LIKE 'Compression'; SELECT LENGTH(REPEAT('long', 100000))";
    for (mode, offered, [asked, not_asked]) in MODES {
        let host = start(mode);
        let handshake = host.connect().read_handshake().unwrap();
        assert_eq!(handshake.capabilities & COMPRESS != 0, offered, "{mode}");
        for tls in ["--ssl", "--skip-ssl"] {
            let run = |argument| {
                command_line(host.address(), &[tls, argument, "--execute", sql]).unwrap()
            };
            let expected = |state| format!("Compression\t{state}\n400000");
            assert_eq!(run("--compress"), expected(asked), "{mode}, {tls}");
            assert_eq!(run("--skip-compress"), expected(not_asked), "{mode}, {tls}");
        }
    }
}

#[test]
fn a_python_connector_with_compression() {
    // It compresses although it was not offered, and is refused in the other modes.
    for (mode, state) in [("mirror", "ON"), ("client", "OFF")] {
        let host = start(mode);
        for tls in [None, Some("--tls")] {
            let mut command = python_client("connector_compression.py");
            command.args([&host.address().port().to_string(), USER, PASSWORD]).args(tls);
            assert_eq!(said(command), Ok(format!("{state}\ndone")), "{mode}, {tls:?}");
        }
    }
}

#[test]
fn scripts_see_what_they_see_without() {
    let host = proxy()
        .script(
            r#"
            def read_query(proxy, packet):
                proxy.queries.append(1, packet.replace(b"rewritten", b"changed"), resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                if inj.resultset.rows:
                    print(*(len(row[0]) for row in inj.resultset.rows), flush=True)
            "#,
        )
        .start();
    let sql = "SELECT REPEAT('rewritten', 10000) UNION SELECT 'a'";
    let said = command_line(host.address(), &["--ssl", "--compress", "--execute", sql]).unwrap();
    assert_eq!(said, format!("{}\na", "changed".repeat(10000)));
    assert!(host.stdout().ends_with("70000 1\n"), "{}", host.stdout());
}

#[test]
fn commands_without_an_answer_that_the_server_takes_slowly() {
    // Long data goes out behind itself, before the server has taken all of it: each command begins frames of its own.
    let host = start("server");
    let mut client = host.client();
    client.send_command(COM_STMT_PREPARE, b"SELECT LENGTH(?)").unwrap();
    let prepared: Vec<_> = (0..5).map(|_| client.read_packet().unwrap()).collect();
    // The statement's number, and that of the parameter.
    let mut data = prepared[0].payload[1..5].to_vec();
    data.extend([0, 0]);
    data.resize(200_000, b'x');
    for _ in 0..100 {
        client.send_command(COM_STMT_SEND_LONG_DATA, &data).unwrap();
    }
    let answer = client.query("SELECT 'in step'").unwrap();
    assert_eq!(answer.value(), "in step");
}
