//! Limits of clients, and of what they may send before they are logged in.

use std::io::ErrorKind;

use testkit::{Host, MariaDb, RawServer, eventually, wait::PATIENCE};

use super::*;
use crate::support::*;

#[test]
fn one_client_too_many() {
    let host =
        Host::builder().backend(db()).script(TELLING).option("pyproxy-max-connections", 2).start();
    let (mut first, second) = (host.client(), host.client());
    for _ in 0..3 {
        let mut third = host.connect();
        let error = assert_err_and_close(&mut third, 0);
        assert_eq!((error.code, error.message.as_str()), (1040, "Too many connections"));
    }
    assert_eq!(counted(&mut first, "refused_connections"), 3);
    assert_eq!(counted(&mut first, "connections"), 2);
    second.quit();
    assert_place_is_free(&host);
}

#[test]
fn one_too_many_of_an_address() {
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-proxy-protocol-from", "127.0.0.0/8")
        .option("pyproxy-max-connections-per-address", 1)
        .start();
    let mut first = log_in_behind(&host, &from("192.0.2.1")).unwrap();
    let refused = log_in_behind(&host, &from("192.0.2.1")).unwrap_err();
    assert_eq!(refused.to_string(), "1040 Too many connections");
    log_in_behind(&host, &from("192.0.2.2")).unwrap().quit();
    assert_in_step(&mut first);
    first.quit();
    let served = eventually(PATIENCE, || log_in_behind(&host, &from("192.0.2.1")).is_ok());
    assert!(served, "nobody gets the place that is free");
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn one_too_many_without_a_header() {
    let host =
        Host::builder().backend(db()).option("pyproxy-max-connections-per-address", 1).start();
    let first = host.client();
    assert_eq!(assert_err_and_close(&mut host.connect(), 0).code, 1040);
    first.quit();
    assert_place_is_free(&host);
}

#[test]
fn one_connection_too_many_of_a_user() {
    let host = Host::builder()
        .backend(db())
        .script(TELLING)
        .option("pyproxy-max-connections-per-user", 2)
        .start();
    let wrong = Login::new("u", "wrong");
    for _ in 0..3 {
        let refused = log_in(host.connect(), &wrong).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        assert!(refused.to_string().starts_with("1045 "), "{refused}");
    }
    let (first, mut second) = (host.client(), host.client());
    let refused = log_in(host.connect(), &MariaDb::user()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "1226 User 'u' has exceeded the 'pyproxy-max-connections-per-user' resource (current value: 2)"
    );
    assert_eq!(counted(&mut second, "refused_users"), 1);
    first.quit();
    let served = eventually(PATIENCE, || log_in(host.connect(), &MariaDb::user()).is_ok());
    assert!(served, "nobody gets the place that is free");
}

#[test]
fn a_login_has_an_end() {
    let host = Host::plain(db());
    host.client().quit();
    let peak = host.rss_peak_kib();
    let mut big = host.connect();
    big.read_handshake().unwrap();
    // 12 MB follow, says the header.
    big.send_bytes(&[0, 0, 0xb7, 1]).unwrap();
    let error = assert_err_and_close(&mut big, 2);
    assert_eq!((error.code, error.message.as_str()), (1043, "Bad handshake: too long"));
    assert!(host.rss_peak_kib() < peak + 4096, "{peak} KiB became {}", host.rss_peak_kib());
    let login = MariaDb::user().attribute("long", &"x".repeat(60_000));
    host.login(&login).quit();
}

/// What a client sends while an answer is under way stays where it is.
#[test]
fn what_is_sent_unasked_is_not_read() {
    let (gate, waits) = {
        let gate = std::sync::Arc::new(testkit::wait::Gate::default());
        (gate.clone(), gate)
    };
    let server = RawServer::start(move |conn| {
        conn.accept_login(&testkit::Greeting::default())?;
        conn.read()?;
        waits.wait();
        Ok(())
    });
    let host = Host::plain(server.address());
    let mut client = host.client();
    client.send_command(testkit::client::COM_QUERY, b"SELECT 1").unwrap();
    server.wait_until(|seen| seen.iter().any(|seen| seen.packets.len() == 2));
    let peak = host.rss_peak_kib();
    client.set_write_patience(std::time::Duration::from_secs(1));
    let sent = (0..64).take_while(|_| client.send_packet(0, &vec![3; 1 << 20]).is_ok()).count();
    assert!(sent < 64, "64 MiB were taken");
    assert!(host.rss_peak_kib() < peak + 4096, "{peak} KiB became {}", host.rss_peak_kib());
    gate.open();
}

/// Nobody needs it as a whole.
#[test]
fn a_long_command_passes_part_by_part() {
    let host = Host::plain(db());
    let mut client = host.client();
    assert_in_step(&mut client);
    let peak = host.rss_peak_kib();
    let sql = format!("SELECT LENGTH('{}')", "y".repeat(150_000_000));
    assert_eq!(client.query(&sql).unwrap().value(), "150000000");
    assert!(host.rss_peak_kib() < peak + 100_000, "{peak} KiB became {}", host.rss_peak_kib());
    assert_in_step(&mut client);
}

#[test]
fn a_command_that_is_joined_for_the_script_has_an_end() {
    let host = Host::builder()
        .backend(db())
        .script(TELLING)
        .option("pyproxy-max-kept-bytes", "20M")
        .start();
    let mut client = host.client();
    let sql = format!("SELECT LENGTH('{}')", "y".repeat(18_000_000));
    assert_eq!(client.query(&sql).unwrap().value(), "18000000");
    // As it is refused, what is still on its way is not read.
    _ = client.send_packet(0, &vec![3; 40_000_000]);
    client.read_to_close();
    host.wait_for_log(
        "error 1153: pyproxy: the command is larger than pyproxy-max-kept-bytes=20971520",
    );
}
