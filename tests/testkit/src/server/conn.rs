//! One connection of a scripted server.

use std::io::{self, Write};
use std::sync::Arc;

use openssl::ssl::SslAcceptor;

use super::Shared;
use super::greeting::Greeting;
use super::stream::Stream;
use crate::proto::ok_err;
use crate::proto::packet::{self, Packet};
use crate::wait::{PATIENCE, allowing_for_wrapper};

/// The server's end of one connection. Every packet read is recorded.
#[derive(Debug)]
pub struct ServerConn {
    stream: Stream,
    number: usize,
    shared: Arc<Shared>,
}

impl ServerConn {
    pub(super) fn new(stream: Stream, number: usize, shared: Arc<Shared>) -> Self {
        stream.prepare(allowing_for_wrapper(PATIENCE)).expect("socket options");
        Self { stream, number, shared }
    }

    /// Which connection this is, counted from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Whether the peer came over a unix socket or has TLS: passwords may be sent as they are.
    pub fn is_secure(&self) -> bool {
        self.stream.is_secure()
    }

    /// Goes on with TLS, which the packet read last has asked for.
    ///
    /// # Errors
    /// Those of the handshake, and if the connection is a unix socket or has TLS.
    pub fn start_tls(&mut self, acceptor: &SslAcceptor) -> io::Result<()> {
        self.stream.start_tls(acceptor)
    }

    /// Reads and records one packet.
    ///
    /// # Errors
    /// Those of [`packet::read`].
    pub fn read(&mut self) -> io::Result<Packet> {
        let packet = packet::read(&mut self.stream)?;
        self.shared.seen()[self.number].packets.push(packet.clone());
        Ok(packet)
    }

    /// Reads until the peer closes.
    ///
    /// # Errors
    /// If it stays open for [`PATIENCE`] without sending.
    pub fn read_to_close(&mut self) -> io::Result<()> {
        loop {
            match self.read() {
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return Err(error),
                Err(_) => return Ok(()),
            }
        }
    }

    /// Writes one message with ids from `id` on and returns the next id.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn write(&mut self, id: u8, payload: &[u8]) -> io::Result<u8> {
        packet::write_message(&mut self.stream, id, payload)
    }

    /// Writes several messages in one go, ids from `id` on.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn write_all(&mut self, id: u8, payloads: &[Vec<u8>]) -> io::Result<u8> {
        let mut bytes = Vec::new();
        let mut id = id;
        for payload in payloads {
            id = packet::write_message(&mut bytes, id, payload)?;
        }
        self.write_bytes(&bytes)?;
        Ok(id)
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Writes a plain OK.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn ok(&mut self, id: u8) -> io::Result<u8> {
        self.write(id, &ok_err::plain_ok())
    }

    /// Writes an ERR.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn err(&mut self, id: u8, code: u16, sqlstate: &str, message: &str) -> io::Result<u8> {
        self.write(id, &ok_err::err(code, sqlstate, message))
    }

    /// Greets, reads the login, answers OK.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn accept_login(&mut self, greeting: &Greeting) -> io::Result<Packet> {
        self.write(0, &greeting.payload())?;
        let login = self.read()?;
        self.ok(2)?;
        Ok(login)
    }

    /// Answers commands until COM_QUIT or the peer's close: `answer` gets the payload of each and
    /// returns the payloads that answer it.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn serve(&mut self, answer: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> io::Result<()> {
        loop {
            let command = self.read()?;
            if command.payload == [crate::client::COM_QUIT] {
                return Ok(());
            }
            let payloads = answer(&command.payload);
            self.write_all(command.id.wrapping_add(1), &payloads)?;
        }
    }

    /// Ends both directions.
    pub fn close(&mut self) {
        // The peer may have closed first.
        let _ = self.stream.shutdown();
    }

    /// Closes at once with a TCP reset, as a killed server machine does.
    pub fn abort(&mut self) {
        self.stream.reset();
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
