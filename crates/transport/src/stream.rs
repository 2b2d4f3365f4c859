//! [`Stream`]: a peer's bytes through all layers that are on.

use std::io::{self, IoSlice};
use std::os::fd::{BorrowedFd, OwnedFd};

use crate::buffer::Buffer;
use crate::channel::Channel;
use crate::compression::{Compression, Frames};
use crate::socket::Socket;
use crate::tls::{Handshake, Session, TlsClient, TlsError, TlsInfo, TlsServer};

/// The connection to one peer: a socket, TLS over it once it was started, compression over both.
///
/// Whatever the layers are, bytes that are read and written are MySQL packets. No call ever waits: what cannot be done now
/// is [`io::ErrorKind::WouldBlock`]. A stream can move to another thread; it belongs to one at a time.
///
/// An event loop
/// * reads when the descriptor is readable *or* [`has_buffered`](Self::has_buffered),
/// * stops at `WouldBlock`, or after a read that [took all](Self::has_read_all); the latter saves a call that gets nothing,
/// * calls [`flush`](Self::flush) after what it wanted to write, and when the descriptor is writable,
/// * watches for writability while [`wants_to_write`](Self::wants_to_write), or a write was refused.
#[derive(Debug)]
pub struct Stream {
    channel: Channel,
    frames: Option<Box<Frames>>,
    /// What was handed back: the next bytes to be read.
    unread: Buffer,
}

impl Stream {
    /// A plain stream over a connected socket, TCP or Unix. The stream owns it, and closes it at its end.
    pub fn new(fd: OwnedFd) -> Self {
        let channel = Channel { socket: Socket::new(fd), tls: None };
        Self { channel, frames: None, unread: Buffer::default() }
    }

