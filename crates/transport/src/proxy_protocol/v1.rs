//! Version 1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 3306\r\n`.

use std::net::{IpAddr, SocketAddr};

use super::{Address, Ends, Header, Origin, Parsed, of_one_family};

pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// The longest line, with its end.
const MAX_LINE: usize = 107;

const BROKEN: Parsed = Parsed::Invalid("this is no PROXY header of version 1");

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let line = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else {
        return if line.len() < MAX_LINE {
            Parsed::NeedMore
        } else {
            Parsed::Invalid("the PROXY header has no end")
        };
    };
    let text = line.get(SIGNATURE.len()..end).and_then(|text| str::from_utf8(text).ok());
    match text.and_then(origin) {
        Some(origin) => Parsed::Header(Header { length: end + 2, origin }),
        None => BROKEN,
    }
}

fn origin(text: &str) -> Option<Origin> {
    let mut words = text.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        // Whatever stands behind it is to be ignored.
        return Some(Origin::Unknown);
    }
    let [source, destination] = [words.next()?, words.next()?];
    let [source_port, destination_port] = [words.next()?, words.next()?];
    if words.next().is_some() {
        return None;
    }
    let source = address(family, source, source_port)?;
    let destination = address(family, destination, destination_port)?;
    Some(Origin::Client(Ends { source, destination }))
}

fn address(family: &str, ip: &str, port: &str) -> Option<Address> {
    let ip = match family {
        "TCP4" => IpAddr::V4(ip.parse().ok()?),
        "TCP6" => IpAddr::V6(ip.parse().ok()?),
        _ => return None,
    };
    // `parse` alone takes `+1`.
    let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())??;
    Some(Address::Inet(SocketAddr::new(ip, port)))
}

pub(super) fn encode(ends: &Ends) -> Vec<u8> {
    let (Address::Inet(source), Address::Inet(destination)) = (&ends.source, &ends.destination)
    else {
        return b"PROXY UNKNOWN\r\n".to_vec();
    };
    let (source, destination) = of_one_family(*source, *destination);
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port()).into_bytes()
}
