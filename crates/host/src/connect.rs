//! Making sockets: listening, connecting, accepting.
//!
//! Facts: `docs/internals/packets.md#making-sockets`.

use std::ffi::c_int;
use std::io;
use std::mem::size_of;

use chassis_sys::network_socket_retval_t::{
    NETWORK_SOCKET_ERROR, NETWORK_SOCKET_ERROR_RETRY, NETWORK_SOCKET_SUCCESS, Type as Retval,
};
use chassis_sys::{network_address, network_socket};
use libc::{AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET};

use crate::address::{
    self, network_address_free, network_address_refresh_name, network_address_set_address,
};
use crate::exports::export;
use crate::socket::{Sock, network_socket_free, network_socket_new};
use crate::{glib, log};

/// Pending connections the kernel keeps for a listener.
const BACKLOG: c_int = 128;
/// `IPTOS_THROUGHPUT`, as MySQL's clients set it.
const TYPE_OF_SERVICE: c_int = 8;

/// Length of an option that is one int, in bytes.
const INT_LEN: libc::socklen_t = 4;
const _: () = assert!(size_of::<c_int>() == 4);

/// Why a socket could not be made: the failed call and the system's reason.
struct Failure(&'static str, io::Error);

/// The system's error of `call`, unless `status` is 0.
fn check(call: &'static str, status: c_int) -> Result<(), Failure> {
    if status == 0 { Ok(()) } else { Err(Failure(call, io::Error::last_os_error())) }
}

fn set_option(fd: c_int, level: c_int, option: c_int, value: c_int) -> c_int {
    // SAFETY: the option's value is one int.
    unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), INT_LEN) }
}

/// The generic address pointer and length that the system calls take.
fn sockaddr(address: *mut network_address) -> (*mut libc::sockaddr, *mut libc::socklen_t) {
    // SAFETY: INV-2: the address belongs to a live socket; no reference is made.
    unsafe { ((&raw mut (*address).addr).cast(), &raw mut (*address).len) }
}

/// Opens the descriptor for `dst`.
fn open(socket: &mut Sock<'_>) -> Result<(), Failure> {
    // SAFETY: INV-2; socket() has no precondition.
    let fd = unsafe { libc::socket(address::family(socket.dst()), libc::SOCK_STREAM, 0) };
    if fd < 0 {
        return Err(Failure("socket", io::Error::last_os_error()));
    }
    socket.set_fd(fd);
    Ok(())
}

fn bind_to_dst(socket: &Sock<'_>) -> Result<(), Failure> {
    let (addr, len) = sockaddr(socket.dst());
    // SAFETY: INV-2.
    check("bind", unsafe { libc::bind(socket.fd(), addr, *len) })
}

/// Binds a unix path that a dead process left behind: when nobody answers there, removes it and binds again.
fn rebind(socket: &mut Sock<'_>, failure: Failure) -> Result<(), Failure> {
    let (addr, len) = sockaddr(socket.dst());
    // SAFETY: INV-2.
    if unsafe { libc::connect(socket.fd(), addr, *len) } == 0 {
        return Err(failure);
    }
    let stale = socket.replace_dst();
    // SAFETY: the old address belongs to this function now; freeing it removes its path.
    unsafe {
        let name = glib::c_string(address::name(stale).as_bytes());
        (*stale).can_unlink_socket = glib_sys::GTRUE;
        network_address_free(stale);
        network_address_set_address(socket.dst(), name.as_ptr());
    }
    bind_to_dst(socket)
}

/// Writes the port that the system chose for port 0 into the address; the name keeps the 0.
fn learn_port(socket: &Sock<'_>) -> Result<(), Failure> {
    // SAFETY: INV-2; the family tells the variant.
    unsafe {
        let dst = &mut *socket.dst();
        let port = match address::family(dst) {
            AF_INET => dst.addr.ipv4.sin_port,
            AF_INET6 => dst.addr.ipv6.sin6_port,
            _ => return Ok(()),
        };
        if port == 0 {
            let (addr, len) = sockaddr(dst);
            check("getsockname", libc::getsockname(socket.fd(), addr, len))?;
        }
    }
    Ok(())
}

fn listen(socket: &mut Sock<'_>) -> Result<(), Failure> {
    open(socket)?;
    // SAFETY: INV-2.
    let family = unsafe { address::family(socket.dst()) };
    if matches!(family, AF_INET | AF_INET6) {
        check("setsockopt", set_option(socket.fd(), IPPROTO_TCP, libc::TCP_NODELAY, 1))?;
        check("setsockopt", set_option(socket.fd(), SOL_SOCKET, libc::SO_REUSEADDR, 1))?;
    }
    if family == AF_INET6 {
        check("setsockopt", set_option(socket.fd(), IPPROTO_IPV6, libc::IPV6_V6ONLY, 0))?;
    }
    if let Err(failure) = bind_to_dst(socket) {
        rebind(socket, failure)?;
    }
    learn_port(socket)?;
    // SAFETY: listen() has no precondition.
    check("listen", unsafe { libc::listen(socket.fd(), BACKLOG) })?;
    // SAFETY: INV-2.
    unsafe { (*socket.dst()).can_unlink_socket = glib_sys::GTRUE };
    Ok(())
}

