//! Peers that are silent or slow, and the three time-outs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use testkit::client::COM_QUERY;
use testkit::host::builder::Builder;
use testkit::wait::Gate;
use testkit::{Greeting, Host, MariaDb, RawServer};

use crate::support::*;

#[test]
fn mute_server_times_out() {
    let mute = RawServer::start(testkit::ServerConn::read_to_close);
    let host = Host::builder()
        .backend(mute.address())
        .option("pyproxy-read-timeout", "0.6")
        .with_counters()
        .start();
    let start = Instant::now();
    assert_err_and_close(&mut host.connect(), 0);
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(400), "the time-out is 0.6 s, waited {waited:?}");
    assert!(waited < Duration::from_secs(10), "the time-out is 0.6 s, waited {waited:?}");
    host.wait_for_clients(&[0]);
}

#[test]
fn login_that_the_server_does_not_read() {
    let gate = Arc::new(Gate::default());
    let reading = Arc::clone(&gate);
    let server = RawServer::start(move |conn| {
        conn.write(0, &Greeting::default().payload())?;
        reading.wait();
        Ok(())
    });
    let host = limited_login(Host::builder().backend(server.address())).start();
    let login = MariaDb::user().attribute("filling", &"x".repeat(60_000));
    let (mut client, _) = send_login(&host, &login);
    assert_err_and_close(&mut client, 2);
    gate.open();
}

/// Short limits for a login: the one of the loop of its own, which mysql-proxy's has not.
fn limited_login(builder: Builder) -> Builder {
    let name = match testkit::artifacts::event_loop().as_str() {
        "own" => "pyproxy-login-timeout",
        _ => "pyproxy-read-timeout",
    };
    builder.option(name, "0.6")
}

fn impatient(script: Option<&str>) -> Host {
    let builder = Host::builder().backend(db()).option("pyproxy-read-timeout", "0.6");
    let builder = limited_login(builder).with_counters();
    match script {
        Some(source) => builder.script(source).start(),
        None => builder.start(),
    }
}

#[test]
fn silent_and_idle_clients_are_closed() {
    let host = impatient(None);
    let start = Instant::now();
    let mut silent = host.connect();
    silent.read_handshake().unwrap();
    let mut idle = host.client();
    silent.read_to_close();
    idle.read_to_close();
    assert!(start.elapsed() >= Duration::from_millis(400), "the time-out is 0.6 s");
    host.wait_for_clients(&[0]);
}

#[test]
fn slow_query() {
    let host = impatient(None);
    let mut client = host.client();
    client.send_command(COM_QUERY, b"SELECT SLEEP(5)").unwrap();
    let packet = client.read_packet().unwrap();
    assert!(packet.is_err() && packet.id == 1, "{packet:?}");
    client.expect_closed();
    host.wait_for_clients(&[0]);
}
