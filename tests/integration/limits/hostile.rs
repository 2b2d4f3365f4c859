//! Peers that do their worst: whoever else is there is served, and nothing of them stays.

use testkit::client::COM_QUERY;
use testkit::proto::{packet, resultset};
use testkit::{Greeting, Host, MariaDb, RawServer};

use super::*;
use crate::support::*;

fn host() -> Host {
    Host::builder()
        .backend(db())
        .with_counters()
        .event_threads(4)
        .option("pyproxy-login-timeout", "1.5")
        .start()
}

#[test]
fn a_hundred_half_logins() {
    let host = host();
    host.client().quit();
    host.wait_for_clients(&[0]);
    let fds = host.idle_fds();
    let mut halves: Vec<_> = (0..100)
        .map(|_| {
            let mut client = host.connect();
            client.read_handshake().unwrap();
            client.send_bytes(b"\x50").unwrap();
            client
        })
        .collect();
    let mut real = host.client();
    assert_in_step(&mut real);
    for half in &mut halves {
        assert_eq!(assert_err_and_close(half, 2).code, 1159);
    }
    drop(halves);
    assert_in_step(&mut real);
    real.quit();
    host.wait_for_clients(&[0]);
    host.wait_for_fds(fds);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn servers_that_hang_up_wherever_they_are() {
    let server = RawServer::start(|conn| {
        let state = conn.number() % 6;
        if state == 0 {
            return Ok(());
        }
        if state == 1 {
            let greeting = packet::frame(0, &Greeting::default().payload());
            return conn.write_bytes(&greeting[..20]);
        }
        conn.write(0, &Greeting::default().payload())?;
        if state == 2 {
            return Ok(());
        }
        conn.read()?;
        if state == 3 {
            return Ok(());
        }
        conn.ok(2)?;
        conn.read()?;
        if state == 5 {
            conn.write_all(1, &resultset::one_cell("v", "half")[..2])?;
        }
        Ok(())
    });
    let host = Host::builder().backend(server.address()).with_counters().start();
    host.wait_for_clients(&[0]);
    let fds = host.idle_fds();
    for _ in 0..24 {
        if let Ok(mut client) = log_in(host.connect(), &MariaDb::user()) {
            client.send_command(COM_QUERY, b"SELECT 1").unwrap();
            client.read_to_close();
        }
    }
    host.wait_for_clients(&[0]);
    host.wait_for_fds(fds);
}
