//! HAProxy's PROXY protocol, versions 1 and 2: what stands before a connection's first byte and says whose it is.
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>

mod v1;
mod v2;

use std::net::{IpAddr, SocketAddr};

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Inet(SocketAddr),
    /// A Unix socket: its path, or an abstract name; without the NULs behind it.
    Unix(Vec<u8>),
}

/// The ends of the connection that a header speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// The client.
    pub source: Address,
    /// What the client connected to.
    pub destination: Address,
}

/// Whose connection it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// LOCAL: the sender's own, a health check. The address is the connection's.
    Local,
    /// UNKNOWN, UNSPEC: a client's, but its address is not told. The address is the connection's.
    Unknown,
    /// A client's.
    Client(Ends),
}

/// A header that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its bytes. What comes behind it belongs to the client.
    pub length: usize,
    /// Whose connection it is.
    pub origin: Origin,
}

/// What the first bytes of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// The beginning of a header, as far as can be told: to be asked again with more.
    NeedMore,
    /// No header, or a broken one: why.
    Invalid(&'static str),
    /// A header.
    Header(Header),
}

/// A version of the protocol, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// The longest header that is read: version 2 with all the extensions that its length can count.
pub const MAX_HEADER: usize = v2::FIXED + 0xffff;

/// Reads the header that `bytes`, all that a connection sent so far, begins with. Extensions of version 2 (TLVs) are
/// skipped; checksums are not looked at, because TCP has its own.
pub fn parse(bytes: &[u8]) -> Parsed {
    if is_beginning(bytes, v1::SIGNATURE) {
        v1::parse(bytes)
    } else if is_beginning(bytes, v2::SIGNATURE) {
        v2::parse(bytes)
    } else {
        Parsed::Invalid("this is no PROXY header")
    }
}

/// The header that tells a server whose connection it is. MariaDB wants it in one segment, and refuses connections of unknown
/// origin: version 1 has no words for Unix sockets, and says UNKNOWN.
pub fn encode(version: Version, ends: &Ends) -> Vec<u8> {
    match version {
        Version::V1 => v1::encode(ends),
        Version::V2 => v2::encode(ends),
    }
}

/// Whether `bytes` begin with the signature, or are a part of it.
fn is_beginning(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(one, other)| one == other)
}

/// Both addresses of one family: IPv4, if both are; also what an IPv6 listener calls `::ffff:192.0.2.1`.
fn of_one_family(source: SocketAddr, destination: SocketAddr) -> (SocketAddr, SocketAddr) {
    let pair = (source.ip().to_canonical(), destination.ip().to_canonical());
    let (from, to) = match pair {
        (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => pair,
        (from, to) => (as_v6(from), as_v6(to)),
    };
    (SocketAddr::new(from, source.port()), SocketAddr::new(to, destination.port()))
}

fn as_v6(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
        IpAddr::V6(_) => address,
    }
}
