//! Addresses of peers that are in this process, too.

use std::net::{IpAddr, SocketAddr};

use engine::Address;

/// The address families of Linux.
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// What an option with this text means. Host names stay as they are: nothing is looked up.
pub fn parse(text: &str) -> Result<Address, String> {
    let name = text.to_owned();
    if text.starts_with('/') {
        return Ok(Address { address: Some(name.clone()), name, port: None, family: AF_UNIX });
    }
    let form = || "expected host:port, [ipv6]:port or the path of a unix socket".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
    let port = port.parse().ok().filter(|port| *port > 0);
    let port = Some(port.ok_or("the port must be a number from 1 to 65535")?);
    let family = if host.starts_with('[') { AF_INET6 } else { AF_INET };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(form());
    }
    Ok(Address { name, address: Some(host), port, family })
}

/// A port of this machine.
pub fn local(port: u16) -> Address {
    let ip = IpAddr::from([127, 0, 0, 1]);
    Address {
        name: SocketAddr::new(ip, port).to_string(),
        address: Some(ip.to_string()),
        port: Some(port),
        family: AF_INET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_options() {
        let of = |text| {
            let Address { name, address, port, family } = parse(text).expect("an address");
            assert_eq!(name, text);
            (address.expect("all have one"), port, family)
        };
        assert_eq!(of("db.example:3306"), ("db.example".to_owned(), Some(3306), AF_INET));
        assert_eq!(of("[::1]:3306"), ("::1".to_owned(), Some(3306), AF_INET6));
        assert_eq!(of("/run/my.sock"), ("/run/my.sock".to_owned(), None, AF_UNIX));
        assert_eq!(parse("127.0.0.1:4045"), Ok(local(4045)));
        for wrong in ["", "host", ":1", "host:0", "host:x", "host:65536"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
