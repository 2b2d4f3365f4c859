//! [`Session`]: one connection's TLS. OpenSSL reads and writes queues in memory; this moves them from and to the socket.
//!
//! So OpenSSL never waits for writability, nothing has to be repeated with the same bytes, a ClientHello that was read
//! with the SSLRequest is just the beginning of a queue, and several records cost one system call.

use std::io::{self, IoSlice, Read, Write};

use openssl::error::ErrorStack;
use openssl::ssl::{ErrorCode, ShutdownState, Ssl, SslStream, SslVerifyMode};
use openssl::x509::X509VerifyResult;

use super::error::reasons;
use super::info::TlsInfo;
use crate::buffer::{Buffer, CHUNK};
use crate::socket::Socket;

/// The largest record: smaller parts are joined to one, because each costs a tag and a call.
const RECORD: usize = 16 * 1024;

/// What may wait to be sent. [`Session::write`] adds at most [`CHUNK`] to nothing; what is beyond comes from a peer that
/// asks for new keys again and again, and reads nothing.
const MAX_OUTGOING: usize = 2 * CHUNK;

/// How far a handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// Both sides can write.
    Done,
    /// To be called again when the descriptor is readable.
    WantsRead,
    /// To be called again when the descriptor is writable.
    WantsWrite,
}

/// What OpenSSL takes for its socket.
#[derive(Debug, Default)]
struct Queues {
    incoming: Buffer,
    outgoing: Buffer,
    /// The peer closed: nothing comes behind `incoming`.
    has_ended: bool,
}

impl Read for Queues {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() && !self.has_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self.incoming.take_into(to))
    }
}

impl Write for Queues {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.outgoing.len() > MAX_OUTGOING {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.outgoing.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One connection's TLS.
#[derive(Debug)]
pub(crate) struct Session {
    ssl: SslStream<Queues>,
    /// OpenSSL has used all that came, and has nothing more to tell of it, not even an end or what is wrong: the next read
    /// needs not ask it before something comes.
    is_starved: bool,
    info: Option<TlsInfo>,
}

impl Session {
    pub(super) fn new(ssl: Ssl) -> Result<Self, ErrorStack> {
        Ok(Self { ssl: SslStream::new(ssl, Queues::default())?, is_starved: false, info: None })
    }

    /// Gives the first bytes of the peer, which were read before.
    pub(crate) fn begin_with(&mut self, bytes: Buffer) {
        self.ssl.get_mut().incoming = bytes;
    }

    pub(crate) fn info(&self) -> Option<&TlsInfo> {
        self.info.as_ref()
    }

