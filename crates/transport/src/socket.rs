//! The lowest layer: a socket that never blocks, whatever its own flags say, and that never raises SIGPIPE.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, recv, send, sendmsg};

use crate::buffer::{Buffer, CHUNK};

/// Linux takes no more parts in one call (`UIO_MAXIOV`).
const MAX_PARTS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self(fd)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(crate) fn read(&self, to: &mut [u8]) -> io::Result<usize> {
        retry(|| recv(&self.0, &mut *to, RecvFlags::DONTWAIT).map(|(count, _)| count))
    }

    /// Reads what is there, but not much more than [`CHUNK`], behind what `to` has.
    pub(crate) fn read_into(&self, to: &mut Buffer) -> io::Result<usize> {
        let tail = to.tail();
        tail.reserve(CHUNK / 4);
        let read =
            retry(|| recv(&self.0, spare_capacity(tail), RecvFlags::DONTWAIT).map(|(n, _)| n));
        // Nothing came: the memory goes back.
        to.consume(0);
        read
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        retry(|| send(&self.0, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL))
    }

    pub(crate) fn write_parts(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let parts = parts.get(..MAX_PARTS).unwrap_or(parts);
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        retry(|| sendmsg(&self.0, parts, &mut SendAncillaryBuffer::default(), flags))
    }

    /// Whether the peer neither sent anything nor closed.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [0; 1];
        let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
        matches!(retry(|| recv(&self.0, &mut byte, flags).map(|(n, _)| n)),
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
