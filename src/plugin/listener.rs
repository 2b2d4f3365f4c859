//! The listening socket (`docs/internals/life.md#the-listener`).

use std::ffi::{CString, c_int};
use std::io;
use std::net::{SocketAddr, SocketAddrV4, ToSocketAddrs};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

use chassis_sys as sys;
use chassis_sys::network_socket_retval_t::NETWORK_SOCKET_SUCCESS;
use libc::{sa_family_t, sockaddr_in, socklen_t};

use crate::chassis::api::api;
use crate::chassis::event::{socket_event, socket_tail};
use crate::chassis::fork;
use crate::drive::callbacks;

/// Whether the kernel lets us listen on `address` now. Asked before the script is loaded, so that nothing is half
/// started; the address is taken with [`listen`] when everything else is in place.
pub fn check(address: &str) -> io::Result<()> {
    // The host itself takes over the path of a dead unix socket.
    if address.starts_with('/') { Ok(()) } else { try_taking(address) }
}

/// Listens on `address` and accepts clients. The host owns the connection object from then on and frees it at the end.
///
/// # Safety
/// `chas` is the host object, `config` what `init` returned; called from `apply_config`.
pub unsafe fn listen(
    chas: *mut sys::chassis,
    config: *mut sys::chassis_plugin_config,
    address: &str,
) -> io::Result<()> {
    let text = CString::new(address).map_err(|_| io::ErrorKind::InvalidInput)?;
    let flags = i16::try_from(sys::EV_READ | sys::EV_PERSIST).expect("two small flags");
    // SAFETY: the host's own constructors, in the order its plugins use them; every pointer is fresh and belongs to the
    // host once the connection is added; the event is armed once.
    unsafe {
        let con = (api().network_mysqld_con_new)();
        if con.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        (api().network_mysqld_add_connection)(chas, con);
        (*con).config = config;
        (*con).plugins = callbacks::table();
        let socket = (api().network_socket_new)();
        (*con).server = socket;
        let tail = socket_tail(socket, api().event_size);
        let bound = (api().network_address_set_address)((*tail).dst, text.as_ptr()) == 0
            && (api().network_socket_bind)(socket) == NETWORK_SOCKET_SUCCESS;
        if !bound {
            // The host does not say why: the kernel does.
            return Err(try_taking(address)
                .err()
                .unwrap_or_else(|| io::Error::other("cannot listen")));
        }
        fork::remember((*socket).fd);
        let event = socket_event(socket);
        let accept = api().network_mysqld_con_accept;
        (api().event_set)(event, (*socket).fd, flags, Some(accept), con.cast());
        (api().event_base_set)((*chas).event_base, event);
        (api().event_add)(event, std::ptr::null());
    }
    Ok(())
}

/// Why the kernel refuses `address`, if it does.
fn try_taking(address: &str) -> io::Result<()> {
    if address.starts_with('/') {
        return UnixListener::bind(address).map(drop);
    }
    let any_host = address.strip_prefix(':').map(|port| format!("0.0.0.0:{port}"));
    let candidates = any_host.as_deref().unwrap_or(address).to_socket_addrs()?;
    let mut tried = Ok(());
    for candidate in candidates {
        // The host listens on IPv4 addresses only.
        if let SocketAddr::V4(candidate) = candidate {
            tried = bind(candidate);
            if tried.is_ok() {
                break;
            }
        }
    }
    tried
}

/// Binds a socket, as the host would, and closes it. Unlike `std::net::TcpListener` it does not listen: a program that
/// watches the port must not take us for ready.
fn bind(address: SocketAddrV4) -> io::Result<()> {
    let checked = |result: c_int| {
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
    };
    // SAFETY: a system call without pointers.
    let socket =
        checked(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: a new descriptor that nobody else knows.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let on: c_int = 1;
    let name = sockaddr_in {
        sin_family: sa_family_t::try_from(libc::AF_INET).map_err(io::Error::other)?,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    };
    // SAFETY: each pointer is to a local value of the size that stands behind it.
    unsafe {
        let (option, option_size) = ((&raw const on).cast(), size::<c_int>()?);
        checked(libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_REUSEADDR,
            option,
            option_size,
        ))?;
        checked(libc::bind(socket.as_raw_fd(), (&raw const name).cast(), size::<sockaddr_in>()?))?;
    }
    Ok(())
}

fn size<T>() -> io::Result<socklen_t> {
    socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)
}
