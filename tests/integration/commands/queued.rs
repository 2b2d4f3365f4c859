//! A script that queues every command and keeps every result: what passes directly passes so, too.

use std::fs;

use testkit::client::handshake::parse_switch;
use testkit::client::{COM_QUERY, COM_QUIT};
use testkit::proto::resultset::one_cell;
use testkit::proto::scramble;
use testkit::{Greeting, Host, MariaDb, RawClient, RawServer};

use crate::support::*;

fn queueing_host() -> Host {
    Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY
        "#,
    )
}

#[test]
fn change_user() {
    let host = queueing_host();
    let mut client = host.client();
    client.send_packet(0, b"\x11u\0\x00test\0\x2d\0mysql_native_password\0").unwrap();
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (1, Some(0xfe)), "{switch:?}");
    let (_, data) = parse_switch(&switch.payload).unwrap();
    client.send_packet(2, &scramble::native(testkit::mariadb::PASSWORD, &data)).unwrap();
    let ok = client.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (3, Some(0)), "{ok:?}");
    assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "test");
    assert_in_step(&mut client);
}

/// Sends more long data at once than a socket takes, and returns the length that the server saw.
fn length_of_long_data(client: &mut RawClient, mebibytes: usize) -> Vec<u8> {
    client.send_packet(0, b"\x16SELECT CAST(LENGTH(?) AS CHAR)").unwrap();
    let prepared = client.read_packet().unwrap();
    let id = prepared.payload[1..5].to_vec();
    // One parameter and one column, each with an EOF behind it.
    for _ in 0..4 {
        client.read_packet().unwrap();
    }
    let long_data = [b"\x18".as_slice(), &id, b"\0\0", &vec![b'x'; 1 << 20]].concat();
    for _ in 0..mebibytes {
        client.send_packet(0, &long_data).unwrap();
    }
    let execute = [b"\x17".as_slice(), &id, b"\0\x01\0\0\0\0\x01\xfc\0"].concat();
    client.send_packet(0, &execute).unwrap();
    let answer: Vec<_> = (0..5).map(|_| client.read_packet().unwrap()).collect();
    answer[3].payload.clone()
}

#[test]
fn long_data() {
    let host = queueing_host();
    let mut client = host.client();
    let row = length_of_long_data(&mut client, 24);
    assert!(row.ends_with((24 << 20).to_string().as_bytes()), "{row:?}");
    assert_eq!(row, length_of_long_data(&mut direct(), 24));
    assert_in_step(&mut client);
}

/// Else the server counts an aborted client, and tells of it in its log.
#[test]
fn the_quit_of_a_client_that_left_at_once() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|_| one_cell("v", "waited"))
    });
    // While the first client waits, the proxy's only thread does not see that the other one says goodbye, and leaves.
    let script = r#"
        import os, time

        def read_query(proxy, packet):
            if packet[1:] == b"wait":
                print("it waits", flush=True)
                while not os.path.exists(os.path.dirname(__file__) + "/go_on"):
                    time.sleep(0.01)
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY
        "#;
    let host = Host::builder().backend(server.address()).script(script).start();
    let mut first = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    let mut second = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    first.send_command(COM_QUERY, b"wait").unwrap();
    host.wait_for_stdout("it waits");
    second.send_command(COM_QUIT, b"").unwrap();
    drop(second);
    fs::write(host.file("go_on"), "").unwrap();
    let seen = server.wait_until(|seen| seen[1].ended);
    assert_eq!(seen[1].commands(), [[COM_QUIT]]);
}
