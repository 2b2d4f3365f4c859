//! Scripts that log a client in as somebody else: they ask the client again, replace the login, and
//! the pool keeps the users of servers apart.

use testkit::client::login::Login;
use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

#[test]
fn a_question_of_read_auth_comes_back_to_read_auth() {
    // The client proves its password with a method that the script cannot check, and is asked for another.
    let host = Host::builder()
        .backend(db())
        .script(
            r#"
            def read_auth(proxy):
                client, server = proxy.connection.client, proxy.connection.server
                print(client.auth_plugin_name, len(client.scrambled_password))
                print(client.username.encode() + b"\0" in client.login_packet)
                if client.auth_plugin_name != "mysql_native_password":
                    scramble = server.scramble_buffer[:20]
                    proxy.response.type = proxy.MYSQLD_PACKET_RAW
                    proxy.response.packets = b"\xfemysql_native_password\0" + scramble + b"\0"
                    return proxy.PROXY_SEND_RESULT
            "#,
        )
        .start();
    let login = MariaDb::user().method("caching_sha2_password").auth_data(b"sixteen bytes...");
    let mut client = RawClient::login(host.address(), &login).unwrap();
    assert_same_as_direct(&mut client, "SELECT CURRENT_USER()");
    assert_eq!(host.stdout(), "caching_sha2_password 16\nTrue\nmysql_native_password 20\nTrue\n");
}

#[test]
fn the_pool_knows_clients_by_the_user_they_are_on_servers() {
    let mut setup = direct();
    for user in ["mapped_low", "mapped_high"] {
        setup.query(&format!("DROP USER IF EXISTS {user}@'%'")).unwrap().ok();
        setup.query(&format!("CREATE USER {user}@'%'")).unwrap().ok();
    }
    let host = Host::builder()
        .backend(db())
        .script(
            r#"
            def read_auth(proxy):
                login = proxy.connection.client.login_packet
                if b"\x06mapped\x011" in login:
                    proxy.queries.append(1, login.replace(b"mapped_high\0", b"mapped_low\0"))
                    return proxy.PROXY_SEND_QUERY

            def read_query(proxy, packet):
                if packet[1:] == b"SWAP":
                    proxy.connection.backend_ndx = -1
                    proxy.connection.backend_ndx = 0
                    proxy.queries.append(1, b"\x03SELECT CURRENT_USER()")
                    return proxy.PROXY_SEND_QUERY
                if packet[0] == proxy.COM_QUIT:
                    proxy.response.type = proxy.MYSQLD_PACKET_OK
                    return proxy.PROXY_SEND_RESULT

            def disconnect_client(proxy):
                proxy.connection.backend_ndx = -1
                print("parked")
            "#,
        )
        .start();
    let login = Login::new("mapped_high", "");
    let real = RawClient::login(host.address(), &login).unwrap();
    real.quit();
    host.wait_for_stdout("parked\n");

    let login = login.attribute("mapped", "1");
    let mut mapped = RawClient::login(host.address(), &login).unwrap();
    let user = mapped.query("SELECT CURRENT_USER()").unwrap();
    assert_eq!(user.value(), "mapped_low@%");
    assert_eq!(mapped.query("SWAP").unwrap().value(), "mapped_low@%");
}
