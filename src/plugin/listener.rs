//! The listening socket (ABI 4.2).

use std::ffi::CString;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use chassis_sys as sys;
use chassis_sys::network_socket_retval_t::NETWORK_SOCKET_SUCCESS;

use crate::chassis::api::api;
use crate::chassis::event::{socket_event, socket_tail};
use crate::hooks::callbacks;

/// Whether the kernel lets us listen on `address` now. Asked before the script is loaded, so that nothing is half
/// started; the address is taken with [`listen`] when everything else is in place.
pub fn check(address: &str) -> io::Result<()> {
    // The host itself takes over the path of a dead unix socket.
    if address.starts_with('/') { Ok(()) } else { try_listening(address) }
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
            return Err(try_listening(address)
                .err()
                .unwrap_or_else(|| io::Error::other("cannot listen")));
        }
        let event = socket_event(socket);
        let accept = api().network_mysqld_con_accept;
        (api().event_set)(event, (*socket).fd, flags, Some(accept), con.cast());
        (api().event_base_set)((*chas).event_base, event);
        (api().event_add)(event, std::ptr::null());
    }
    Ok(())
}

fn try_listening(address: &str) -> io::Result<()> {
    if address.starts_with('/') {
        return UnixListener::bind(address).map(drop);
    }
    match address.strip_prefix(':') {
        Some(port) => TcpListener::bind(format!("0.0.0.0:{port}")),
        None => TcpListener::bind(address),
    }
    .map(drop)
}
