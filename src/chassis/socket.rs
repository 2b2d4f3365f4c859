//! `network_socket`: one side of a connection, with its packet queues and packet numbering.
//!
//! Facts: `docs/internals/packets.md`.

use std::ffi::CStr;
use std::io;
use std::marker::PhantomData;
use std::ptr::NonNull;

use chassis_sys as sys;
use chassis_sys::network_socket_retval_t as retval;

use super::api::api;
use super::{CommandPackets, Packet, address, event};
use crate::boundary::HostCall;
use engine::Address;

/// A socket of the host, for one callback.
#[derive(Debug, Clone, Copy)]
pub struct Socket<'h>(NonNull<sys::network_socket>, PhantomData<&'h HostCall>);

/// How a connect attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connect {
    /// The connection is established.
    Done,
    /// Wait until the socket is writable, then ask [`Socket::finish_connect`].
    InProgress,
    /// Refused or impossible.
    Failed,
}

impl<'h> Socket<'h> {
    /// # Safety
    /// `raw` is NULL or a socket that stays alive and unshared for the callback of `call` (INV-2).
    pub unsafe fn from_raw(raw: *mut sys::network_socket, _call: &'h HostCall) -> Option<Self> {
        NonNull::new(raw).map(|raw| Self(raw, PhantomData))
    }

    pub(super) fn as_ptr(&self) -> *mut sys::network_socket {
        self.0.as_ptr()
    }

    fn tail(&self) -> NonNull<sys::network_socket_tail> {
        let tail = event::socket_tail(self.0.as_ptr(), api().event_size);
        NonNull::new(tail).expect("an address inside a live socket")
    }

    /// The file descriptor, -1 when not open.
    pub fn fd(&self) -> i32 {
        // SAFETY: INV-2.
        unsafe { self.0.as_ref() }.fd
    }

    /// Local and remote end, or what is known of them: (`src`, `dst`).
    pub fn addresses(&self) -> (Address, Address) {
        // SAFETY: INV-2: both address objects live as long as the socket.
        unsafe {
            let tail = self.tail().as_ref();
            (address::copy(tail.src), address::copy(tail.dst))
        }
    }

    /// Takes the newest received packet.
    pub fn pop_received(&self) -> Option<Packet> {
        // SAFETY: INV-2; chunks are GStrings owned by the queue, and popping makes them ours.
        unsafe {
            let chunks = (*self.tail().as_ref().recv_queue).chunks;
            Packet::from_raw(glib_sys::g_queue_pop_tail(chunks).cast())
        }
    }

    /// Takes everything received: the packets of one command.
    pub fn take_command(&self) -> Option<CommandPackets> {
        let first = self.pop_oldest()?;
        let rest = std::iter::from_fn(|| self.pop_oldest()).collect();
        Some(CommandPackets { first, rest })
    }

    fn pop_oldest(&self) -> Option<Packet> {
        // SAFETY: as in `pop_received`.
        unsafe {
            let chunks = (*self.tail().as_ref().recv_queue).chunks;
            Packet::from_raw(glib_sys::g_queue_pop_head(chunks).cast())
        }
    }

    /// Whether received bytes wait unread, framed or not.
    pub fn has_received(&self) -> bool {
        // SAFETY: INV-2.
        unsafe {
            let tail = self.tail().as_ref();
            [tail.recv_queue, tail.recv_queue_raw]
                .into_iter()
                .any(|queue| (*(*queue).chunks).length != 0)
        }
    }

    /// Whether nothing waits to be sent.
    pub fn send_queue_is_empty(&self) -> bool {
        // SAFETY: INV-2.
        unsafe { (*(*self.tail().as_ref().send_queue).chunks).length == 0 }
    }

    /// Queues a packet with this sequence id.
    pub fn append(&self, mut packet: Packet, id: u8) {
        packet.set_id(id);
        self.append_chunk(packet, id);
    }

