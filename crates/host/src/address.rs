//! `network_address`: a socket address with its printable name.
//!
//! Facts: `docs/internals/packets.md#addresses`. Forms: `host`, `host:port`, `[v6]:port`, `:port`, `/path`; default
//! port 3306. Name lookups block, as in the original.

use std::ffi::{c_char, c_int};
use std::mem::{offset_of, size_of};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ptr;

use chassis_sys::{network_address, sockaddr_in, sockaddr_in6, sockaddr_un};
use libc::{AF_INET, AF_INET6, AF_UNIX};

use crate::exports::export;
use crate::{glib, log};

/// Port of an address without one.
const DEFAULT_PORT: u16 = 3306;

/// Lengths of the variants, and of the room for any of them, in bytes.
const IPV4_LEN: u32 = 16;
const IPV6_LEN: u32 = 28;
const UNIX_LEN: u32 = 110;
const ANY_LEN: u32 = 112;
const _: () = {
    assert!(size_of::<sockaddr_in>() == 16 && size_of::<sockaddr_in6>() == 28);
    assert!(size_of::<sockaddr_un>() == 110 && offset_of!(network_address, name) == 112);
};

/// A family as addresses carry it.
fn family_code(family: c_int) -> u16 {
    u16::try_from(family).unwrap_or_default()
}

/// What the text of an address says.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A unix socket.
    Path(String),
    /// A host (empty: any IPv4 address) and its port.
    Host(String, u16),
}

/// Takes the text of an address apart.
fn parse(text: &str) -> Result<Target, String> {
    if text.starts_with('/') {
        return Ok(Target::Path(text.to_owned()));
    }
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) =
            bracketed.split_once(']').ok_or_else(|| format!("no closing bracket in '{text}'"))?;
        (host, rest.strip_prefix(':'))
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let form = "IP-address has to be in the form [<ip>][:<port>]";
    let port = match port {
        None => DEFAULT_PORT,
        Some("") => return Err(format!("{form}, is '{text}'. No port number")),
        Some(port) => {
            let number: u32 = port.parse().map_err(|_| {
                format!("{form}, is '{text}'. Failed to parse the port at '{port}'")
            })?;
            u16::try_from(number)
                .map_err(|_| format!("illegal value {number} for port, only 1 ... 65535 allowed"))?
        }
    };
    Ok(Target::Host(host.to_owned(), port))
}

/// An address for as long as its owner is borrowed (INV-2).
struct Address(*mut network_address);

impl Address {
    fn raw(&mut self) -> &mut network_address {
        // SAFETY: INV-2.
        unsafe { &mut *self.0 }
    }

    fn family(&mut self) -> c_int {
        // SAFETY: every variant starts with the family, and all-zero memory is a valid one.
        unsafe { self.raw().addr.common.sa_family }.into()
    }

    fn set_ipv4(&mut self, address: Ipv4Addr, port: u16) {
        // SAFETY: all-zero bytes are a valid sockaddr_in.
        let mut ipv4: sockaddr_in = unsafe { std::mem::zeroed() };
        ipv4.sin_family = family_code(AF_INET);
        ipv4.sin_port = port.to_be();
        ipv4.sin_addr.s_addr = u32::from(address).to_be();
        self.raw().addr.ipv4 = ipv4;
        self.raw().len = IPV4_LEN;
    }

    fn set_ipv6(&mut self, mut ipv6: sockaddr_in6, port: u16) {
        ipv6.sin6_port = port.to_be();
        self.raw().addr.ipv6 = ipv6;
        self.raw().len = IPV6_LEN;
    }

    fn set_path(&mut self, path: &str) -> Result<(), String> {
        // SAFETY: all-zero bytes are a valid sockaddr_un.
        let mut un: sockaddr_un = unsafe { std::mem::zeroed() };
        if path.len() + 1 >= un.sun_path.len() {
            return Err(format!("unix-path is too long: {path}"));
        }
        un.sun_family = family_code(AF_UNIX);
        for (slot, byte) in un.sun_path.iter_mut().zip(path.bytes()) {
            *slot = c_char::from_ne_bytes([byte]);
        }
        self.raw().addr.un = un;
        self.raw().len = UNIX_LEN;
        Ok(())
    }

