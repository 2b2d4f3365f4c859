//! PROXY headers, as HAProxy writes them, and as nobody should.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr};
use transport::proxy_protocol::{
    Address, Ends, Header, MAX_HEADER, Origin, Parsed, Version, encode, parse,
};

fn inet(text: &str) -> Address {
    Address::Inet(text.parse().unwrap())
}

fn ends(source: &str, destination: &str) -> Ends {
    Ends { source: inet(source), destination: inet(destination) }
}

fn header(length: usize, origin: Origin) -> Parsed {
    Parsed::Header(Header { length, origin })
}

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &length, body].concat()
}

#[test]
fn version_1_is_a_line() {
    for (bytes, origin) in [
        (
            &b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 3306\r\n"[..],
            Origin::Client(ends("192.0.2.1:56324", "192.0.2.2:3306")),
        ),
        (
            b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
            Origin::Client(ends("[2001:db8::1]:1", "[::1]:65535")),
        ),
        (b"PROXY UNKNOWN\r\n", Origin::Unknown),
        (b"PROXY UNKNOWN ffff:f...f:ffff whatever 1 2\r\n", Origin::Unknown),
    ] {
        let expected = header(bytes.len(), origin);
        assert_eq!(parse(bytes), expected);
        let with_more = [bytes, b"\x05\0\0\x01login"].concat();
        assert_eq!(parse(&with_more), expected);
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Parsed::NeedMore, "{end}");
        }
    }
}

#[test]
fn broken_lines_are_refused() {
    for bytes in [
        &b"PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n"[..],
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 3306 7\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 56324 3306\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 65536\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 +1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 \r\n",
        b"PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY \xff\r\n",
        b"PROXY \r\n",
        b"PROXZ",
        b"proxy TCP4 ",
        b"\r\n\r\n\0\r\nQUIX",
        b"\x4a\0\0\x01",
        &[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat(),
    ] {
        assert!(matches!(parse(bytes), Parsed::Invalid(_)), "{}", bytes.escape_ascii());
    }
}

#[test]
fn version_2_is_binary() {
    let inet4 = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0x0c, 0xea];
    let with_tlv = [&inet4[..], &[0x03, 0, 4, 1, 2, 3, 4, 0x05, 0, 1, 9]].concat();
    let mut unix = [0; 216];
    unix[..9].copy_from_slice(b"/tmp/sock");
    unix[108..113].copy_from_slice(b"\0name");
    let client = Origin::Client(ends("192.0.2.1:56324", "192.0.2.2:3306"));
    let local = Origin::Client(Ends {
        source: Address::Unix(b"/tmp/sock".to_vec()),
        destination: Address::Unix(b"\0name".to_vec()),
    });
    for (bytes, origin) in [
        (v2(0x21, 0x11, &inet4), client.clone()),
        (v2(0x21, 0x11, &with_tlv), client),
        (v2(0x21, 0x31, &unix), local),
        (v2(0x21, 0x00, b""), Origin::Unknown),
        (v2(0x21, 0x00, &[7; 300]), Origin::Unknown),
        (v2(0x20, 0x00, b""), Origin::Local),
        (v2(0x20, 0x11, &inet4), Origin::Local),
    ] {
        let expected = header(bytes.len(), origin);
        assert_eq!(parse(&bytes), expected);
        assert_eq!(parse(&[&bytes[..], b"login"].concat()), expected);
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Parsed::NeedMore, "{end}");
        }
    }
}

#[test]
fn broken_binary_headers_are_refused() {
    for bytes in [
        v2(0x11, 0x11, &[0; 12]),
        v2(0x22, 0x11, &[0; 12]),
        v2(0x21, 0x11, &[0; 11]),
        v2(0x21, 0x21, &[0; 35]),
        v2(0x21, 0x31, &[0; 215]),
        v2(0x21, 0x12, &[0; 12]),
        v2(0x21, 0x41, &[0; 12]),
    ] {
        assert!(matches!(parse(&bytes), Parsed::Invalid(_)), "{}", bytes.escape_ascii());
    }
}

#[test]
fn headers_are_written_as_servers_take_them() {
    let mapped = ends("[::ffff:192.0.2.1]:7", "192.0.2.2:3306");
    assert_eq!(encode(Version::V1, &mapped), b"PROXY TCP4 192.0.2.1 192.0.2.2 7 3306\r\n");
    let mixed = ends("[2001:db8::1]:7", "192.0.2.2:3306");
    let text = b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 7 3306\r\n";
    assert_eq!(encode(Version::V1, &mixed), text);
    let unix =
        Ends { source: Address::Unix(b"/a".into()), destination: Address::Unix(b"/b".into()) };
    assert_eq!(encode(Version::V1, &unix), b"PROXY UNKNOWN\r\n");
    let binary = encode(Version::V2, &unix);
    assert!(binary.len() <= 16 + 240, "MariaDB takes no more");
    assert_eq!(parse(&binary), header(binary.len(), Origin::Client(unix)));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        ips in prop_oneof![
            any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b))),
            any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b))),
        ],
        ports in any::<(u16, u16)>(),
    ) {
        let ends = Ends {
            source: Address::Inet(SocketAddr::new(ips.0, ports.0)),
            destination: Address::Inet(SocketAddr::new(ips.1, ports.1)),
        };
        for version in [Version::V1, Version::V2] {
            let bytes = encode(version, &ends);
            prop_assert_eq!(parse(&bytes), header(bytes.len(), Origin::Client(ends.clone())));
        }
    }

    #[test]
    fn no_bytes_are_a_panic(
        start in prop_oneof![
            Just(Vec::new()), Just(b"PROXY ".to_vec()), Just(b"PROXY TCP4 1.2.3.4 ".to_vec()),
            Just(SIGNATURE.to_vec()), Just([SIGNATURE, b"\x21"].concat()),
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [start, rest].concat();
        if let Parsed::Header(header) = parse(&bytes) {
            prop_assert!(header.length <= bytes.len().min(MAX_HEADER));
        }
    }
}
