//! The listening socket (ABI 4.2).

use std::ffi::CString;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::ptr::NonNull;

use chassis_sys as sys;
use chassis_sys::network_socket_retval_t::NETWORK_SOCKET_SUCCESS;

use crate::chassis::api::api;
use crate::chassis::event::{socket_event, socket_tail};
use crate::hooks::callbacks;

/// A bound listener that does not accept yet.
#[derive(Debug)]
pub struct Listener(NonNull<sys::network_mysqld_con>);

impl Listener {
    /// Binds `address`. The host owns the connection object from then on and frees it at the end.
    ///
    /// # Safety
    /// `chas` is the host object, `config` what `init` returned; called from `apply_config`.
    pub unsafe fn bind(
        chas: *mut sys::chassis,
        config: *mut sys::chassis_plugin_config,
        address: &str,
    ) -> io::Result<Self> {
        let text = CString::new(address).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: the host's own constructors, in the order its plugins use them; every pointer is fresh.
        unsafe {
            let con = (api().network_mysqld_con_new)();
            let listener = Self(NonNull::new(con).ok_or(io::ErrorKind::OutOfMemory)?);
            (api().network_mysqld_add_connection)(chas, con);
            (*con).config = config;
            (*con).plugins = callbacks::table();
            let socket = (api().network_socket_new)();
            (*con).server = socket;
            let tail = socket_tail(socket, api().event_size);
            let bound = (api().network_address_set_address)((*tail).dst, text.as_ptr()) == 0
                && (api().network_socket_bind)(socket) == NETWORK_SOCKET_SUCCESS;
            if bound { Ok(listener) } else { Err(why(address)) }
        }
    }

    /// Starts accepting clients.
    ///
    /// # Safety
    /// As for [`Listener::bind`].
    pub unsafe fn accept(self, chas: *mut sys::chassis) {
        let con = self.0.as_ptr();
        let flags = i16::try_from(sys::EV_READ | sys::EV_PERSIST).expect("two small flags");
        // SAFETY: the connection and its socket were made by `bind` and belong to the host; the event is armed once.
        unsafe {
            let socket = (*con).server;
            let event = socket_event(socket);
            let accept = api().network_mysqld_con_accept;
            (api().event_set)(event, (*socket).fd, flags, Some(accept), con.cast());
            (api().event_base_set)((*chas).event_base, event);
            (api().event_add)(event, std::ptr::null());
        }
    }
}

/// The host does not say why a bind failed: ask the kernel.
fn why(address: &str) -> io::Error {
    let attempt = if address.starts_with('/') {
        UnixListener::bind(address).map(|_| ())
    } else {
        let address = match address.strip_prefix(':') {
            Some(port) => format!("0.0.0.0:{port}"),
            None => address.to_owned(),
        };
        TcpListener::bind(address).map(|_| ())
    };
    attempt.err().unwrap_or_else(|| io::Error::other("cannot listen there"))
}