    /// Queues the packets of a command, the first with this sequence id. Several become one chunk, so that a partial write
    /// never ends between two (`docs/internals/defects.md#h3-a-command-is-read-again-in-the-middle`).
    pub fn append_command(&self, mut command: CommandPackets, id: u8) {
        if command.rest.is_empty() {
            return self.append(command.first, id);
        }
        let last_id = command.renumber(id);
        self.append_chunk(command.concat(), last_id);
    }

    /// The sequence id of the last packet read or queued.
    pub fn last_packet_id(&self) -> u8 {
        // SAFETY: INV-2.
        unsafe { self.tail().as_ref() }.last_packet_id
    }

    /// Queues framed packets, or other bytes, in one chunk; the last packet has `last_id`. A chunk without bytes would have
    /// the host abort: it is left out.
    pub fn append_chunk(&self, chunk: Packet, last_id: u8) {
        if chunk.bytes().is_empty() {
            return;
        }
        // SAFETY: INV-2; the chunk is not empty, and is given away.
        unsafe {
            let tail = self.tail().as_mut();
            (api().network_queue_append)(tail.send_queue, chunk.into_raw());
            tail.last_packet_id = last_id;
            tail.packet_id_is_reset = 0;
        }
    }

    /// The host takes the next packet whatever its sequence id.
    pub fn accept_any_id(&self) {
        // SAFETY: INV-2; a plain member.
        unsafe { self.tail().as_mut() }.packet_id_is_reset = 1;
    }

    /// Whether a connect came to an end, well or not: the socket is writable.
    pub fn connect_has_ended(&self) -> bool {
        poll(self.fd(), libc::POLLOUT)
    }

    /// Why a connect that has ended failed. The kernel tells it once: to be asked before [`Socket::finish_connect`].
    pub fn take_connect_error(&self) -> Option<io::Error> {
        let mut number: libc::c_int = 0;
        let mut size = libc::socklen_t::try_from(size_of_val(&number)).unwrap_or_default();
        // SAFETY: both pointers are to local values, and the size is that of the first.
        unsafe {
            let value = (&raw mut number).cast();
            libc::getsockopt(self.fd(), libc::SOL_SOCKET, libc::SO_ERROR, value, &raw mut size);
        }
        (number != 0).then(|| io::Error::from_raw_os_error(number))
    }

    /// Asks for the outcome of a connect that has ended.
    pub fn finish_connect(&self) -> Connect {
        // SAFETY: INV-2.
        match unsafe { (api().network_socket_connect_finish)(self.0.as_ptr()) } {
            retval::NETWORK_SOCKET_SUCCESS => Connect::Done,
            _ => Connect::Failed,
        }
    }

    /// Throws away what the peer sent and the host did not read yet, up to 64 KiB: the next call goes on. Whether the
    /// peer is still there.
    pub fn discard_input(&self) -> bool {
        const MOST_READS: usize = 64;
        let mut bytes = [0u8; 1024];
        for _ in 0..MOST_READS {
            // SAFETY: the buffer is valid for its length.
            let got = unsafe {
                libc::recv(self.fd(), bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT)
            };
            match got {
                0 => return false,
                1.. => {}
                _ => match io::Error::last_os_error().kind() {
                    io::ErrorKind::Interrupted => {}
                    kind => return kind == io::ErrorKind::WouldBlock,
                },
            }
        }
        true
    }

    /// Whether the peer hung up, also behind data that nobody read yet.
    pub fn has_hung_up(&self) -> bool {
        poll(self.fd(), libc::POLLRDHUP)
    }

    /// Whether the peer sent something or hung up, without reading it. Only of use while nothing is expected.
    pub fn is_readable(&self) -> bool {
        let mut byte = 0u8;
        // SAFETY: the buffer is one valid byte; MSG_PEEK leaves the data in place.
        let seen = unsafe {
            let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
            libc::recv(self.fd(), (&raw mut byte).cast(), 1, flags)
        };
        seen >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::WouldBlock
    }
}

