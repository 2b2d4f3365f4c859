//! Addresses of sockets, as scripts and the log see them.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use engine::Address;
use socket2::SockAddr;

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
