//! Addresses of sockets, as scripts and the log see them.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use engine::Address;
use socket2::SockAddr;
use transport::proxy_protocol;

/// What `address` says; a socket without a name has only its family.
pub fn describe(address: &SockAddr) -> Address {
    let family = address.family();
    if let Some(ip) = address.as_socket() {
        return of_ip(ip, family);
    }
    let path = address.as_pathname().map(Path::to_string_lossy).unwrap_or_default().into_owned();
    Address { name: path.clone(), address: Some(path), port: None, family }
}

fn of_ip(address: SocketAddr, family: u16) -> Address {
    // A client of a socket for both families is shown as it would be by one for its own.
    let ip = address.ip().to_canonical();
    let name = SocketAddr::new(ip, address.port()).to_string();
    Address { name, address: Some(ip.to_string()), port: Some(address.port()), family }
}

/// What `end` says, of a connection that a PROXY header speaks of.
pub fn of_end(end: &proxy_protocol::Address) -> Address {
    match end {
        proxy_protocol::Address::Inet(address) => {
            let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
            of_ip(*address, u16::try_from(family).unwrap_or_default())
        }
        proxy_protocol::Address::Unix(path) => {
            let path = String::from_utf8_lossy(path).into_owned();
            let family = u16::try_from(libc::AF_UNIX).unwrap_or_default();
            Address { name: path.clone(), address: Some(path), port: None, family }
        }
    }
}

/// The same for a PROXY header of ours.
pub fn to_end(address: &Address) -> proxy_protocol::Address {
    let text = address.address.as_deref().unwrap_or_default();
    match (address.port, text.parse()) {
        (Some(port), Ok(ip)) => proxy_protocol::Address::Inet(SocketAddr::new(ip, port)),
        _ => proxy_protocol::Address::Unix(text.as_bytes().to_vec()),
    }
}

/// Where a backend with this address is reached; `None` if it has none.
pub fn resolve(address: &Address) -> Option<SockAddr> {
    let text = address.address.as_deref()?;
    match address.port {
        Some(port) => Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, port).into()),
        None => SockAddr::unix(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(family: i32) -> u16 {
        u16::try_from(family).expect("a small number")
    }

    #[test]
    fn ip_addresses() {
        for (text, ip, af) in
            [("127.0.0.1:3306", "127.0.0.1", libc::AF_INET), ("[::1]:3306", "::1", libc::AF_INET6)]
        {
            let address: SockAddr = text.parse::<SocketAddr>().expect("an address").into();
            let told = describe(&address);
            let expected = Address {
                name: text.to_owned(),
                address: Some(ip.to_owned()),
                port: Some(3306),
                family: family(af),
            };
            assert_eq!(told, expected);
            assert_eq!(resolve(&told), Some(address));
        }
    }

    #[test]
    fn paths() {
        let address = SockAddr::unix("/run/db.sock").expect("a path");
        let told = describe(&address);
        assert_eq!((told.name.as_str(), told.port), ("/run/db.sock", None));
        assert_eq!(resolve(&told), Some(address));
    }
}