    pub(crate) fn handshake(&mut self, socket: &Socket) -> io::Result<Handshake> {
        loop {
            let result = self.ssl.do_handshake();
            if let Err(error) = &result
                && !is_waiting(error)
            {
                self.try_flush(socket);
                return Err(self.failure(error));
            }
            match self.flush(socket) {
                Err(error) if would_block(&error) => return Ok(Handshake::WantsWrite),
                // A peer that closed may have said why before: that is the better text.
                Err(error) if result.is_ok() => return Err(error),
                _ => {}
            }
            let Err(error) = result else {
                self.info = Some(TlsInfo::of(self.ssl.ssl()));
                return Ok(Handshake::Done);
            };
            match self.receive_for(&error, socket) {
                Ok(_) => {}
                Err(error) if would_block(&error) => return Ok(Handshake::WantsRead),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads at least one byte if one can be had, and then all that fits of what came with it.
    pub(crate) fn read(&mut self, socket: &Socket, to: &mut [u8]) -> io::Result<usize> {
        if self.is_starved {
            self.receive(socket)?;
        }
        let mut count = 0;
        while let Some(rest) = to.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match self.ssl.ssl_read(rest) {
                Ok(more) => count += more,
                Err(error) if count > 0 => {
                    // An end, and what is wrong, are told by the next read.
                    self.is_starved = error.code() == ErrorCode::WANT_READ;
                    break;
                }
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => break,
                Err(error) => {
                    self.try_flush(socket);
                    if self.receive_for(&error, socket)? {
                        continue;
                    }
                    if self.has_ended() {
                        break;
                    }
                    return Err(self.failure(&error));
                }
            }
            if count > 0 && !self.has_buffered() {
                self.is_starved = true;
                break;
            }
        }
        self.try_flush(socket);
        Ok(count)
    }

    /// As [`read`](Self::read), behind what `to` has.
    pub(crate) fn read_into(&mut self, socket: &Socket, to: &mut Buffer) -> io::Result<usize> {
        let tail = to.tail();
        let before = tail.len();
        tail.resize(before + RECORD, 0);
        let result = self.read(socket, tail.get_mut(before..).unwrap_or_default());
        tail.truncate(before + result.as_ref().map_or(0, |count| *count));
        to.consume(0);
        result
    }

    /// Whether OpenSSL has used all that came, and has nothing more to tell of it, not even an end or what is wrong.
    pub(crate) fn is_starved(&self) -> bool {
        self.is_starved
    }

    pub(crate) fn has_buffered(&self) -> bool {
        self.ssl.ssl().pending() > 0 || !self.ssl.get_ref().incoming.is_empty()
    }

    pub(crate) fn wants_to_write(&self) -> bool {
        !self.ssl.get_ref().outgoing.is_empty()
    }

    pub(crate) fn write(&mut self, socket: &Socket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.flush(socket)?;
        let mut small = Buffer::default();
        let mut count = 0;
        let mut parts = parts.iter().peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let mut part: &[u8] = part;
            while !part.is_empty() && count + small.len() < CHUNK {
                let (bytes, rest) = part.split_at(part.len().min(RECORD - small.len()));
                part = rest;
                // What is a record as it is goes without a copy.
                let is_record = bytes.len() == RECORD || is_last && part.is_empty();
                if small.is_empty() && is_record {
                    count += self.write_record(bytes)?;
                    continue;
                }
                small.append(bytes);
                if small.len() == RECORD {
                    count += self.write_record(small.as_slice())?;
                    small.consume(RECORD);
                }
            }
        }
        if !small.is_empty() {
            count += self.write_record(small.as_slice())?;
        }
        self.try_flush(socket);
        Ok(count)
    }

    /// Encrypts what fits in a record: the queue takes it. A client may have asked for smaller records, which are several
    /// then.
    fn write_record(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut count = 0;
        while let Some(rest) = bytes.get(count..).filter(|rest| !rest.is_empty()) {
            match self.ssl.ssl_write(rest) {
                Ok(more) => count += more,
                Err(error) if error.code() == ErrorCode::WANT_READ => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Err(error) => return Err(self.failure(&error)),
            }
        }
        Ok(count)
    }

    /// Sends the queue.
    pub(crate) fn flush(&mut self, socket: &Socket) -> io::Result<()> {
        let outgoing = &mut self.ssl.get_mut().outgoing;
        while !outgoing.is_empty() {
            let count = socket.write(outgoing.as_slice())?;
            outgoing.consume(count);
        }
        Ok(())
    }

    /// Sends the queue as far as it goes. What is wrong is found by the next flush, for the queue is not empty then.
    fn try_flush(&mut self, socket: &Socket) {
        let _ = self.flush(socket);
    }

    pub(crate) fn is_quiet(&mut self, socket: &Socket) -> bool {
        loop {
            match self.ssl.ssl_peek(&mut [0]) {
                Ok(_) => return false,
                Err(error) => match self.receive_for(&error, socket) {
                    Ok(true) => {}
                    Ok(false) => return false,
                    Err(error) => return would_block(&error),
                },
            }
        }
    }

    pub(crate) fn shutdown(&mut self, socket: &Socket) {
        // It may fail, for the peer is gone often: this is a courtesy.
        let _ = self.ssl.shutdown();
        self.try_flush(socket);
    }

    /// Gets what OpenSSL misses. False if it misses nothing: it failed, or the stream has ended.
    fn receive_for(&mut self, error: &openssl::ssl::Error, socket: &Socket) -> io::Result<bool> {
        match error.code() {
            ErrorCode::WANT_READ => {
                self.is_starved = true;
                self.receive(socket)?;
                Ok(true)
            }
            ErrorCode::WANT_WRITE => {
                self.flush(socket)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Gets what came for OpenSSL.
    fn receive(&mut self, socket: &Socket) -> io::Result<()> {
        let queues = self.ssl.get_mut();
        let count = socket.read_into(&mut queues.incoming)?;
        queues.has_ended = count == 0;
        self.is_starved = false;
        Ok(())
    }

    fn has_ended(&self) -> bool {
        let queues = self.ssl.get_ref();
        queues.has_ended && queues.incoming.is_empty()
    }

    /// Why OpenSSL failed.
    fn failure(&self, error: &openssl::ssl::Error) -> io::Error {
        let ssl = self.ssl.ssl();
        let verified = ssl.verify_result();
        if ssl.verify_mode() != SslVerifyMode::NONE && verified != X509VerifyResult::OK {
            return invalid(format!("certificate verify failed: {}", verified.error_string()));
        }
        if self.has_ended() {
            let text = "the peer closed the connection in the TLS handshake";
            return io::Error::new(io::ErrorKind::UnexpectedEof, text);
        }
        invalid(match error.ssl_error() {
            Some(stack) => format!("TLS: {}", reasons(stack)),
            None => format!("TLS: {error}"),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without close_notify OpenSSL would not let the session go on in another connection; but nobody sends it, and a
        // session that failed was given up before.
        if self.info.is_some() {
            self.ssl.set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
        }
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn is_waiting(error: &openssl::ssl::Error) -> bool {
    matches!(error.code(), ErrorCode::WANT_READ | ErrorCode::WANT_WRITE)
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
