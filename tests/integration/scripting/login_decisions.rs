//! Scripts that decide during the login, with clients that ignore a refusal or leave.

use testkit::proto::ok_err;
use testkit::{Host, Login, MariaDb, Relay};

use crate::support::*;

#[test]
fn read_auth_refuses() {
    let host = Host::with_script(
        r#"
        def read_auth(proxy):
            proxy.response.type = proxy.MYSQLD_PACKET_ERR
            proxy.response.errmsg = "not you"
            proxy.response.errcode = 1045
            proxy.response.sqlstate = "28000"
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let (mut client, _) = send_login(&host, &MariaDb::user());
    // The client does not care for the refusal.
    client.send_packet(0, b"\x03CREATE TABLE test.refused_by_read_auth (a INT)").unwrap();
    expect_packet(&mut client, 2, &ok_err::err(1045, "28000", "not you"));
    client.expect_closed();
    let tables = MariaDb::shared().query("SHOW TABLES IN test LIKE 'refused_by_read_auth'").text();
    assert!(tables.is_empty(), "the query of a refused client was executed: {tables:?}");
}

const JUDGE: &str = r#"
    def read_auth_result(proxy, auth):
        if auth.packet[0] == 0:
            proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "closed today"}
        else:
            proxy.response = {"type": proxy.MYSQLD_PACKET_OK}
        return proxy.PROXY_SEND_RESULT
    "#;

#[test]
fn ok_of_the_server_becomes_err() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    let host = Host::with_script(JUDGE);
    let (mut client, _) = send_login(&host, &MariaDb::user());
    client.send_packet(0, b"\x03CREATE TABLE test.ok_became_err (a INT)").unwrap();
    assert_eq!(assert_err_and_close(&mut client, 2).message, "closed today");
    assert!(MariaDb::shared().query("SHOW TABLES IN test LIKE 'ok_became_err'").text().is_empty());
}

#[test]
fn err_of_the_server_becomes_ok() {
    let host = Host::with_script(JUDGE);
    let (mut client, _) = send_login(&host, &Login::new("u", "wrong"));
    let ok = client.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (2, Some(0)));
    // Logged in, but without a server: every command gets an ERR, and nothing closes.
    for _ in 0..2 {
        client.query("SELECT 1").unwrap().err();
    }
}

#[test]
fn script_without_backend() {
    let source = format!(
        r#"
GREETING = {greeting}

def connect_server(proxy):
    proxy.response = {{"type": proxy.MYSQLD_PACKET_RAW, "packets": GREETING}}
    return proxy.PROXY_SEND_RESULT

def read_query(proxy, packet):
    proxy.response.type = proxy.MYSQLD_PACKET_OK
    if packet.startswith(b"\x03SELECT"):
        proxy.response.resultset = {{
            "fields": [("who", proxy.MYSQL_TYPE_STRING), ("n", proxy.MYSQL_TYPE_LONG)],
            "rows": [("script", 1), (None, 2)],
        }}
    else:
        proxy.response.affected_rows = 3
        proxy.response.insert_id = 4
    return proxy.PROXY_SEND_RESULT
"#,
        greeting = python_greeting()
    );
    let host = Host::builder().backend(refusing()).script(&source).start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT x").unwrap().text(), [["script", "1"], ["NULL", "2"]]);
    let ok = client.query("INSERT x").unwrap().ok();
    assert_eq!((ok.affected_rows, ok.insert_id), (3, 4));
    assert_eq!(client.simple(testkit::client::COM_PING, b"").unwrap().kind(), Some(0));
}

#[test]
fn connect_server_refuses() {
    let mut host = Host::with_script(
        r#"
        import os

        def connect_server(proxy):
            if os.path.exists(os.path.join(os.path.dirname(__file__), "open")):
                return None
            proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "closed"}
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    for _ in 0..3 {
        let mut client = host.connect();
        let packet = client.read_packet().unwrap();
        assert!(packet.is_err() && packet.id == 0, "{packet:?}");
        assert_eq!(ok_err::parse_err(&packet.payload).unwrap().message, "closed");
        // The peer may have closed already.
        let _ = client.send_packet(1, &[0; 40]);
        client.read_to_close();
    }
    std::fs::write(host.file("open"), "").unwrap();
    host.assert_serves();
}

#[test]
fn connect_server_raises() {
    let mut host = Host::with_script(
        r#"
        refused = 0

        def connect_server(proxy):
            global refused
            if refused < 3:
                refused += 1
                raise RuntimeError("secret of the script")
        "#,
    );
    for _ in 0..3 {
        let mut client = host.connect();
        let packet = client.read_packet().unwrap();
        assert!(packet.is_err() && packet.id == 0, "{packet:?}");
        let message = ok_err::parse_err(&packet.payload).unwrap().message;
        assert_eq!(message, "pyproxy: connect_server failed, see the proxy log");
        let _ = client.send_packet(1, &[0; 40]);
        client.read_to_close();
    }
    host.assert_serves();
    assert!(host.log().contains("secret of the script"), "the traceback is in the log");
}

#[test]
fn read_auth_sends_another_login() {
    if MariaDb::lacks("mysql_native_password") {
        return;
    }
    let relay = Relay::start(db());
    // An empty password needs no scramble, so this login can be made up in advance.
    let greeting = testkit::Greeting::default().payload();
    let handshake = testkit::client::handshake::Handshake::parse(&greeting).unwrap();
    let login = Login::new("root", "").payload(&handshake);
    let source = format!(
        "
def read_auth(proxy):
    proxy.queries.append(1, {})
    return proxy.PROXY_SEND_QUERY
",
        python_bytes(&login)
    );
    let host = Host::builder().backend(relay.address()).script(&source).start();
    let mut client = host.login(&Login::new("nobody", "nothing"));
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "root@127.0.0.1");
    assert_eq!(relay.passed()[0].to_server[0].payload, login);
}

#[test]
fn client_leaves_during_login_and_the_script_parks() {
    let mut host = Host::with_script(
        r#"
        def disconnect_client(proxy):
            proxy.connection.backend_ndx = -1
        "#,
    );
    drop(host.connect());
    let base = host.idle_fds();
    for _ in 0..5 {
        drop(host.connect());
        let mut client = host.connect();
        client.read_handshake().unwrap();
        drop(client);
        let (mut client, _) = send_login(&host, &MariaDb::user().method("x").auth_data(&[]));
        assert_eq!(client.read_packet().unwrap().kind(), Some(0xfe));
        drop(client);
    }
    // A parked socket of a login that was not finished would stay open.
    host.wait_for_fds(base);
    assert!(host.is_alive());
    assert_eq!(host.client().query("SELECT 1").unwrap().value(), "1");
}
