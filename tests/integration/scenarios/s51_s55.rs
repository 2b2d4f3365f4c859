//! Scenarios 51 to 55: odd PREPARE answers, long packets, unknown commands, COM_CHANGE_USER.

use testkit::proto::{ok_err, resultset, scramble};
use testkit::{Greeting, Host, MariaDb, RawClient, RawServer};

use crate::support::*;

const FULL: usize = 0xff_ffff;

/// PREPARE is answered with these packets; the client gets an ERR, a close, or just them.
fn assert_odd_prepare(payloads: Vec<Vec<u8>>) {
    let sent = payloads.clone();
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|command| match command[0] {
            0x16 => sent.clone(),
            _ => resultset::one_cell("v", "next"),
        })
    });
    let mut host = Host::plain(server.address());
    let mut client = host.client();
    client.send_command(0x16, b"SELECT 1").unwrap();
    let first = client.read_packet();
    match first {
        Ok(packet) if packet.is_err() => {}
        Ok(packet) => {
            assert_eq!(packet.payload, payloads[0], "forwarded as it is");
            for payload in &payloads[1..] {
                assert_eq!(&client.read_packet().unwrap().payload, payload);
            }
            assert_eq!(client.query("SELECT 1").unwrap().value(), "next");
        }
        Err(error) => panic!("closed or silent: {error}"),
    }
    assert!(host.is_alive());
    let mut other = host.client();
    assert_eq!(other.query("SELECT 1").unwrap().value(), "next");
}

fn prepare_ok(columns: u8) -> Vec<u8> {
    vec![0, 1, 0, 0, 0, columns, 0, 0, 0, 0, 0, 0]
}

#[test]
fn s51_prepare_ok_of_13_bytes() {
    assert_odd_prepare(vec![[prepare_ok(0), vec![1]].concat()]);
}

#[test]
fn s51_prepare_with_empty_catalog() {
    let mut column = resultset::column("a");
    column.splice(..4, [0]);
    assert_odd_prepare(vec![prepare_ok(1), column, ok_err::eof(2)]);
}

#[test]
fn s51_prepare_with_unknown_first_byte() {
    assert_odd_prepare(vec![vec![5, 1, 2, 3]]);
}

#[test]
fn s52_commands_of_more_than_one_packet() {
    let host = Host::plain(db());
    let mut client = host.client();
    for (length, packets) in [(17_000_000, 2), (FULL, 2), (FULL + 1, 2), (2 * FULL, 3)] {
        let head = "\x03SELECT LENGTH('";
        let fill = length - head.len() - 2;
        let next_id =
            client.send_packet(0, format!("{head}{}')", "x".repeat(fill)).as_bytes()).unwrap();
        assert_eq!(next_id, packets);
        assert_eq!(client.read_answer(next_id).unwrap().value(), fill.to_string());
        assert_in_step(&mut client);
    }
}

#[test]
fn s52_server_that_reads_slowly() {
    // The host's writes end at places of the kernel's choice, among them chunk boundaries.
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        let mut lengths = Vec::new();
        for _ in 0..2 {
            std::thread::sleep(std::time::Duration::from_millis(200));
            lengths.push(conn.read()?.payload.len());
        }
        conn.write_all(2, &resultset::one_cell("v", &format!("{lengths:?}")))?;
        conn.serve(|_| resultset::one_cell("v", "next"))
    });
    let host = Host::plain(server.address());
    let mut client = host.client();
    // Text that would be taken for commands if a chunk were parsed as one.
    let text = "\x01\x0e\x19\x11".repeat(4_300_000);
    let next_id = client.send_command(3, text.as_bytes()).unwrap();
    let expected = format!("[{FULL}, {}]", text.len() + 1 - FULL);
    assert_eq!(client.read_answer(next_id).unwrap().value(), expected);
    assert_eq!(client.query("SELECT 1").unwrap().value(), "next");
}

const ROW_OF_FF: &str = "SELECT REPEAT(x'ff', 18000000), 1";

#[test]
fn s53_long_row_whose_second_packet_looks_like_err() {
    let host = Host::plain(db());
    let mut client = host.client();
    let answer = assert_same_as_direct(&mut client, ROW_OF_FF);
    assert_eq!(answer.packets.len(), 7, "count, 2 columns, EOF, 2 parts of the row, EOF");
    assert_in_step(&mut client);
}

#[test]
fn s53_long_row_buffered() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"REPEAT" in packet:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print("rows", inj.resultset.row_count, flush=True)
        "#,
    );
    let mut client = host.client();
    assert_same_as_direct(&mut client, ROW_OF_FF);
    assert_in_step(&mut client);
    host.wait_for_stdout("rows 1");
}

#[test]
fn s54_unusual_commands() {
    let host = Host::plain(db());
    let mut client = host.client();
    let mut straight = direct();
    for command in [0x1f, 0x05, 0x06, 0x1d, 99, 0x99, 0x00, 0x0b, 0x0d] {
        client.set_patience(std::time::Duration::from_secs(10));
        let through = client
            .simple(command, b"")
            .unwrap_or_else(|error| panic!("command {command:#x}: {error}"));
        let expected = straight.simple(command, b"").unwrap();
        assert_eq!(through, expected, "command {command:#x}");
        assert_in_step(&mut client);
    }
}

#[test]
fn s54_empty_packet() {
    let mut host = Host::plain(db());
    let mut client = host.client();
    client.send_packet(0, b"").unwrap();
    // An ERR before the close is as good.
    client.read_to_close();
    host.assert_serves();
}

/// COM_CHANGE_USER of the test user with a wrong scramble, so that the server asks anew.
fn change_user(client: &mut RawClient, password: &str) -> testkit::Packet {
    let payload = b"\x11u\0\x00test\0\x2d\0mysql_native_password\0";
    client.send_packet(0, payload).unwrap();
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (1, Some(0xfe)), "{switch:?}");
    let (_, data) = testkit::client::handshake::parse_switch(&switch.payload).unwrap();
    client.send_packet(2, &scramble::native(password, &data)).unwrap();
    client.read_packet().unwrap()
}

#[test]
fn s55_change_user() {
    let host = Host::plain(db());
    let mut client = host.client();
    for _ in 0..3 {
        let ok = change_user(&mut client, testkit::mariadb::PASSWORD);
        assert_eq!((ok.id, ok.kind()), (3, Some(0)), "{ok:?}");
        assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "test");
        assert_in_step(&mut client);
    }
}

#[test]
fn s55_change_user_with_wrong_password() {
    let host = Host::builder().backend(db()).with_counters().start();
    let mut client = host.login(&MariaDb::user());
    let error = change_user(&mut client, "wrong");
    assert!(error.id == 3 && error.is_err(), "{error:?}");
    // MariaDB goes on as the old user, so the plugin does.
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "u@%");
    assert_in_step(&mut client);
    client.quit();
    host.wait_for_clients(&[0]);
}