/// Whether one of `events`, an error or a hang-up is there now.
fn poll(fd: i32, events: libc::c_short) -> bool {
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: the pointer is to one valid entry, as the count says; the call does not wait.
    unsafe { libc::poll(&raw mut entry, 1, 0) > 0 }
}

/// A server socket that we own until it is handed to the host; closed and freed when dropped.
#[derive(Debug)]
pub struct OwnedSocket(NonNull<sys::network_socket>);

// SAFETY: INV-1, INV-5: the socket is used, and freed, inside callbacks only, from whichever thread runs one; and no event
// is armed on it while a callback runs (INV-4).
unsafe impl Send for OwnedSocket {}

impl OwnedSocket {
    /// A new socket that will connect to the address of `backend`.
    ///
    /// # Safety
    /// `backend` is a live `network_address` (INV-2).
    pub unsafe fn to_address(backend: *mut sys::network_address) -> Option<Self> {
        // SAFETY: the host's constructor; the destination object exists in every new socket.
        unsafe {
            let socket = Self(NonNull::new((api().network_socket_new)())?);
            let tail = event::socket_tail(socket.0.as_ptr(), api().event_size);
            (api().network_address_copy)((*tail).dst, backend);
            Some(socket)
        }
    }

    /// A new socket that will connect to this address, which has no name that would have to be looked up.
    pub fn to_text(address: &CStr) -> Option<Self> {
        // SAFETY: the host's constructors; the destination object exists in every new socket, and the text is copied.
        unsafe {
            let socket = Self(NonNull::new((api().network_socket_new)())?);
            let tail = event::socket_tail(socket.0.as_ptr(), api().event_size);
            let set = (api().network_address_set_address)((*tail).dst, address.as_ptr());
            (set == 0).then_some(socket)
        }
    }

    /// The pointer for the host's `con->server`.
    pub fn as_ptr(&self) -> *mut sys::network_socket {
        self.0.as_ptr()
    }

    /// A view for the running callback, which ends with its owner, too:
    ///
    /// ```no_run
    /// # use pyproxy::{boundary::HostCall, chassis::OwnedSocket};
    /// fn use_before_close(socket: OwnedSocket, call: &HostCall) {
    ///     let view = socket.view(call);
    ///     view.accept_any_id();
    ///     drop(socket);
    /// }
    /// ```
    ///
    /// What is closed, or given to the pool for others, cannot be used any more:
    ///
    /// ```compile_fail,E0505
    /// # use pyproxy::{boundary::HostCall, chassis::OwnedSocket};
    /// fn use_after_close(socket: OwnedSocket, call: &HostCall) {
    ///     let view = socket.view(call);
    ///     drop(socket);
    ///     view.accept_any_id();
    /// }
    /// ```
    ///
    /// ```compile_fail,E0505
    /// # use pyproxy::{boundary::HostCall, chassis::OwnedSocket};
    /// fn use_after_parking(socket: OwnedSocket, call: &HostCall, pool: &mut Vec<OwnedSocket>) {
    ///     let view = socket.view(call);
    ///     pool.push(socket);
    ///     view.accept_any_id();
    /// }
    /// ```
    pub fn view<'a>(&'a self, _call: &'a HostCall) -> Socket<'a> {
        Socket(self.0, PhantomData)
    }

    /// Starts a non-blocking connect to the address given at creation.
    pub fn connect(&self) -> Connect {
        // SAFETY: we own the socket.
        match unsafe { (api().network_socket_connect)(self.0.as_ptr()) } {
            retval::NETWORK_SOCKET_SUCCESS => Connect::Done,
            retval::NETWORK_SOCKET_ERROR_RETRY => Connect::InProgress,
            _ => Connect::Failed,
        }
    }
}

impl Drop for OwnedSocket {
    fn drop(&mut self) {
        // SAFETY: we own the socket and the host holds no pointer to it any more (INV-4).
        unsafe { (api().network_socket_free)(self.0.as_ptr()) };
    }
}
