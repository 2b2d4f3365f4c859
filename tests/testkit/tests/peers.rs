//! The scripted peers against each other and against a real MariaDB, without any proxy: what the
//! integration tests build on.

use std::thread;

use testkit::client::COM_QUERY;
use testkit::client::answer::Outcome;
use testkit::proto::{caps, resultset};
use testkit::{Greeting, Login, MariaDb, RawClient, RawServer, Relay, Unreachable};

#[test]
fn a_scripted_client_logs_in_to_a_real_server() {
    let db = MariaDb::shared();
    let login = MariaDb::user().database("test").attribute("program_name", "peers");
    let mut client = RawClient::login(db.address(), &login).unwrap();
    let answer = client.query("SELECT DATABASE(), NULL, 7").unwrap();
    assert_eq!(answer.text(), [["test", "NULL", "7"]]);
    assert_eq!(answer.packets.last().unwrap().id, 7, "count, 3 columns, EOF, row, EOF");
    client.quit();
}

#[test]
fn a_real_server_refuses_a_wrong_password() {
    let login = Login::new("u", "wrong");
    let error = RawClient::login(MariaDb::shared().address(), &login).unwrap_err();
    assert!(error.to_string().starts_with("1045 "), "{error}");
}

#[test]
fn root_needs_no_password() {
    let client = RawClient::login(MariaDb::shared().address(), &Login::new("root", "")).unwrap();
    client.quit();
}

#[test]
fn several_results_and_long_rows_are_read() {
    let mut client = RawClient::login(MariaDb::shared().address(), &MariaDb::user()).unwrap();
    let answer = client.query("SELECT 1; DO 0; SELECT * FROM nowhere.nothing").unwrap();
    assert!(matches!(answer.outcomes[..], [Outcome::Rows { .. }, Outcome::Ok(_), Outcome::Err(_)]));
    let long = client.query("SELECT REPEAT('x', 17000000)").unwrap();
    assert_eq!(long.value().len(), 17_000_000);
    client.quit();
}

#[test]
fn a_scripted_server_serves_a_scripted_client_and_records() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|_command| resultset::one_cell("a", "fake"))
    });
    let mut client = RawClient::login(server.address(), &Login::new("x", "y")).unwrap();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "fake");
    client.quit();
    let seen = server.wait_all_ended();
    assert_eq!(seen[0].commands(), [b"\x03SELECT 1".as_slice(), b"\x01"]);
}

#[test]
fn a_command_of_exactly_one_full_packet_is_closed_by_an_empty_one() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        assert_eq!(conn.read()?.payload.len(), 0xff_ffff);
        assert_eq!(conn.read()?.payload.len(), 0);
        conn.ok(2)?;
        Ok(())
    });
    let mut client = RawClient::login(server.address(), &Login::new("x", "y")).unwrap();
    let next_id = client.send_command(COM_QUERY, &vec![b' '; 0xff_fffe]).unwrap();
    assert_eq!(next_id, 2);
    client.read_answer(next_id).unwrap().ok();
}

#[test]
fn a_relay_records_and_cuts() {
    let relay = Relay::start(MariaDb::shared().address());
    let mut client = RawClient::login(relay.address(), &MariaDb::user()).unwrap();
    assert_eq!(client.query("SELECT 5").unwrap().value(), "5");
    client.quit();
    let passed = relay.wait_until(|all| all[0].proxy_ended);
    assert_eq!(passed[0].to_server.last().unwrap().payload, [1]);
    relay.cut_after_server_packets(1);
    let mut client = RawClient::connect(relay.address()).unwrap();
    client.read_handshake().unwrap();
    client.expect_closed();
}

#[test]
fn an_unreachable_address_neither_accepts_nor_refuses() {
    let limit = std::time::Duration::from_millis(500);
    let unreachable = Unreachable::new();
    let error = std::net::TcpStream::connect_timeout(&unreachable.address(), limit).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn a_server_of_its_own_stops_and_comes_back() {
    let mut db = MariaDb::start();
    db.query("CREATE TABLE test.kept (a INT)").ok();
    db.stop();
    assert!(RawClient::connect(db.address()).is_err());
    db.start_again();
    assert_eq!(db.query("SELECT COUNT(*) FROM test.kept").value(), "0");
    db.kill();
    db.start_again();
    assert_eq!(db.query("SELECT 1").value(), "1");
}

#[test]
fn tests_run_side_by_side_on_one_server() {
    let workers: Vec<_> = (0..8)
        .map(|number| {
            thread::spawn(move || MariaDb::shared().query(&format!("SELECT {number}")).value())
        })
        .collect();
    for (number, worker) in workers.into_iter().enumerate() {
        assert_eq!(worker.join().unwrap(), number.to_string());
    }
}

#[test]
fn capability_bits_are_sent_as_set() {
    let server = RawServer::start(|conn| conn.accept_login(&Greeting::default()).map(|_| ()));
    let login = Login::new("x", "y").with(caps::DEPRECATE_EOF).without(caps::LOCAL_FILES);
    RawClient::login(server.address(), &login).unwrap();
    let seen = server.wait_all_ended();
    let bits = u32::from_le_bytes(seen[0].packets[0].payload[..4].try_into().unwrap());
    assert_eq!(bits, login.capabilities());
}