/// Options of a connected socket, and its local address into `src`.
fn finish(socket: &Sock<'_>) {
    set_option(socket.fd(), IPPROTO_IP, libc::IP_TOS, TYPE_OF_SERVICE);
    set_option(socket.fd(), IPPROTO_TCP, libc::TCP_NODELAY, 1);
    set_option(socket.fd(), SOL_SOCKET, libc::SO_KEEPALIVE, 1);
    let (addr, len) = sockaddr(socket.src());
    // SAFETY: INV-2.
    unsafe {
        if libc::getsockname(socket.fd(), addr, len) == 0 {
            network_address_refresh_name(socket.src());
        }
    }
}

fn failed(call: &str, socket: &Sock<'_>, error: &io::Error) -> Retval {
    // SAFETY: INV-2.
    let name = unsafe { address::name(socket.dst()) };
    log::critical(&format!("{call}({name}) failed: {error}"));
    NETWORK_SOCKET_ERROR
}

export! {
    /// Makes a listener on `dst`.
    fn network_socket_bind(socket: *mut network_socket) -> Retval as fn_network_socket_bind {
        // SAFETY: a live socket that this thread drives (ABI).
        let mut socket = unsafe { Sock::from_raw(socket) };
        match listen(&mut socket) {
            Ok(()) => NETWORK_SOCKET_SUCCESS,
            Err(Failure(call, error)) => failed(call, &socket, &error),
        }
    }

    /// Starts to connect to `dst`: SUCCESS, ERROR_RETRY (in progress, wait until writable) or ERROR.
    fn network_socket_connect(socket: *mut network_socket) -> Retval as fn_network_socket_connect {
        // SAFETY: a live socket that this thread drives (ABI).
        let mut socket = unsafe { Sock::from_raw(socket) };
        if let Err(Failure(call, error)) = open(&mut socket) {
            return failed(call, &socket, &error);
        }
        if let Err(error) = socket.set_non_blocking() {
            return failed("fcntl", &socket, &error);
        }
        let (addr, len) = sockaddr(socket.dst());
        // SAFETY: INV-2.
        if unsafe { libc::connect(socket.fd(), addr, *len) } == 0 {
            finish(&socket);
            return NETWORK_SOCKET_SUCCESS;
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINPROGRESS | libc::EAGAIN) => NETWORK_SOCKET_ERROR_RETRY,
            _ => failed("connect", &socket, &error),
        }
    }

    /// After the socket became writable: SUCCESS, ERROR_RETRY (refused, errno tells why) or ERROR.
    fn network_socket_connect_finish(socket: *mut network_socket) -> Retval
    as fn_network_socket_connect_finish {
        // SAFETY: a live socket that this thread drives (ABI).
        let socket = unsafe { Sock::from_raw(socket) };
        let mut error: c_int = 0;
        let mut len = INT_LEN;
        // SAFETY: SO_ERROR writes one int; errno is this thread's.
        unsafe {
            if libc::getsockopt(
                socket.fd(),
                SOL_SOCKET,
                libc::SO_ERROR,
                (&raw mut error).cast(),
                &raw mut len,
            ) != 0
            {
                return failed("getsockopt", &socket, &io::Error::last_os_error());
            }
            if error != 0 {
                *libc::__errno_location() = error;
                return NETWORK_SOCKET_ERROR_RETRY;
            }
        }
        finish(&socket);
        NETWORK_SOCKET_SUCCESS
    }

    /// A new non-blocking socket for a client; NULL on failure. The caller owns it.
    fn network_socket_accept(listener: *mut network_socket) -> *mut network_socket {
        // SAFETY: a live listener (ABI); the client is fresh.
        unsafe {
            let client = network_socket_new();
            let mut socket = Sock::from_raw(client);
            let (addr, len) = sockaddr(socket.src());
            socket.set_fd(libc::accept(Sock::from_raw(listener).fd(), addr, len));
            let usable = socket.fd() >= 0
                && socket.set_non_blocking().is_ok()
                && network_address_refresh_name(socket.src()) == 0;
            if !usable {
                network_socket_free(client);
                return std::ptr::null_mut();
            }
            let (addr, len) = sockaddr(socket.dst());
            if libc::getsockname(socket.fd(), addr, len) == 0 {
                network_address_refresh_name(socket.dst());
            }
            client
        }
    }
}
