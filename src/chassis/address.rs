//! Addresses: a copy of the host's `network_address`, and the parsing of option values.

use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use chassis_sys as sys;
use engine::Address;

/// Copies what `raw` says; NULL gives an empty address.
///
/// # Safety
/// `raw` is NULL or a live `network_address` that nobody changes meanwhile (INV-2).
pub unsafe fn copy(raw: *const sys::network_address) -> Address {
    // SAFETY: the caller's promise.
    let Some(raw) = (unsafe { raw.as_ref() }) else { return Address::default() };
    // SAFETY: every member of the union begins with the address family.
    let family = unsafe { raw.addr.common.sa_family };
    let (address, port) = match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: the family says that this member is the active one.
            let v4 = unsafe { raw.addr.ipv4 };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            (Some(ip.to_string()), Some(u16::from_be(v4.sin_port)))
        }
        libc::AF_INET6 => {
            // SAFETY: as above; any 16 bytes are an IPv6 address.
            let (ip, port) = unsafe {
                let v6 = raw.addr.ipv6;
                (Ipv6Addr::from(v6.sin6_addr.__in6_u.__u6_addr8), v6.sin6_port)
            };
            (Some(ip.to_string()), Some(u16::from_be(port)))
        }
        libc::AF_UNIX => {
            // SAFETY: as above.
            let path = unsafe { raw.addr.un.sun_path };
            let bytes = path.map(|c| c.to_ne_bytes()[0]);
            let text = CStr::from_bytes_until_nul(&bytes).unwrap_or_default();
            (Some(text.to_string_lossy().into_owned()), None)
        }
        _ => (None, None),
    };
    // SAFETY: `name` is NULL or a GString of the address object.
    let name = unsafe { raw.name.as_ref() }.map(|string| {
        // SAFETY: a GString's `str` is valid for `len` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(string.str.cast::<u8>(), string.len) };
        String::from_utf8_lossy(bytes).into_owned()
    });
    Address { name: name.unwrap_or_default(), address, port, family }
}

/// Why an address text of an option cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing there.
    #[error("the address is empty")]
    Empty,
    /// Not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// Not of the form `host:port`, `[v6]:port` or `/path`.
    #[error("expected host:port, [ipv6]:port or the path of a unix socket")]
    Form,
    /// The name service does not know the host.
    #[error("the host name does not resolve ({0})")]
    Resolve(String),
    /// Longer than the kernel takes.
    #[error("the path of a unix socket has at most 107 bytes")]
    PathTooLong,
}

/// Default port of an address without one, as in the host.
const MYSQL_PORT: u16 = 3306;

/// Checks the text of an address option before the host, which reports errors less clearly, sees it. Blocks for a name
/// look-up.
pub fn check(text: &str) -> Result<(), AddressError> {
    resolve(text).map(drop)
}

/// What the host in such a text is now; nothing without a host. Blocks for a name look-up.
pub fn resolve(text: &str) -> Result<Vec<SocketAddr>, AddressError> {
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    if text.starts_with('/') {
        return if text.len() > 107 { Err(AddressError::PathTooLong) } else { Ok(Vec::new()) };
    }
    let (host, port) = split(text)?;
    if host.is_empty() {
        return Ok(Vec::new());
    }
    match (host, port).to_socket_addrs().map(Vec::from_iter) {
        Ok(found) if found.is_empty() => Err(AddressError::Resolve("no address".to_owned())),
        Ok(found) => Ok(found),
        Err(e) => Err(AddressError::Resolve(e.to_string())),
    }
}

/// Where a server is that was at `last`, if what its name resolves to now has that no more.
pub fn moved(last: &Address, found: &[SocketAddr]) -> Option<Address> {
    let ip: IpAddr = last.address.as_deref()?.parse().ok()?;
    if found.contains(&SocketAddr::new(ip, last.port?)) {
        return None;
    }
    let alike = found.iter().find(|other| other.is_ipv4() == ip.is_ipv4());
    let now = alike.or(found.first())?;
    let family = if now.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    Some(Address {
        name: now.to_string(),
        address: Some(now.ip().to_string()),
        port: Some(now.port()),
        family: u16::try_from(family).unwrap_or_default(),
    })
}

/// The host in the text of an address option; `None` for a unix socket, and if there is none.
pub fn host(text: &str) -> Option<&str> {
    if text.starts_with('/') {
        return None;
    }
    split(text).ok().map(|(host, _)| host).filter(|host| !host.is_empty())
}

fn split(text: &str) -> Result<(&str, u16), AddressError> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(AddressError::Form)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(AddressError::Form),
        }
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(AddressError::Form),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        None => MYSQL_PORT,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Port)?
        }
        Some(_) => return Err(AddressError::Port),
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_an_address() {
        assert_eq!(split("127.0.0.1:4045"), Ok(("127.0.0.1", 4045)));
        assert_eq!(split(":4045"), Ok(("", 4045)));
        assert_eq!(split("localhost"), Ok(("localhost", 3306)));
        assert_eq!(split("[::1]:5"), Ok(("::1", 5)));
        assert_eq!(check("/run/mysqld/mysqld.sock"), Ok(()));
        assert_eq!(check("127.0.0.1:1"), Ok(()));
    }

    #[test]
    fn a_server_is_where_its_name_leads() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let last = moved(&moved_from_nowhere(), &[at("10.0.0.1:3306")]).expect("elsewhere");
        assert_eq!((&*last.name, last.port), ("10.0.0.1:3306", Some(3306)));
        assert_eq!(last.family, 2);
        let others = ["[::1]:3306", "10.0.0.3:3306", "10.0.0.2:3306"].map(at);
        assert_eq!(moved(&last, &others).expect("elsewhere").name, "10.0.0.3:3306");
        assert_eq!(moved(&last, &others[..1]).expect("elsewhere").name, "[::1]:3306");
        assert_eq!(moved(&last, &[others[1], at("10.0.0.1:3306")]), None, "still there");
        assert_eq!(moved(&last, &[]), None);
        let socket = Address { address: Some("/run/db.sock".to_owned()), ..Address::default() };
        assert_eq!(moved(&socket, &others), None);
    }

    fn moved_from_nowhere() -> Address {
        Address { address: Some("0.0.0.0".to_owned()), port: Some(1), ..Address::default() }
    }

    #[test]
    fn hosts() {
        for (text, expected) in [
            ("db:3306", Some("db")),
            ("db", Some("db")),
            ("[::1]:3306", Some("::1")),
            (":3306", None),
            ("/run/db.sock", None),
        ] {
            assert_eq!(host(text), expected, "{text}");
        }
    }

    #[test]
    fn wrong_addresses_say_what_is_wrong() {
        assert_eq!(check(""), Err(AddressError::Empty));
        assert_eq!(check("127.0.0.1:0"), Err(AddressError::Port));
        assert_eq!(check("127.0.0.1:70000"), Err(AddressError::Port));
        assert_eq!(check("127.0.0.1:x"), Err(AddressError::Port));
        assert_eq!(check("127.0.0.1:"), Err(AddressError::Port));
        assert_eq!(check("::1"), Err(AddressError::Form));
        assert_eq!(check("[::1"), Err(AddressError::Form));
        assert_eq!(check(&format!("/{}", "x".repeat(107))), Err(AddressError::PathTooLong));
        assert!(matches!(check("no-such-host.invalid:1"), Err(AddressError::Resolve(_))));
    }
}
