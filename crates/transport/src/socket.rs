//! The lowest layer: a socket that never blocks, whatever its own flags say, and that never raises SIGPIPE.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};

use crate::buffer::{Buffer, CHUNK};

/// Linux takes no more parts in one call (`UIO_MAXIOV`).
const MAX_PARTS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    /// The last read got something, and less than it had room for.
    is_drained: Cell<bool>,
}

impl Socket {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, is_drained: Cell::new(false) }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Whether a read since [`look_again`](Self::look_again) got all that had come, and that was not the end.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_drained.get()
    }

    /// It is worth another read, whatever the last one got.
    pub(crate) fn look_again(&self) {
        self.is_drained.set(false);
    }

    pub(crate) fn read(&self, to: &mut [u8]) -> io::Result<usize> {
        let room = to.len();
        let flags = RecvFlags::DONTWAIT;
        let read = retry(|| recv(&self.fd, &mut *to, flags).map(|(count, _)| count));
        self.note(&read, room);
        read
    }

    fn note(&self, read: &io::Result<usize>, room: usize) {
        self.is_drained.set(read.as_ref().is_ok_and(|count| (1..room).contains(count)));
    }

    /// Reads what is there, but not much more than [`CHUNK`], behind what `to` has.
    pub(crate) fn read_into(&self, to: &mut Buffer) -> io::Result<usize> {
        let tail = to.tail();
        tail.reserve(CHUNK / 4);
        let room = tail.capacity() - tail.len();
        let flags = RecvFlags::DONTWAIT;
        let read = retry(|| recv(&self.fd, spare_capacity(tail), flags).map(|(count, _)| count));
        self.note(&read, room);
        // Nothing came: the memory goes back.
        to.consume(0);
        read
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        retry(|| send(&self.fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL))
    }

    pub(crate) fn write_parts(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let parts = parts.get(..MAX_PARTS).unwrap_or(parts);
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        retry(|| sendmsg(&self.fd, parts, &mut SendAncillaryBuffer::default(), flags))
    }

    /// Whether the peer neither sent anything nor closed.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [0; 1];
        let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
        matches!(retry(|| recv(&self.fd, &mut byte, flags).map(|(n, _)| n)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Repeats what a signal interrupted.
fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}
