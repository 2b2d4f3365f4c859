//! Version 2: a signature of 12 bytes, command, family, length of the rest, addresses, extensions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Address, Ends, Header, Origin, Parsed, of_one_family};

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes before the addresses.
pub(super) const FIXED: usize = 16;

/// Version and command: the sender's own connection.
const LOCAL: u8 = 0x20;
/// Version and command: a client's connection.
const PROXY: u8 = 0x21;

/// Family and transport.
const UNSPEC: u8 = 0x00;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;

/// Bytes of a Unix socket's address.
const UNIX_PATH: usize = 108;

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some(fixed) = bytes.first_chunk::<FIXED>() else {
        return Parsed::NeedMore;
    };
    let [.., command, family, high, low] = *fixed;
    if command != LOCAL && command != PROXY {
        return Parsed::Invalid("the PROXY header has an unknown version or command");
    }
    let length = FIXED + usize::from(u16::from_be_bytes([high, low]));
    let Some(body) = bytes.get(FIXED..length) else {
        return Parsed::NeedMore;
    };
    let origin = match (command, family) {
        (LOCAL, _) => Some(Origin::Local),
        (_, UNSPEC) => Some(Origin::Unknown),
        (_, TCP4) => inet4(body),
        (_, TCP6) => inet6(body),
        (_, UNIX_STREAM) => unix(body),
        _ => return Parsed::Invalid("the PROXY header has an unknown family"),
    };
    match origin {
        Some(origin) => Parsed::Header(Header { length, origin }),
        None => Parsed::Invalid("the PROXY header is too short for its addresses"),
    }
}

fn inet4(body: &[u8]) -> Option<Origin> {
    let (source, rest) = body.split_first_chunk::<4>()?;
    let (destination, rest) = rest.split_first_chunk::<4>()?;
    inet(Ipv4Addr::from(*source).into(), Ipv4Addr::from(*destination).into(), rest)
}

fn inet6(body: &[u8]) -> Option<Origin> {
    let (source, rest) = body.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    inet(Ipv6Addr::from(*source).into(), Ipv6Addr::from(*destination).into(), rest)
}

fn inet(source: IpAddr, destination: IpAddr, ports: &[u8]) -> Option<Origin> {
    let [a, b, c, d] = *ports.first_chunk::<4>()?;
    let source = Address::Inet(SocketAddr::new(source, u16::from_be_bytes([a, b])));
    let destination = Address::Inet(SocketAddr::new(destination, u16::from_be_bytes([c, d])));
    Some(Origin::Client(Ends { source, destination }))
}

fn unix(body: &[u8]) -> Option<Origin> {
    let (source, rest) = body.split_first_chunk::<UNIX_PATH>()?;
    let destination = rest.first_chunk::<UNIX_PATH>()?;
    Some(Origin::Client(Ends { source: path(source), destination: path(destination) }))
}

/// A path ends with its first NUL; an abstract name begins with one, and has no end but the last byte that is none.
fn path(bytes: &[u8]) -> Address {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let name = bytes.get(..end).unwrap_or_default();
    let name = match name {
        [0, ..] => name,
        _ => name.split(|byte| *byte == 0).next().unwrap_or_default(),
    };
    Address::Unix(name.to_vec())
}

pub(super) fn encode(ends: &Ends) -> Vec<u8> {
    let mut body = Vec::new();
    let family = match (&ends.source, &ends.destination) {
        (Address::Inet(source), Address::Inet(destination)) => {
            let (source, destination) = of_one_family(*source, *destination);
            append_ip(&mut body, source.ip());
            append_ip(&mut body, destination.ip());
            body.extend(source.port().to_be_bytes());
            body.extend(destination.port().to_be_bytes());
            if source.is_ipv4() { TCP4 } else { TCP6 }
        }
        (Address::Unix(source), Address::Unix(destination)) => {
            append_path(&mut body, source);
            append_path(&mut body, destination);
            UNIX_STREAM
        }
        _ => UNSPEC,
    };
    let length = u16::try_from(body.len()).unwrap_or_default();
    let mut header = SIGNATURE.to_vec();
    header.extend([PROXY, family]);
    header.extend(length.to_be_bytes());
    header.extend(body);
    header
}

fn append_ip(to: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => to.extend(ip.octets()),
        IpAddr::V6(ip) => to.extend(ip.octets()),
    }
}

fn append_path(to: &mut Vec<u8>, path: &[u8]) {
    let end = to.len() + UNIX_PATH;
    to.extend(path.iter().take(UNIX_PATH));
    to.resize(end, 0);
}
