//! Moving bytes between the kernel and a socket's queues.
//!
//! Facts: `docs/internals/packets.md#queues`: a read step receives at most `to_read` bytes and cuts one packet; a write
//! attempt is one system call.

use std::ffi::c_int;
use std::io;

use chassis_sys::network_socket_retval_t::{
    NETWORK_SOCKET_ERROR, NETWORK_SOCKET_SUCCESS, NETWORK_SOCKET_WAIT_FOR_EVENT, Type as Retval,
};
use chassis_sys::{chassis, network_socket};

use crate::exports::export;
use crate::log;
use crate::packet::{self, HEADER_LEN};
use crate::socket::Sock;

/// Chunks written with one system call at most (`IOV_MAX` of Linux).
const MAX_CHUNKS: usize = 1024;

/// How far reading or writing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Io {
    /// A packet was read; everything was written.
    Done,
    /// The kernel has to get ready first.
    Block,
    /// The connection is unusable.
    Failed,
}

impl Io {
    fn retval(self) -> Retval {
        match self {
            Self::Done => NETWORK_SOCKET_SUCCESS,
            Self::Block => NETWORK_SOCKET_WAIT_FOR_EVENT,
            Self::Failed => NETWORK_SOCKET_ERROR,
        }
    }
}

impl Sock<'_> {
    /// Receives up to `to_read` bytes.
    fn receive(&mut self) -> Io {
        let Ok(wanted @ 1..) = usize::try_from(self.tail().to_read) else {
            return Io::Done;
        };
        let mut bytes = vec![0; wanted];
        // SAFETY: the buffer has that many bytes.
        let got = unsafe { libc::recv(self.fd(), bytes.as_mut_ptr().cast(), wanted, 0) };
        match usize::try_from(got) {
            // Closed: the next event says so.
            Ok(0) => Io::Block,
            Ok(got) => {
                self.received_raw().push(&bytes[..got]);
                self.tail_mut().to_read -= i64::try_from(got).unwrap_or(i64::MAX);
                Io::Done
            }
            Err(_) => match io::Error::last_os_error().raw_os_error() {
                Some(libc::EAGAIN | libc::ECONNRESET | libc::ECONNABORTED) => Io::Block,
                _ => Io::Failed,
            },
        }
    }

    /// Cuts one packet out of the raw bytes.
    fn cut_packet(&mut self) -> Io {
        let mut header = Vec::with_capacity(HEADER_LEN);
        if !self.received_raw().peek(HEADER_LEN, &mut header) {
            return Io::Block;
        }
        let Some(payload_len) = packet::payload_len(&header) else { return Io::Block };
        // Asked first: a long packet that arrives in many pieces is copied only once.
        let mut bytes = Vec::new();
        if self.received_raw().len() < HEADER_LEN + payload_len
            || !self.received_raw().peek(HEADER_LEN + payload_len, &mut bytes)
        {
            return Io::Block;
        }
        self.received_raw().consume(bytes.len());
        let mut numbering = self.numbering();
        if let Err(wrong) = numbering.receive(header[HEADER_LEN - 1]) {
            log::critical(&format!(
                "received packet-id {}, but expected {} ... out of sync.",
                wrong.received, wrong.expected
            ));
            return Io::Failed;
        }
        self.set_numbering(numbering);
        self.received().push(&bytes);
        Io::Done
    }

    /// One read step: receives what is there, then cuts one packet.
    pub fn read_packet(&mut self) -> Io {
        match self.receive() {
            Io::Done => self.cut_packet(),
            stopped => stopped,
        }
    }

    /// One attempt to send the whole send queue.
    pub fn write(&mut self) -> Io {
        let mut queue = self.to_send();
        if queue.is_empty() {
            return Io::Done;
        }
        let offset = queue.offset();
        let parts: Vec<libc::iovec> = queue
            .chunks()
            .take(MAX_CHUNKS)
            .enumerate()
            .map(|(index, chunk)| {
                chunk.get(if index == 0 { offset } else { 0 }..).unwrap_or_default()
            })
            .map(|part| libc::iovec {
                iov_base: part.as_ptr().cast_mut().cast(),
                iov_len: part.len(),
            })
            .collect();
        let count = c_int::try_from(parts.len()).unwrap_or(c_int::MAX);
        // SAFETY: the parts are those of chunks that live until they are consumed below.
        let sent = unsafe { libc::writev(self.fd(), parts.as_ptr(), count) };
        match usize::try_from(sent) {
            Ok(0) => Io::Failed,
            Ok(sent) => {
                queue.consume(sent);
                if queue.is_empty() { Io::Done } else { Io::Block }
            }
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::WouldBlock => Io::Block,
                error => {
                    if !matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET)) {
                        log::message(&format!("writing to a connection failed: {error}"));
                    }
                    Io::Failed
                }
            },
        }
    }

    /// Bytes that wait in the kernel; 0 means that the peer closed.
    pub fn pending(&self) -> io::Result<c_int> {
        let mut count: c_int = 0;
        // SAFETY: FIONREAD writes one int.
        if unsafe { libc::ioctl(self.fd(), libc::FIONREAD, &raw mut count) } == 0 {
            Ok(count)
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Makes the descriptor non-blocking.
    pub fn set_non_blocking(&self) -> io::Result<()> {
        // SAFETY: plain fcntl.
        if unsafe { libc::fcntl(self.fd(), libc::F_SETFL, libc::O_NONBLOCK | libc::O_RDWR) } == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

export! {
    /// Makes the descriptor non-blocking.
    fn network_socket_set_non_blocking(socket: *mut network_socket) -> Retval {
        // SAFETY: a live socket that this thread drives (ABI).
        match unsafe { Sock::from_raw(socket) }.set_non_blocking() {
            Ok(()) => NETWORK_SOCKET_SUCCESS,
            Err(error) => {
                log::critical(&format!("set_non_blocking() failed: {error}"));
                NETWORK_SOCKET_ERROR
            }
        }
    }

    /// Sets `to_read` to the bytes that wait in the kernel.
    fn network_socket_to_read(socket: *mut network_socket) -> Retval {
        // SAFETY: a live socket that this thread drives (ABI).
        let mut socket = unsafe { Sock::from_raw(socket) };
        match socket.pending() {
            Ok(count) => {
                socket.set_to_read(count);
                NETWORK_SOCKET_SUCCESS
            }
            Err(error) => {
                log::critical(&format!("ioctl({}, FIONREAD, ...) failed: {error}", socket.fd()));
                NETWORK_SOCKET_ERROR
            }
        }
    }

    /// Receives `to_read` bytes.
    fn network_socket_read(socket: *mut network_socket) -> Retval {
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.receive().retval()
    }

    /// Sends the send queue. This host always tries all chunks.
    fn network_socket_write(socket: *mut network_socket, _chunks: c_int) -> Retval {
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.write().retval()
    }

    /// One read step: SUCCESS when a packet was added to the receive queue.
    fn network_mysqld_read(_chas: *mut chassis, socket: *mut network_socket) -> Retval {
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.read_packet().retval()
    }

    /// The second half of a read step.
    fn network_mysqld_con_get_packet(_chas: *mut chassis, socket: *mut network_socket) -> Retval {
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.cut_packet().retval()
    }

    /// Sends the whole send queue.
    fn network_mysqld_write(_chas: *mut chassis, socket: *mut network_socket) -> Retval
    as fn_network_mysqld_write {
        // SAFETY: a live socket that this thread drives (ABI).
        unsafe { Sock::from_raw(socket) }.write().retval()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::tests::with_socket;

    #[test]
    fn one_packet_is_cut_per_step_and_wrong_ids_fail() {
        with_socket(|socket, _| {
            socket.received_raw().push(&[1, 0, 0, 3, b'a', 1, 0, 0, 4]);
            assert_eq!(socket.cut_packet(), Io::Done);
            assert_eq!(socket.cut_packet(), Io::Block);
            socket.received_raw().push(&[b'b', 0, 0, 0, 9]);
            assert_eq!(socket.cut_packet(), Io::Done);
            assert_eq!(socket.received().count(), 2);
            assert_eq!(socket.received().last(), Some(&[1, 0, 0, 4, b'b'][..]));
            assert_eq!(socket.cut_packet(), Io::Failed);
            assert_eq!(socket.received().count(), 2);
        });
    }
}
