//! SIGTERM: what is under way comes to its end within `pyproxy-drain-timeout`, and clients are told that there is no more.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use testkit::client::COM_QUERY;
use testkit::host::builder::Builder;
use testkit::mariadb::{PASSWORD, USER};
use testkit::proto::resultset;
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, MariaDb, RawClient, RawServer, eventually};

use crate::support::*;

/// ER_SERVER_SHUTDOWN.
const SHUTDOWN: u16 = 1053;

fn drains(timeout: impl ToString) -> Builder {
    Host::builder()
        .option("pyproxy-event-loop", "own")
        .option("pyproxy-drain-timeout", timeout.to_string())
}

fn at_mariadb(timeout: impl ToString) -> Builder {
    drains(timeout).backend(db())
}

/// For what is to end long before it.
const LONG: u64 = PATIENCE.as_secs() * 10;

/// The client is told that the proxy stops, by an ERR with this id, and the connection closes.
pub fn assert_told(client: &mut RawClient, id: u8) {
    let error = assert_err_and_close(client, id);
    assert_eq!(
        (error.code, error.sqlstate.as_deref(), &*error.message),
        (SHUTDOWN, Some("08S01"), "Server shutdown in progress")
    );
}

#[test]
fn who_is_idle_is_told_at_once_and_a_statement_finishes() {
    let host = at_mariadb(LONG).event_threads(2).start();
    let owner = lock("drain");
    let mut idle = [host.client(), host.client()];
    let mut busy = [host.client(), host.client()];
    assert_in_step(&mut idle[1]);
    wait_for_lock(&mut busy[0], "drain");
    wait_for_lock(&mut busy[1], "drain");
    host.signal(libc::SIGTERM);
    for client in &mut idle {
        assert_told(client, 0);
    }
    // The thread that accepts may be the last to hear of it.
    assert!(eventually(PATIENCE, || RawClient::connect(host.address()).is_err()));
    owner.quit();
    // One has the lock until it leaves, which is when its answer is there.
    let finish = |mut client: RawClient| {
        let answer = client.read_answer(1).unwrap().value();
        assert_told(&mut client, 0);
        answer
    };
    let answers = std::thread::scope(|scope| {
        busy.map(|client| scope.spawn(move || finish(client))).map(|client| client.join().unwrap())
    });
    assert_eq!(answers, ["1", "1"]);
    host.wait_for_end();
}

#[test]
fn a_transaction_comes_to_its_end() {
    for end in ["COMMIT", "ROLLBACK"] {
        let host = at_mariadb(LONG).start();
        let table = format!("test.drain_{}", end.to_lowercase());
        MariaDb::shared().query(&format!("CREATE TABLE {table} (a INT) ENGINE=InnoDB")).ok();
        let (mut client, mut idle) = (host.client(), host.client());
        client.query("BEGIN").unwrap().ok();
        client.query(&format!("INSERT INTO {table} VALUES (1)")).unwrap().ok();
        host.signal(libc::SIGTERM);
        assert_told(&mut idle, 0);
        client.query(&format!("INSERT INTO {table} VALUES (2)")).unwrap().ok();
        assert_eq!(client.query(&format!("SELECT COUNT(*) FROM {table}")).unwrap().value(), "2");
        client.query(end).unwrap().ok();
        assert_told(&mut client, 0);
        host.wait_for_end();
        let rows = MariaDb::shared().query(&format!("SELECT COUNT(*) FROM {table}")).value();
        assert_eq!(rows, if end == "COMMIT" { "2" } else { "0" });
    }
}

#[test]
fn behind_the_time_out_the_others_are_told() {
    let host = at_mariadb("0.5").start();
    let _lock = lock("drain-late");
    let mut in_transaction = host.client();
    in_transaction.query("BEGIN").unwrap().ok();
    let mut busy = host.client();
    let session = session_id(&mut busy);
    wait_for_lock(&mut busy, "drain-late");
    host.signal(libc::SIGTERM);
    assert_told(&mut in_transaction, 0);
    assert_told(&mut busy, 1);
    host.wait_for_end();
    assert!(eventually(PATIENCE, || state_of(&session).is_none()), "the session goes on");
}

#[test]
fn an_answer_that_has_begun_just_ends() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        let result = resultset::text_result(&["v"], &[], 2);
        conn.write_all(1, &result[..result.len() - 1])?;
        conn.read_to_close()
    });
    let host = drains("0.2").backend(server.address()).start();
    let mut client = host.client();
    client.send_command(COM_QUERY, b"SELECT").unwrap();
    assert_eq!(client.read_packet().unwrap().payload, [1]);
    host.signal(libc::SIGTERM);
    // The rest of what was sent, and nothing behind it.
    assert!(client.read_packet().is_ok() && client.read_packet().is_ok());
    client.expect_closed();
    host.wait_for_end();
}

