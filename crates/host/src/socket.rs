//! `network_socket`: one socket with its queues and packet numbers.
//!
//! What is done with it: `connect.rs`, `transfer.rs`, `framing.rs`. Facts:
//! `docs/internals/packets.md`, `docs/internals/abi.md#libevent`.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::ptr::{self, NonNull};

use chassis_sys::{network_socket, network_socket_tail};

use crate::auth::{self, Challenge};
use crate::exports::export;
use crate::libevent::{self, EventMemory};
use crate::packet::Numbering;
use crate::queue::{self, Queue};
use crate::{address, glib};

/// The whole `network_socket`, with the `struct event` of libevent 2.1 inside.
#[repr(C)]
pub struct Socket {
    fd: c_int,
    event: EventMemory,
    tail: network_socket_tail,
}

const _: () = {
    use chassis_sys::layout::{SOCKET_EVENT_OFFSET, SOCKET_SIZE_REL};
    assert!(offset_of!(Socket, event) == SOCKET_EVENT_OFFSET);
    assert!(offset_of!(Socket, tail) == SOCKET_EVENT_OFFSET + size_of::<EventMemory>());
    assert!(size_of::<Socket>() == SOCKET_SIZE_REL + size_of::<EventMemory>());
};

/// A socket for as long as its connection is borrowed (INV-2).
pub struct Sock<'c> {
    raw: NonNull<Socket>,
    con: PhantomData<&'c ()>,
}

impl<'c> Sock<'c> {
    /// # Safety
    /// `raw` is a live socket of this host that only this thread uses during `'c`.
    pub unsafe fn from_raw(raw: *mut network_socket) -> Self {
        Self { raw: NonNull::new(raw.cast()).expect("a plugin passes a socket"), con: PhantomData }
    }

    /// The members behind the event.
    pub fn tail(&self) -> &network_socket_tail {
        // SAFETY: INV-2.
        unsafe { &(*self.raw.as_ptr()).tail }
    }

    /// The same, to change them.
    pub fn tail_mut(&mut self) -> &mut network_socket_tail {
        // SAFETY: INV-2.
        unsafe { &mut (*self.raw.as_ptr()).tail }
    }

    /// The descriptor; -1 when it is not open.
    pub fn fd(&self) -> c_int {
        // SAFETY: INV-2.
        unsafe { (*self.raw.as_ptr()).fd }
    }

    /// Sets the descriptor, which the socket owns from now on.
    pub fn set_fd(&mut self, fd: c_int) {
        // SAFETY: INV-2.
        unsafe { (*self.raw.as_ptr()).fd = fd };
    }

    /// The `struct event` inside.
    pub fn event(&self) -> *mut chassis_sys::event {
        // SAFETY: INV-2; no reference is made.
        unsafe { (&raw mut (*self.raw.as_ptr()).event).cast() }
    }

    /// The peer of a client, the local end of a server connection.
    pub fn src(&self) -> *mut chassis_sys::network_address {
        self.tail().src
    }

    /// The local end of a client, the backend of a server connection, the address of a listener.
    pub fn dst(&self) -> *mut chassis_sys::network_address {
        self.tail().dst
    }

    /// Replaces `dst` by a fresh address and returns the old one.
    pub fn replace_dst(&mut self) -> *mut chassis_sys::network_address {
        // SAFETY: no precondition.
        let fresh = unsafe { address::network_address_new() };
        std::mem::replace(&mut self.tail_mut().dst, fresh)
    }

