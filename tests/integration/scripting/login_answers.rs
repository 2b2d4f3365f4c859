//! Every answer that a script may give before the first command (`docs/scripting.md#hooks`).

use testkit::proto::ok_err::parse_err;
use testkit::{Host, Login, MariaDb, Packet, RawClient};

use super::remote::{Remote, answering};
use crate::support::*;

/// Python source of a response, and the payload it is, before the handshake and after it.
const ERRORS: &[(&str, &[u8], &[u8])] = &[
    (
        "{'type': proxy.MYSQLD_PACKET_ERR, 'errmsg': 'no', 'errcode': 1142, 'sqlstate': '42000'}",
        b"\xff\x76\x04no",
        b"\xff\x76\x04#42000no",
    ),
    (
        "{'type': proxy.MYSQLD_PACKET_RAW, 'packets': [b'\\xff\\x76\\x04#42000raw']}",
        b"\xff\x76\x04#42000raw",
        b"\xff\x76\x04#42000raw",
    ),
    (
        "{'type': proxy.MYSQLD_PACKET_RAW, 'packets': b'\\xff\\x76\\x04old'}",
        b"\xff\x76\x04old",
        b"\xff\x76\x04old",
    ),
];

fn sending(response: &str) -> String {
    format!("proxy.response = {response}\nreturn proxy.PROXY_SEND_RESULT")
}

/// A client's way up to the first packet that is an ERR, which ends the connection.
fn refusal(host: &Host) -> Packet {
    let mut client = host.connect();
    let first = client.read_packet().unwrap();
    if first.is_err() {
        client.expect_closed();
        return first;
    }
    let handshake = testkit::client::handshake::Handshake::parse(&first.payload).unwrap();
    client.send_packet(1, &MariaDb::user().payload(&handshake)).unwrap();
    let reply = client.read_packet().unwrap();
    client.expect_closed();
    reply
}

#[test]
fn errors_from_every_login_hook() {
    let mut remote = Remote::start();
    for (hook, id) in
        [("connect_server", 0), ("read_handshake", 0), ("read_auth", 2), ("read_auth_result", 2)]
    {
        for (response, before, after) in ERRORS {
            remote.plan(hook, &sending(response));
            let packet = refusal(&remote.host);
            let expected = if id == 0 { before } else { after };
            assert_eq!(packet, Packet { id, payload: expected.to_vec() }, "{hook}: {response}");
            remote.forget();
        }
        assert_in_step(&mut remote.host.client());
    }
    assert_eq!(remote.host.criticals(), Vec::<String>::new());
}

#[test]
fn read_handshake_sends_anything_and_closes() {
    let mut remote = Remote::start();
    for response in ["{'type': 0}", "{'type': 250, 'packets': ['one', b'two']}"] {
        remote.plan("read_handshake", &sending(response));
        let mut client = remote.host.connect();
        assert_eq!(client.read_packet().unwrap().id, 0);
        client.read_to_close();
        remote.forget();
    }
    assert_in_step(&mut remote.host.client());
}

#[test]
fn a_login_answered_with_ok_leaves_no_server() {
    let mut remote = Remote::start();
    for response in
        ["{'type': 0, 'affected_rows': 5}", "{'type': 250, 'packets': [b'\\0\\5\\0\\2\\0\\0\\0']}"]
    {
        remote.plan("read_auth", &sending(response));
        remote.plan(
            "read_query",
            &format!(
                "if b'ask' in argument:\n    {}",
                answering("proxy.connection.server").replace('\n', "\n    ")
            ),
        );
        let wrong = Login::new("nobody", "wrong");
        let mut client = RawClient::connect(remote.host.address()).unwrap();
        let handshake = client.read_handshake().unwrap();
        let id = client.send_packet(1, &wrong.payload(&handshake)).unwrap();
        assert_eq!(client.finish_login(&wrong, id).unwrap().affected_rows, 5);
        assert_eq!(client.query("ask").unwrap().value(), "None");
        // What needs a server is answered, and the connection stays open.
        assert_eq!(client.query("SELECT 1").unwrap().err().code, ER_UNKNOWN_ERROR);
        assert_eq!(client.query("ask").unwrap().value(), "None");
        remote.forget();
    }
}

