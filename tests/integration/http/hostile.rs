//! Who means harm: the endpoint stays small and answers, and clients of the proxy notice nothing.

use std::time::Duration;

use testkit::Host;

use super::*;
use crate::support::*;

/// What any answer to nonsense may be: an error, or a close.
fn is_refused(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    text.is_empty() || text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.0 4")
}

#[test]
fn nonsense_is_refused() {
    let site = Site::start(Host::builder().backend(db()));
    let long = "x".repeat(1 << 20);
    let many = "a: b\r\n".repeat(1000);
    for (name, bytes) in [
        ("a handshake of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("no version", b"GET /metrics\r\n\r\n".to_vec()),
        (
            "two lengths",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(),
        ),
        ("a NUL", b"GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()),
        (
            "a long header",
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {long}\r\n\r\n").into_bytes(),
        ),
        ("many headers", format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").into_bytes()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a MySQL login", [58, 0, 0, 1].repeat(30)),
    ] {
        let mut stream = site.connect();
        _ = stream.write_all(&bytes);
        _ = stream.shutdown(std::net::Shutdown::Write);
        assert!(is_refused(&mut stream), "{name}");
        assert_eq!(site.get("/health/live").status, 200, "behind {name}");
    }
    assert_in_step(&mut site.host.client());
    assert_eq!(site.host.criticals(), Vec::<String>::new());
}

#[test]
fn a_body_without_end_is_not_kept() {
    let site = Site::start(Host::builder().backend(db()));
    assert_eq!(site.get("/metrics").status, 200);
    let peak = site.host.rss_peak_kib();
    let mut stream = site.connect();
    let head = "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let part = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    assert!(site.host.rss_peak_kib() < peak + 4096, "{peak} KiB became more");
}

/// Somebody opens connections by the thousand and says little on them, or asks and reads nothing.
#[test]
fn ten_thousand_connections() {
    let site = Site::start(Host::builder().backend(db()));
    let mut client = site.host.client();
    assert_in_step(&mut client);
    assert_eq!(site.get("/metrics").status, 200);
    let (peak, descriptors) = (site.host.rss_peak_kib(), open_descriptors(&site.host));
    let mut held = std::collections::VecDeque::new();
    for number in 0..10_000 {
        let Ok(mut stream) = TcpStream::connect(site.address) else { continue };
        let beginning = if number % 2 == 0 { "GET /metr" } else { &request("/metrics", "") };
        _ = stream.write_all(beginning.as_bytes());
        held.push_back(stream);
        if held.len() > 500 {
            held.pop_front();
        }
        if number % 1000 == 0 {
            assert_in_step(&mut client);
            assert_eq!(site.get("/metrics").status, 200);
        }
    }
    assert_in_step(&mut client);
    assert!(open_descriptors(&site.host) < descriptors + 100, "descriptors");
    let now = site.host.rss_peak_kib();
    assert!(now < peak + 16 * 1024, "{peak} KiB became {now}");
    drop(held);
    assert_eq!(site.get("/metrics").status, 200);
    assert_in_step(&mut site.host.client());
}

fn open_descriptors(host: &Host) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", host.pid())).unwrap().count()
}
