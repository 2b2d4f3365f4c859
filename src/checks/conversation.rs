//! A conversation with a server in which nothing takes longer than it may.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::AsRawFd;
use std::time::Instant;

use engine::Address;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use transport::{Handshake, Stream};
use wire::packet::frame;
use wire::{HEADER_LEN, Header};

use crate::chassis::fork;
use crate::drive::lane::dial;

/// The longest packet that a server has to say anything in, in bytes.
const MOST: usize = 1 << 16;
/// What is read at a time, in bytes.
const CHUNK: usize = 4096;

/// A connection to a server.
#[derive(Debug)]
pub struct Conversation {
    stream: Stream,
    poll: Poll,
    events: Events,
    /// When it has to be over.
    pub deadline: Instant,
    next_id: u8,
    input: Vec<u8>,
}

impl Conversation {
    /// Connects.
    pub fn begin(server: &Address, deadline: Instant) -> io::Result<Self> {
        let socket = dial(server)?;
        let fd = socket.as_raw_fd();
        fork::remember(fd);
        let mut poll = Poll::new()?;
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut SourceFd(&fd), Token(0), both)?;
        let mut events = Events::with_capacity(4);
        loop {
            wait(&mut poll, &mut events, deadline)?;
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            if socket.peer_addr().is_ok() {
                let (stream, input) = (Stream::new(socket.into()), Vec::new());
                return Ok(Self { stream, poll, events, deadline, next_id: 0, input });
            }
        }
    }

    fn wait(&mut self) -> io::Result<()> {
        wait(&mut self.poll, &mut self.events, self.deadline)
    }

    /// The next packet of the server.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Ok(header) = Header::parse(&self.input) {
                let len = usize::try_from(header.len).unwrap_or(usize::MAX);
                if len > MOST {
                    return Err(io::Error::new(ErrorKind::InvalidData, "its packet is too long"));
                }
                let end = HEADER_LEN + len;
                if let Some(payload) = self.input.get(HEADER_LEN..end) {
                    let payload = payload.to_vec();
                    self.input.drain(..end);
                    self.next_id = header.id.wrapping_add(1);
                    return Ok(payload);
                }
            }
            let mut chunk = [0; CHUNK];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::Error::other("it closed the connection")),
                Ok(len) => self.input.extend_from_slice(chunk.get(..len).unwrap_or_default()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait()?,
                Err(e) => return Err(e),
            }
        }
    }

    /// Says this, behind what the server said.
    pub fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut framed = Vec::new();
        self.next_id = frame(payload, self.next_id, &mut framed);
        let mut rest = &*framed;
        while !rest.is_empty() {
            match self.stream.write(&[IoSlice::new(rest)]) {
                Ok(len) => rest = rest.get(len..).unwrap_or_default(),
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait()?,
                Err(e) => return Err(e),
            }
        }
        loop {
            match self.stream.flush() {
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait()?,
                done => return done,
            }
        }
    }

    /// Says this as a command.
    pub fn command(&mut self, payload: &[u8]) -> io::Result<()> {
        self.next_id = 0;
        self.send(payload)
    }

    /// Everything is encrypted from here on. `start` begins with it.
    pub fn encrypt(
        &mut self,
        start: impl FnOnce(&mut Stream) -> Result<(), transport::TlsError>,
    ) -> io::Result<()> {
        start(&mut self.stream).map_err(io::Error::other)?;
        while self.stream.handshake()? != Handshake::Done {
            self.wait()?;
        }
        Ok(())
    }
}

/// Waits until there is something to do.
fn wait(poll: &mut Poll, events: &mut Events, deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(ErrorKind::TimedOut, "it does not answer in time"));
    }
    match poll.poll(events, Some(left)) {
        Err(e) if e.kind() != ErrorKind::Interrupted => Err(e),
        _ => Ok(()),
    }
}
