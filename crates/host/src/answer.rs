//! OK and ERR packets that the host sends itself or lends to plugins.
//!
//! Facts: `docs/internals/packets.md#functions`. Each answer ends an exchange: the socket's numbering is reset behind
//! it.

use std::ffi::{c_char, c_int, c_uint};

use chassis_sys::network_socket;
use wire::Capabilities;
use wire::reply::{ErrPacket, OkPacket, StatusFlags};

use crate::exports::export;
use crate::glib;
use crate::socket::Sock;

/// `ER_UNKNOWN_ERROR`.
const UNKNOWN_ERROR: u16 = 1105;
/// The SQL state that goes with it in the original.
const UNKNOWN_STATE: &[u8; 5] = b"07000";
/// The original cuts messages here.
const MAX_MESSAGE: usize = 512;

/// The payload of an ERR packet of the 4.1 protocol.
fn err_payload(message: &[u8], code: u16, state: &[u8; 5]) -> Vec<u8> {
    let message = &message[..message.len().min(MAX_MESSAGE)];
    ErrPacket { code, sqlstate: Some(*state), message }.encode()
}

/// Queues an ERR packet.
pub fn send_error(socket: &mut Sock<'_>, message: &str) {
    socket.answer(&err_payload(message.as_bytes(), UNKNOWN_ERROR, UNKNOWN_STATE));
}

export! {
    /// OK with autocommit status.
    fn network_mysqld_con_send_ok(socket: *mut network_socket) -> c_int {
        let ok = OkPacket { status: StatusFlags::AUTOCOMMIT, ..OkPacket::default() };
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.answer(&ok.encode(Capabilities::empty()));
        0
    }

    /// ERR 1105 with SQL state 07000.
    fn network_mysqld_con_send_error(socket: *mut network_socket, message: *const c_char, len: usize) -> c_int {
        // SAFETY: as for the function called.
        unsafe {
            network_mysqld_con_send_error_full(socket, message, len, UNKNOWN_ERROR.into(), std::ptr::null())
        }
    }

    /// ERR; `sqlstate` is NULL or five bytes.
    fn network_mysqld_con_send_error_full(
        socket: *mut network_socket,
        message: *const c_char,
        len: usize,
        code: c_uint,
        sqlstate: *const c_char,
    ) -> c_int {
        // SAFETY: a live socket that this thread drives; the texts are as long as told (ABI).
        let (mut socket, message, state) = unsafe {
            let message = std::slice::from_raw_parts(message.cast::<u8>(), len);
            (Sock::from_raw(socket), message, glib::c_bytes(sqlstate))
        };
        let state = state.and_then(|state| state.first_chunk()).unwrap_or(UNKNOWN_STATE);
        socket.answer(&err_payload(message, u16::try_from(code).unwrap_or(UNKNOWN_ERROR), state));
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_classic_layout_and_a_limit() {
        assert_eq!(err_payload(b"no", 1064, b"42000"), b"\xff\x28\x04#42000no");
        assert_eq!(err_payload(&[b'x'; 600], 1, UNKNOWN_STATE).len(), 9 + MAX_MESSAGE);
    }
}
