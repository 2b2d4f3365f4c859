//! What only the plugin's own loop does: it watches both sides at once, and moves bytes while a hook runs.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::client::COM_QUERY;
use testkit::host::builder::Builder;
use testkit::proto::resultset;
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, MariaDb, RawClient, RawServer, eventually};

use crate::support::*;

fn own_loop() -> Builder {
    Host::builder().option("pyproxy-event-loop", "own")
}

fn at_mariadb() -> Builder {
    own_loop().backend(db())
}

#[test]
fn a_client_that_leaves_during_a_statement_takes_its_session_along() {
    let host = at_mariadb().with_counters().start();
    let _lock = lock("leaves");
    for leave in [drop, RawClient::abort] {
        let mut client = host.client();
        let session = session_id(&mut client);
        wait_for_lock(&mut client, "leaves");
        leave(client);
        host.wait_for_clients(&[0]);
        assert!(eventually(PATIENCE, || state_of(&session).is_none()), "the session goes on");
    }
}

#[test]
fn a_session_that_the_server_kills_while_it_is_idle_is_closed_at_once() {
    let host = at_mariadb().with_counters().start();
    let mut client = host.client();
    let session = session_id(&mut client);
    MariaDb::shared().query(&format!("KILL {session}")).ok();
    // The server may say why.
    let rest = client.read_to_close();
    assert!(rest.is_empty() || rest[4] == 0xff, "{}", rest.escape_ascii());
    host.wait_for_clients(&[0]);
}

#[test]
fn the_last_words_of_a_server_reach_the_idle_client() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        conn.write_all(1, &resultset::one_cell("v", "served"))?;
        // As MySQL does since 8.0.24.
        conn.err(
            0,
            4031,
            "HY000",
            "The client was disconnected by the server because of inactivity.",
        )?;
        Ok(())
    });
    let host = own_loop().backend(server.address()).start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "served");
    assert_eq!(client.expect_err().code, 4031);
    client.expect_closed();
}

/// A value of `/proc/PID/status`, in KiB.
fn memory(host: &Host, value: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", host.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(value)).unwrap();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap()
}

#[test]
fn a_result_that_the_client_does_not_read_stays_at_the_server() {
    const ROW: usize = 64 << 10;
    const ROWS: usize = 8 << 10;
    const BOUND_KIB: usize = 64 << 10;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        if conn.number() > 0 {
            return conn.serve(|_| resultset::one_cell("v", "other"));
        }
        conn.read()?;
        let result = resultset::text_result(&["v"], &[], 2);
        let mut id = conn.write_all(1, &result[..result.len() - 1])?;
        let row = resultset::row(&[Some(&[b'x'; ROW])]);
        for _ in 0..ROWS {
            id = conn.write(id, &row)?;
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    let host = own_loop().backend(server.address()).start();
    let mut client = host.client();
    let before = memory(&host, "VmRSS");
    client.send_command(COM_QUERY, b"SELECT").unwrap();
    // The other's queries are turns of the loop in which it could read more for the first one.
    let mut other = host.client();
    let mut count = 0;
    loop {
        for _ in 0..200 {
            assert_eq!(other.query("SELECT 1").unwrap().value(), "other");
        }
        let now = sent.load(Ordering::SeqCst);
        if now > 0 && now == count {
            break;
        }
        count = now;
    }
    assert!(count < ROWS, "the server has sent all");
    let most = memory(&host, "VmHWM");
    assert!(most < before + BOUND_KIB, "{before} KiB before, then {most}");
}

#[test]
fn event_threads_share_the_clients() {
    let script = "
        import threading

        def read_query(proxy, packet):
            print('thread', threading.get_native_id(), flush=True)
        ";
    let mut host = at_mariadb().event_threads(3).script(script).with_counters().start();
    let mut clients: Vec<_> = (0..6).map(|_| host.client()).collect();
    for client in &mut clients {
        assert_in_step(client);
    }
    let said = host.stdout();
    let threads: BTreeSet<_> = said.lines().filter(|line| line.starts_with("thread ")).collect();
    assert_eq!(threads.len(), 3, "{said}");
    drop(clients);
    host.wait_for_clients(&[0]);
    host.assert_serves();
}

#[test]
fn clients_come_by_ipv6() {
    let port = testkit::ports::free_port();
    let host = at_mariadb()
        .option("pyproxy-address", format!("[::1]:{port}"))
        // Said, so that the test does not wait for a port of IPv4.
        .option("no-pyproxy", "false")
        .script("def read_query(proxy, packet): print(proxy.connection.client.src.address)")
        .start();
    let mut client = None;
    let came = eventually(PATIENCE, || {
        client = RawClient::login(([0, 0, 0, 0, 0, 0, 0, 1], port).into(), &MariaDb::user()).ok();
        client.is_some()
    });
    assert!(came, "{}", host.log());
    assert_in_step(&mut client.unwrap());
    host.wait_for_stdout("::1\n");
}

#[test]
fn a_hook_that_takes_long_holds_up_no_bytes_of_another_thread() {
    let script = "
        import os, time

        def read_query(proxy, packet):
            if packet[1:] == b'wait':
                print('it waits', flush=True)
                while not os.path.exists(os.path.dirname(__file__) + '/go_on'):
                    time.sleep(0.01)
                proxy.response.type = proxy.MYSQLD_PACKET_OK
                return proxy.PROXY_SEND_RESULT
        ";
    let host = at_mariadb().event_threads(2).script(script).start();
    let mut slow = host.client();
    let mut reader = host.client();
    let mut third = host.client();
    // More than the sockets' buffers and the proxy's take: the rest is moved while the hook runs.
    let sql = "SELECT REPEAT('x', 65536) FROM test.seq_1_to_1000";
    reader.send_command(COM_QUERY, sql.as_bytes()).unwrap();
    assert_eq!(reader.read_packet().unwrap().payload, [1]);
    slow.send_command(COM_QUERY, b"wait").unwrap();
    host.wait_for_stdout("it waits");
    third.send_command(COM_QUERY, b"SELECT 3").unwrap();
    let mut rows = 0;
    loop {
        let packet = reader.read_packet().unwrap();
        if packet.payload.len() > 65536 {
            rows += 1;
        } else if rows > 0 {
            break;
        }
    }
    assert_eq!(rows, 1000);
    assert!(!host.file("go_on").exists());
    fs::write(host.file("go_on"), "").unwrap();
    assert_eq!(slow.read_packet().unwrap().payload[0], 0);
    assert_eq!(third.read_answer(1).unwrap().value(), "3");
}