    /// Looks `host` up: first with the kernel's configured address families, then with any.
    fn lookup(&mut self, host: &str, port: u16) -> Result<(), String> {
        let name = glib::c_string(host.as_bytes());
        let mut found: *mut libc::addrinfo = ptr::null_mut();
        let mut failure = 0;
        for flags in [libc::AI_ADDRCONFIG, 0] {
            // SAFETY: all-zero bytes are valid hints.
            let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
            hints.ai_socktype = libc::SOCK_STREAM;
            hints.ai_flags = flags;
            // SAFETY: a C string, valid hints, and a place for the result.
            failure = unsafe {
                libc::getaddrinfo(name.as_ptr(), ptr::null(), &raw const hints, &raw mut found)
            };
            if !matches!(failure, EAI_ADDRFAMILY | libc::EAI_BADFLAGS) {
                break;
            }
        }
        if failure != 0 {
            // SAFETY: returns a static C string.
            let why = glib::text(unsafe { glib::c_bytes(libc::gai_strerror(failure)) });
            return Err(format!("getaddrinfo(\"{host}\") failed: {why} ({failure})"));
        }
        let mut known = false;
        let mut entry = found;
        // SAFETY: a list of getaddrinfo, freed below; the family tells the type of the address.
        while let Some(info) = unsafe { entry.as_ref() }.filter(|_| !known) {
            match info.ai_family {
                AF_INET => {
                    // SAFETY: as above.
                    let ipv4 = unsafe { info.ai_addr.cast::<sockaddr_in>().read_unaligned() };
                    self.set_ipv4(Ipv4Addr::from(u32::from_be(ipv4.sin_addr.s_addr)), port);
                    known = true;
                }
                AF_INET6 => {
                    // SAFETY: as above.
                    self.set_ipv6(
                        unsafe { info.ai_addr.cast::<sockaddr_in6>().read_unaligned() },
                        port,
                    );
                    known = true;
                }
                _ => entry = info.ai_next,
            }
        }
        // SAFETY: a list of getaddrinfo that nobody uses any more.
        unsafe { libc::freeaddrinfo(found) };
        known.then_some(()).ok_or_else(|| format!("no usable address for {host}"))
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        match parse(text)? {
            Target::Path(path) => self.set_path(&path)?,
            Target::Host(host, port) if host.is_empty() || host == "0.0.0.0" => {
                self.set_ipv4(Ipv4Addr::UNSPECIFIED, port);
            }
            Target::Host(host, port) => self.lookup(&host, port)?,
        }
        self.refresh_name()
    }

    /// The printable form of the address.
    fn describe(&mut self) -> Result<String, String> {
        let family = self.family();
        let addr = &self.raw().addr;
        match family {
            AF_INET => {
                // SAFETY: the family tells the variant.
                let ipv4 = unsafe { addr.ipv4 };
                let ip = Ipv4Addr::from(u32::from_be(ipv4.sin_addr.s_addr));
                Ok(format!("{ip}:{}", u16::from_be(ipv4.sin_port)))
            }
            AF_INET6 => {
                // SAFETY: the family tells the variant.
                let (ip, port) =
                    unsafe { (addr.ipv6.sin6_addr.__in6_u.__u6_addr8, addr.ipv6.sin6_port) };
                Ok(format!("[{}]:{}", Ipv6Addr::from(ip), u16::from_be(port)))
            }
            AF_UNIX => {
                // SAFETY: the family tells the variant.
                let path = unsafe { addr.un.sun_path };
                let bytes: Vec<u8> =
                    path.iter().map(|c| c.to_ne_bytes()[0]).take_while(|&byte| byte != 0).collect();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            family => Err(format!("can't convert a address of family '{family}' into a string")),
        }
    }

    /// Fills the name unless it has one.
    fn refresh_name(&mut self) -> Result<(), String> {
        if self.name().is_empty() {
            let name = self.describe()?;
            // SAFETY: INV-2: the name belongs to the address.
            unsafe { glib::assign(self.raw().name, name.as_bytes()) };
        }
        Ok(())
    }

    fn name(&mut self) -> String {
        // SAFETY: INV-2.
        glib::text(Some(unsafe { glib::bytes(self.raw().name) }))
    }
}

/// `EAI_ADDRFAMILY` of glibc: the host has no address in a family that the system uses.
const EAI_ADDRFAMILY: c_int = -9;

/// The printable name of an address.
///
/// # Safety
/// `address` is a live address that no other thread changes meanwhile.
pub unsafe fn name(address: *mut network_address) -> String {
    Address(address).name()
}

/// The address family.
///
/// # Safety
/// As for [`name`].
pub unsafe fn family(address: *mut network_address) -> c_int {
    Address(address).family()
}

/// 0, or -1 with the reason in the log.
fn status(result: Result<(), String>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(reason) => {
            log::critical(&reason);
            -1
        }
    }
}