#[test]
fn read_auth_result_replaces_the_answer_of_the_server() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    let mut remote = Remote::start();
    remote.plan("read_auth_result", &sending("{'type': 0, 'affected_rows': 7}"));
    let mut client = remote.host.connect();
    let login = MariaDb::user();
    let handshake = client.read_handshake().unwrap();
    let id = client.send_packet(1, &login.payload(&handshake)).unwrap();
    assert_eq!(client.finish_login(&login, id).unwrap().affected_rows, 7);
    // The server let it in as well.
    assert_in_step(&mut client);
}

#[test]
fn the_first_queued_packet_replaces_the_login() {
    let server = testkit::RawServer::start(|conn| {
        conn.accept_login(&testkit::Greeting::default())?;
        conn.read_to_close()
    });
    let host = Host::builder()
        .backend(server.address())
        .script(
            r#"
            def read_auth(proxy):
                login = bytearray(32)
                login[0:4] = (0x0008a201).to_bytes(4, "little")
                proxy.queries.append(1, bytes(login) + b"other\0\0mysql_native_password\0")
                proxy.queries.append(2, b"never sent")
                return proxy.PROXY_SEND_QUERY

            def read_query(proxy, packet):
                print("left", len(proxy.queries))
            "#,
        )
        .start();
    let mut client = host.client();
    client.send_command(3, b"SELECT 1").unwrap();
    host.wait_for_stdout("left 0\n");
    drop(client);
    let seen = server.wait_until(|all| all[0].packets.len() == 2);
    let user = b"other\0";
    assert_eq!(&seen[0].packets[0].payload[32..38], user);
    assert_eq!(seen[0].packets[1].payload, b"\x03SELECT 1");
}

#[test]
fn wrong_use_of_a_replaced_login() {
    let mut remote = Remote::start();
    // Nothing queued: the login goes on as it is, with a warning.
    remote.plan("read_auth", "return proxy.PROXY_SEND_QUERY");
    assert_in_step(&mut remote.host.client());
    remote.host.wait_for_log("read_auth returned PROXY_SEND_QUERY but queued nothing");
    // Queued but not sent.
    remote.plan("read_auth", "proxy.queries.append(1, b'x')");
    assert_in_step(&mut remote.host.client());
    remote.host.wait_for_log("read_auth queued packets but did not return PROXY_SEND_QUERY");
    // No login at all.
    remote.plan("read_auth", "proxy.queries.append(1, b'x')\nreturn proxy.PROXY_SEND_QUERY");
    let packet = refusal(&remote.host);
    assert_script_error(&parse_err(&packet.payload).unwrap(), "read_auth");
}

#[test]
fn backend_ndx_in_the_login_hooks() {
    let mut remote = Remote::start();
    for ndx in ["-1", "0"] {
        remote.plan("read_handshake", &format!("proxy.connection.backend_ndx = {ndx}"));
        let packet = refusal(&remote.host);
        let error = parse_err(&packet.payload).unwrap();
        assert!(error.message.contains("read_handshake failed"), "{error:?}");
        remote.forget();
    }
    // In connect_server and read_auth it chooses, also what there is none of.
    for ndx in ["-1", "0"] {
        remote.plan("read_auth", &format!("proxy.connection.backend_ndx = {ndx}"));
        assert_in_step(&mut remote.host.client());
    }
    remote.plan("read_auth", "proxy.connection.backend_ndx = 5");
    let packet = refusal(&remote.host);
    assert_eq!(parse_err(&packet.payload).unwrap().message, "pyproxy: there is no backend 5");
    remote.forget();
    remote.plan("connect_server", "proxy.connection.backend_ndx = 0");
    assert_in_step(&mut remote.host.client());
    remote.plan("connect_server", "proxy.connection.backend_ndx = 5");
    let packet = refusal(&remote.host);
    assert_eq!(parse_err(&packet.payload).unwrap().message, "(proxy) all backends are down");
}

#[test]
fn ignoring_in_connect_server_without_a_pooled_connection_connects() {
    let mut remote = Remote::start();
    remote.plan("connect_server", "return proxy.PROXY_IGNORE_RESULT");
    remote.plan("disconnect_client", "return proxy.PROXY_IGNORE_RESULT");
    let mut client = remote.host.client();
    assert_in_step(&mut client);
    client.quit();
    assert_in_step(&mut remote.host.client());
    assert_eq!(remote.host.criticals(), Vec::<String>::new());
}
