//! A socket with or without TLS: the layer below compression.

use std::io::{self, IoSlice};

use crate::buffer::Buffer;
use crate::socket::Socket;
use crate::tls::Session;

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) socket: Socket,
    pub(crate) tls: Option<Box<Session>>,
}

impl Channel {
    pub(crate) fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.read(to),
            Some(tls) => tls.read(&self.socket, to),
        }
    }

    pub(crate) fn read_into(&mut self, to: &mut Buffer) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.read_into(to),
            Some(tls) => tls.read_into(&self.socket, to),
        }
    }

    /// Whether the last read took all that had come, and can tell no more of it.
    pub(crate) fn has_read_all(&self) -> bool {
        self.socket.is_drained() && self.tls.as_ref().is_none_or(|tls| tls.is_starved())
    }

    pub(crate) fn has_buffered(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_buffered())
    }

    pub(crate) fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match (&mut self.tls, parts) {
            (None, [part]) => self.socket.write(part),
            (None, _) => self.socket.write_parts(parts),
            (Some(tls), _) => tls.write(&self.socket, parts),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.tls.as_mut().map_or(Ok(()), |tls| tls.flush(&self.socket))
    }

    pub(crate) fn wants_to_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_to_write())
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        match &mut self.tls {
            None => self.socket.is_quiet(),
            Some(tls) => tls.is_quiet(&self.socket),
        }
    }

    pub(crate) fn shutdown(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.shutdown(&self.socket);
        }
    }
}