export! {
    /// An address without a value.
    fn network_address_new() -> *mut network_address as fn_network_address_new {
        let address: *mut network_address = glib::alloc_zeroed();
        // SAFETY: fresh memory of an address.
        unsafe {
            (*address).len = ANY_LEN;
            (*address).name = glib::new_string(b"");
        }
        address
    }

    /// Frees it and removes the path of a bound unix socket. NULL is fine.
    fn network_address_free(addr: *mut network_address) as fn_network_address_free {
        if addr.is_null() {
            return;
        }
        let mut address = Address(addr);
        let name = address.name();
        if address.raw().can_unlink_socket != glib_sys::GFALSE
            && name.starts_with('/')
            && let Err(error) = std::fs::remove_file(&name)
        {
            log::critical(&format!("removing socket {name} failed: {error}"));
        }
        // SAFETY: an address of this host that the caller gives up (ABI).
        unsafe {
            glib::free_string((*addr).name);
            glib::free(addr);
        }
    }

    /// Sets a fresh address. Blocks while a name is looked up. 0, or -1 with the reason in the log.
    fn network_address_set_address(addr: *mut network_address, text: *const c_char) -> c_int
    as fn_network_address_set_address {
        // SAFETY: a C string (ABI).
        let text = glib::text(unsafe { glib::c_bytes(text) });
        status(Address(addr).set(&text))
    }

    /// Fills the name if it is empty.
    fn network_address_refresh_name(addr: *mut network_address) -> c_int {
        status(Address(addr).refresh_name())
    }

    /// Copies address and name; `dst` NULL: into a new one.
    fn network_address_copy(dst: *mut network_address, src: *mut network_address) -> *mut network_address
    as fn_network_address_copy {
        // SAFETY: two live addresses, or NULL for `dst` (ABI).
        unsafe {
            let dst = if dst.is_null() { network_address_new() } else { dst };
            (*dst).addr = (*src).addr;
            (*dst).len = (*src).len;
            glib::assign((*dst).name, glib::bytes((*src).name));
            dst
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_is_understood() {
        let host = |host: &str, port| Ok(Target::Host(host.to_owned(), port));
        assert_eq!(parse("db"), host("db", 3306));
        assert_eq!(parse("db:4040"), host("db", 4040));
        assert_eq!(parse(":0"), host("", 0));
        assert_eq!(parse("[::1]:33"), host("::1", 33));
        assert_eq!(parse("[::1]"), host("::1", 3306));
        assert_eq!(parse("/run/db.sock"), Ok(Target::Path("/run/db.sock".to_owned())));
        for bad in ["db:", "db:x", "db:65536", "[::1", "db:1x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_printed_as_the_original_does() {
        for (text, printed) in [
            ("127.0.0.1:33", "127.0.0.1:33"),
            (":33", "0.0.0.0:33"),
            ("[::1]:33", "[::1]:33"),
            ("/tmp/a.sock", "/tmp/a.sock"),
        ] {
            // SAFETY: the address lives until it is freed here.
            unsafe {
                let raw = network_address_new();
                assert_eq!(Address(raw).set(text), Ok(()), "{text}");
                assert_eq!(name(raw), printed);
                network_address_free(raw);
            }
        }
    }
}