    /// The descriptor, for the event loop and for socket options.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.channel.socket.fd()
    }

    /// Reads into `to`, and tells how many bytes. 0 is the end of the stream: the peer closed, with TLS's close_notify
    /// or without.
    ///
    /// # Errors
    ///
    /// `WouldBlock`; what the socket reports; `InvalidData` if TLS or a compressed frame is broken; `UnexpectedEof` if the
    /// stream ends within a compressed frame. After any but the first the stream is of no use.
    pub fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.channel.socket.look_again();
        if to.is_empty() {
            return Ok(0);
        }
        if !self.unread.is_empty() {
            return Ok(self.unread.take_into(to));
        }
        match &mut self.frames {
            None => self.channel.read(to),
            Some(frames) => frames.read(&mut self.channel, to),
        }
    }

    /// Whether a read may give bytes although the descriptor is not readable: some were handed back, or came together with
    /// others from the socket. A read may still be refused with `WouldBlock`, and then this is false.
    #[inline]
    pub fn has_buffered(&self) -> bool {
        !self.unread.is_empty()
            || self.channel.has_buffered()
            || self.frames.as_ref().is_some_and(|frames| frames.has_buffered())
    }

    /// Whether the last read took all that had come: it asked the socket, got less than it had room for, and no layer has
    /// a byte of that left to give. What comes from then on makes the descriptor readable once more.
    #[inline]
    pub fn has_read_all(&self) -> bool {
        self.channel.has_read_all() && !self.has_buffered()
    }

    /// Whether there is no layer.
    pub fn is_plain(&self) -> bool {
        self.channel.tls.is_none() && self.frames.is_none()
    }

    /// Writes the bytes of `parts`, and tells how many were taken: they are the socket's, or a layer has them.
    ///
    /// A layer takes about 64 KiB at a time, compression up to one packet more. Compression keeps small packets back until
    /// they fill a frame or [`flush`](Self::flush) is called, and a packet until it is complete.
    ///
    /// # Errors
    ///
    /// `WouldBlock`: nothing was taken; what the socket reports; `InvalidData` if TLS is broken.
    pub fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.frames {
            None => self.channel.write(parts),
            Some(frames) => frames.write(&mut self.channel, parts),
        }
    }

    /// Sends what layers hold back, but for the beginning of a packet that is not complete.
    ///
    /// # Errors
    ///
    /// `WouldBlock`: something is left; what the socket reports.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(frames) = &mut self.frames {
            frames.flush(&mut self.channel)?;
        }
        self.channel.flush()
    }

    /// Whether a layer has bytes that [`flush`](Self::flush) would send.
    pub fn wants_to_write(&self) -> bool {
        self.channel.wants_to_write()
            || self.frames.as_ref().is_some_and(|frames| frames.wants_to_write())
    }

    /// Hands back what was read too far: the next read begins with it. If a layer is started next, these bytes are that
    /// layer's: a ClientHello often comes in one segment with the SSLRequest.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.unread.prepend(bytes);
    }

    /// The peer is a TLS client from the next byte on. [`handshake`](Self::handshake) has to follow.
    ///
    /// # Errors
    ///
    /// If the stream has TLS or compression already, or OpenSSL cannot make a session.
    pub fn start_tls_server(&mut self, config: &TlsServer) -> Result<(), TlsError> {
        self.start_tls(|| config.session())
    }

    /// The peer is a TLS server from the next byte on. [`handshake`](Self::handshake) has to follow.
    ///
    /// `backend` names the server: a session that it gave us is used again for the same one only. `name` is the host name
    /// or IP address that its certificate must have, if the configuration wants that; a host name is sent to it (SNI).
    ///
    /// # Errors
    ///
    /// As [`start_tls_server`](Self::start_tls_server); also if the configuration wants a name and there is none.
    pub fn start_tls_client(
        &mut self,
        config: &TlsClient,
        backend: &str,
        name: Option<&str>,
    ) -> Result<(), TlsError> {
        self.start_tls(|| config.session(backend, name))
    }

    fn start_tls(
        &mut self,
        session: impl FnOnce() -> Result<Session, TlsError>,
    ) -> Result<(), TlsError> {
        if self.channel.tls.is_some() || self.frames.is_some() {
            return Err(TlsError::Started);
        }
        let mut session = session()?;
        session.begin_with(std::mem::take(&mut self.unread));
        self.channel.tls = Some(Box::new(session));
        Ok(())
    }

    /// Goes on with the handshake of TLS. To be called again when the descriptor is as the answer says.
    ///
    /// # Errors
    ///
    /// Why TLS cannot be, in words fit for a log: `certificate verify failed: self-signed certificate`. The peer was told,
    /// if possible. `UnexpectedEof` if the peer closed.
    pub fn handshake(&mut self) -> io::Result<Handshake> {
        match &mut self.channel.tls {
            None => Ok(Handshake::Done),
            Some(tls) => tls.handshake(&self.channel.socket),
        }
    }

    /// What was negotiated: once the handshake is done.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.channel.tls.as_ref()?.info()
    }

    /// Both directions are compressed frames from the next byte on: after the login's final OK. Has no effect if
    /// compression is on already.
    pub fn start_compression(&mut self, algorithm: Compression) {
        if self.frames.is_none() {
            let unread = std::mem::take(&mut self.unread);
            self.frames = Some(Box::new(Frames::new(algorithm, unread)));
        }
    }

    /// The next frame written has sequence 0: before each command towards a server. Without it, frames continue the
    /// sequence of the last one that was read or written.
    pub fn new_exchange(&mut self) {
        if let Some(frames) = &mut self.frames {
            frames.new_exchange();
        }
    }

    /// Whether the connection is open and nothing is left to be read or written, so that it can go to another client. A
    /// TLS session ticket that waits is read on the way, and is no data.
    pub fn is_quiet(&mut self) -> bool {
        self.unread.is_empty()
            && !self.wants_to_write()
            && self.frames.as_ref().is_none_or(|frames| frames.is_quiet())
            && self.channel.is_quiet()
    }

    /// Tells a TLS peer that this is the end (close_notify), if it can be sent now. The descriptor stays open.
    pub fn shutdown(&mut self) {
        self.channel.shutdown();
    }
}