#[test]
fn who_has_not_logged_in_is_told_at_once() {
    let host = at_mariadb(LONG).start();
    let mut client = host.connect();
    client.read_handshake().unwrap();
    host.signal(libc::SIGTERM);
    assert_told(&mut client, 2);
    host.wait_for_end();
}

#[test]
fn who_has_not_said_who_it_is_is_sent_away() {
    let host = at_mariadb(LONG).option("pyproxy-proxy-protocol-from", "127.0.0.0/8").start();
    let mut silent = host.connect();
    let mut half = host.connect();
    half.send_bytes(b"PROXY TCP4 192.0.2.1 ").unwrap();
    host.signal(libc::SIGTERM);
    silent.expect_closed();
    half.expect_closed();
    host.wait_for_end();
}

#[test]
fn a_command_that_is_half_sent_is_answered() {
    let host = at_mariadb(LONG).start();
    let (mut client, mut idle) = (host.client(), host.client());
    let command = b"\x09\0\0\0\x03SELECT 7";
    let (first, second) = command.split_at(6);
    client.send_bytes(first).unwrap();
    // It is read before the other's answer is.
    assert_in_step(&mut idle);
    host.signal(libc::SIGTERM);
    assert_told(&mut idle, 0);
    client.send_bytes(second).unwrap();
    assert_eq!(client.read_answer(1).unwrap().value(), "7");
    assert_told(&mut client, 0);
    host.wait_for_end();
}

/// By default there are five seconds.
#[test]
fn a_statement_finishes_if_nothing_is_said() {
    let host = at_mariadb("").start();
    let mut client = host.client();
    let session = session_id(&mut client);
    client.send_command(COM_QUERY, b"SELECT SLEEP(1.5)").unwrap();
    assert!(eventually(PATIENCE, || state_of(&session).as_deref() == Some("User sleep")));
    host.signal(libc::SIGTERM);
    assert_eq!(client.read_answer(1).unwrap().value(), "0");
    assert_told(&mut client, 0);
    host.wait_for_end();
}

#[test]
fn without_clients_it_ends_at_once() {
    let host = at_mariadb(LONG).event_threads(2).start();
    assert_in_step(&mut host.client());
    host.stop();
}

#[test]
fn without_patience_a_statement_ends() {
    let host = at_mariadb(0).start();
    let _lock = lock("stop");
    let mut busy = host.client();
    let session = session_id(&mut busy);
    wait_for_lock(&mut busy, "stop");
    host.stop();
    assert_told(&mut busy, 1);
    assert!(eventually(PATIENCE, || state_of(&session).is_none()), "the session goes on");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (keepalive, signal) in
        [(false, libc::SIGTERM), (false, libc::SIGINT), (true, libc::SIGTERM)]
    {
        let mut builder = at_mariadb(LONG).script("def read_query(proxy, packet): pass");
        if keepalive {
            builder = builder.argument("--keepalive");
        }
        let host = builder.start();
        let name = format!("drain-twice-{keepalive}-{signal}");
        let _lock = lock(&name);
        let (mut busy, mut idle) = (host.client(), host.client());
        wait_for_lock(&mut busy, &name);
        host.signal(libc::SIGTERM);
        assert_told(&mut idle, 0);
        host.signal_group(signal);
        assert_eq!(host.any_end().status.code(), Some(1));
        busy.expect_closed();
    }
}

#[test]
fn a_waiting_hook_has_its_time_and_its_client_is_told() {
    let script = "
        import asyncio

        async def read_query(proxy, packet):
            if b'wait' in packet:
                print('waits', flush=True)
                await asyncio.sleep(1000)
        ";
    let host = at_mariadb("0.2").script(script).start();
    let mut client = host.client();
    client.send_command(COM_QUERY, b"SELECT 'wait'").unwrap();
    host.wait_for_stdout("waits");
    host.signal(libc::SIGTERM);
    assert_told(&mut client, 1);
    host.wait_for_end();
}

/// What is in the client's socket when it asks for something is the answer.
#[test]
fn a_real_client_understands() {
    let host = at_mariadb(LONG).start();
    let mut client = Command::new("mariadb")
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--unbuffered", "--force"])
        .args(["--skip-reconnect", "--skip-column-names", "--batch", "--skip-ssl"])
        .arg(format!("--port={}", host.address().port()))
        .args([format!("--user={USER}"), format!("--password={PASSWORD}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"SELECT 'first';\n").unwrap();
    let mut first = [0; 6];
    client.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first\n");
    host.stop();
    input.write_all(b"SELECT 'second';\n").unwrap();
    drop(input);
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("ERROR 1053") && said.contains("Server shutdown in progress"), "{said}");
}
