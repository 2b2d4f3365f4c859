//! A peer's bytes.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use socket2::Socket;

/// A connection to a peer.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    connecting: bool,
}

/// How a connect stands.
#[derive(Debug)]
pub enum Connect {
    /// It is done.
    Done,
    /// It is under way.
    InProgress,
    /// It failed.
    Failed(io::Error),
}

impl Stream {
    /// Over a socket that does not block.
    pub fn new(fd: OwnedFd) -> Self {
        Self { socket: Socket::from(fd), connecting: false }
    }

    /// Over a socket that does not block, whose connect is under way.
    pub fn connecting(fd: OwnedFd) -> Self {
        Self { connecting: true, ..Self::new(fd) }
    }

    /// Whether a connect is under way, as far as was asked.
    pub fn is_connecting(&self) -> bool {
        self.connecting
    }

    /// Asks how the connect stands.
    pub fn connect(&mut self) -> Connect {
        if let Some(error) = self.socket.take_error().unwrap_or_else(Some) {
            return Connect::Failed(error);
        }
        match self.socket.peer_addr() {
            Ok(_) => {
                self.connecting = false;
                Connect::Done
            }
            Err(_) => Connect::InProgress,
        }
    }

    /// For the poll.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Reads what is there, at most as much as fits; 0 is the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| self.socket.read(buffer))
    }

    /// Writes as much as is taken now.
    pub fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        retry(|| self.socket.write_vectored(parts))
    }

    /// Whether the peer has said nothing that was not read, and has not hung up.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let looked = self.socket.recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT);
        looked.is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
    }
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