    /// Received packets.
    pub fn received(&self) -> Queue<'_> {
        // SAFETY: INV-2.
        unsafe { Queue::from_raw(self.tail().recv_queue) }
    }

    /// Received bytes that are not yet cut into packets.
    pub fn received_raw(&self) -> Queue<'_> {
        // SAFETY: INV-2.
        unsafe { Queue::from_raw(self.tail().recv_queue_raw) }
    }

    /// Bytes to send.
    pub fn to_send(&self) -> Queue<'_> {
        // SAFETY: INV-2.
        unsafe { Queue::from_raw(self.tail().send_queue) }
    }

    /// Version of the server as its handshake told it (5.1.14 is 50114), when a plugin kept the handshake here.
    pub fn server_version(&self) -> Option<u32> {
        // SAFETY: INV-2: NULL or a challenge made by this host.
        unsafe { self.tail().challenge.cast::<Challenge>().as_ref() }.map(|c| c.server_version)
    }

    /// The packet numbers.
    pub fn numbering(&self) -> Numbering {
        let tail = self.tail();
        Numbering { last: tail.last_packet_id, reset: tail.packet_id_is_reset != glib_sys::GFALSE }
    }

    /// Takes the next packet number as `step` says.
    pub fn number(&mut self, step: impl FnOnce(&mut Numbering) -> u8) -> u8 {
        let mut numbering = self.numbering();
        let id = step(&mut numbering);
        self.set_numbering(numbering);
        id
    }

    /// Sets the packet numbers.
    pub fn set_numbering(&mut self, numbering: Numbering) {
        let tail = self.tail_mut();
        tail.last_packet_id = numbering.last;
        tail.packet_id_is_reset = numbering.reset.into();
    }

    /// The next packet starts a new exchange.
    pub fn reset_numbering(&mut self) {
        self.tail_mut().packet_id_is_reset = glib_sys::GTRUE;
    }

    /// Lets the next read step take up to `count` bytes.
    pub fn set_to_read(&mut self, count: c_int) {
        self.tail_mut().to_read = count.into();
    }
}

export! {
    /// A socket with all its parts; fd -1, the numbering reset.
    fn network_socket_new() -> *mut network_socket as fn_network_socket_new {
        let socket: *mut Socket = glib::alloc_zeroed();
        // SAFETY: fresh memory of a socket.
        unsafe {
            (*socket).fd = -1;
            let tail = &mut (*socket).tail;
            tail.src = address::network_address_new();
            tail.dst = address::network_address_new();
            tail.socket_type = libc::SOCK_STREAM;
            tail.packet_id_is_reset = glib_sys::GTRUE;
            tail.recv_queue = queue::network_queue_new();
            tail.recv_queue_raw = queue::network_queue_new();
            tail.send_queue = queue::network_queue_new();
            tail.default_db = glib::new_string(b"");
        }
        socket.cast()
    }

    /// Frees everything, removes the event if it was ever armed, closes the descriptor. NULL is fine.
    fn network_socket_free(socket: *mut network_socket) as fn_network_socket_free {
        let Some(raw) = NonNull::new(socket.cast::<Socket>()) else { return };
        let raw = raw.as_ptr();
        // SAFETY: a socket of this host that the caller gives up (ABI).
        unsafe {
            libevent::disarm((&raw mut (*raw).event).cast());
            let tail = ptr::read(&raw const (*raw).tail);
            queue::network_queue_free(tail.send_queue);
            queue::network_queue_free(tail.recv_queue);
            queue::network_queue_free(tail.recv_queue_raw);
            auth::network_mysqld_auth_response_free(tail.response);
            auth::network_mysqld_auth_challenge_free(tail.challenge);
            address::network_address_free(tail.dst);
            address::network_address_free(tail.src);
            glib::free_string(tail.default_db);
            if (*raw).fd != -1 {
                libc::close((*raw).fd);
            }
            glib::free(raw);
        }
    }

}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs `test` on a fresh socket, of which it gets the pointer too, and frees it.
    pub fn with_socket(test: impl FnOnce(&mut Sock<'_>, *mut network_socket)) {
        // SAFETY: the socket lives until it is freed here; only this thread knows it.
        unsafe {
            let raw = network_socket_new();
            test(&mut Sock::from_raw(raw), raw);
            network_socket_free(raw);
        }
    }

    #[test]
    fn a_fresh_socket_looks_like_the_originals() {
        with_socket(|socket, _| {
            assert_eq!(socket.fd(), -1);
            assert_eq!(socket.numbering(), Numbering { last: 0, reset: true });
            assert!(socket.received().is_empty() && socket.to_send().is_empty());
        });
    }
}
