//! One end of a connection: the stream to a peer, and what waits to be written to it.
//!
//! The end of a server may be parked, and taken by a connection of another thread: so it is shared, and locked for a few
//! instructions, or one system call that does not wait.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{Address, Link};
use socket2::SockRef;
use transport::{Compression, Handshake, Stream, TlsError};

/// A queue that held more than this is not kept for the next packets, in bytes.
const KEPT: usize = 16 << 10;

/// One end.
#[derive(Debug)]
pub struct End {
    channel: Mutex<Channel>,
    /// Something was read that is not dealt with yet.
    unread: AtomicBool,
    fd: RawFd,
    addresses: (Address, Address),
    host: Option<Arc<str>>,
}

/// What is behind the lock.
#[derive(Debug)]
pub struct Channel {
    /// The way to the peer.
    pub stream: Stream,
    /// Its connect is under way, as far as was asked.
    connecting: bool,
    queue: Vec<u8>,
    /// How much of the queue is written.
    written: usize,
    /// What happens when the queue is written so far.
    marks: VecDeque<(usize, Mark)>,
}

/// What happens between the bytes before it and those behind it.
#[derive(Debug, Clone, Copy)]
enum Mark {
    /// What follows is compressed.
    Compression(Compression),
    /// What follows is another command: its frames are numbered anew.
    NewExchange,
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

impl End {
    /// Over a socket that does not block, and may be connecting. `addresses`: as [`Link::addresses`] is to tell them.
    /// `host`: of a server, as it is configured.
    pub fn new(
        fd: OwnedFd,
        connecting: bool,
        addresses: (Address, Address),
        host: Option<Arc<str>>,
    ) -> Arc<Self> {
        let (number, stream) = (fd.as_raw_fd(), Stream::new(fd));
        let (queue, written, marks) = (Vec::new(), 0, VecDeque::new());
        let channel = Mutex::new(Channel { stream, connecting, queue, written, marks });
        let unread = AtomicBool::new(false);
        Arc::new(Self { channel, unread, fd: number, addresses, host })
    }

    /// A leaf lock.
    pub fn lock(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor, for the poll.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// A server's address, and its host as it is configured.
    pub fn names(&self) -> (&str, Option<&str>) {
        (&self.addresses.1.name, self.host.as_deref())
    }

    /// Notes whether something was read that is not dealt with.
    pub fn set_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::Relaxed);
    }
}

impl Channel {
    /// What waits to be written, in bytes; what layers hold back counts as one.
    pub fn queued(&self) -> usize {
        self.queue.len() - self.written + usize::from(self.stream.wants_to_write())
    }

    /// What waits to be written; more may be put behind it.
    pub fn queue(&mut self) -> &mut Vec<u8> {
        &mut self.queue
    }

    /// Throws away what waits.
    pub fn forget(&mut self) {
        self.queue = Vec::new();
        self.written = 0;
        self.marks.clear();
    }

    /// Writes what waits and then `more`. What the peer does not take now waits.
    pub fn write(&mut self, more: &[u8]) -> io::Result<()> {
        let result = self.write_on(more);
        let is_written = self.written == self.queue.len();
        if is_written || self.written > self.queue.len() / 2 {
            for (at, _) in &mut self.marks {
                *at -= self.written;
            }
            if is_written {
                self.queue.clear();
                self.queue.shrink_to(KEPT);
            } else {
                self.queue.drain(..self.written);
            }
            self.written = 0;
        }
        result
    }

    fn write_on(&mut self, mut more: &[u8]) -> io::Result<()> {
        if !self.marks.is_empty() && !self.write_to_marks()? {
            self.queue.extend_from_slice(more);
            return Ok(());
        }
        loop {
            let queued = self.queue.get(self.written..).unwrap_or_default();
            if queued.is_empty() && more.is_empty() {
                break;
            }
            let parts = [IoSlice::new(queued), IoSlice::new(more)];
            let parts = if queued.is_empty() { &parts[1..] } else { &parts };
            let taken = match self.stream.write(parts) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => taken,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.queue.extend_from_slice(more);
                    break;
                }
                Err(e) => return Err(e),
            };
            let of_queue = taken.min(queued.len());
            self.written += of_queue;
            more = more.get(taken - of_queue..).unwrap_or_default();
        }
        match self.stream.flush() {
            Err(e) if e.kind() != ErrorKind::WouldBlock => Err(e),
            _ => Ok(()),
        }
    }

    /// Writes what is before the last mark. Whether all of it is written.
    fn write_to_marks(&mut self) -> io::Result<bool> {
        while let Some((at, mark)) = self.marks.front().copied() {
            while let Some(part) = self.queue.get(self.written..at).filter(|part| !part.is_empty())
            {
                match self.stream.write(&[IoSlice::new(part)]) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(taken) => self.written += taken,
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(e) => return Err(e),
                }
            }
            // What a layer holds back is not to get behind the mark.
            match self.stream.flush() {
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                flushed => flushed?,
            }
            match mark {
                Mark::Compression(compression) => self.stream.start_compression(compression),
                Mark::NewExchange => self.stream.new_exchange(),
            }
            self.marks.pop_front();
        }
        Ok(true)
    }

    /// What is sent behind what waits is compressed, and what is read from then on.
    pub fn compress(&mut self, compression: Compression) -> io::Result<()> {
        self.marks.push_back((self.queue.len(), Mark::Compression(compression)));
        self.write(&[])
    }

    /// What is sent behind what waits is another command.
    pub fn new_exchange(&mut self) -> io::Result<()> {
        self.marks.push_back((self.queue.len(), Mark::NewExchange));
        self.write(&[])
    }

    /// Goes on with the handshake of TLS, which `start` begins once everything is written that goes before it.
    pub fn secure(
        &mut self,
        start: impl FnOnce(&mut Stream) -> Result<(), TlsError>,
    ) -> io::Result<Handshake> {
        if self.stream.is_plain() {
            self.write(&[])?;
            if self.queued() > 0 {
                return Ok(Handshake::WantsWrite);
            }
            start(&mut self.stream).map_err(io::Error::other)?;
        }
        self.stream.handshake()
    }

    /// Whether the connect is under way, as far as was asked.
    pub fn is_connecting(&self) -> bool {
        self.connecting
    }

    /// Asks how the connect stands.
    pub fn connect(&mut self) -> Connect {
        let fd = self.stream.fd();
        let socket = SockRef::from(&fd);
        if let Some(error) = socket.take_error().unwrap_or_else(Some) {
            return Connect::Failed(error);
        }
        if socket.peer_addr().is_err() {
            return Connect::InProgress;
        }
        self.connecting = false;
        Connect::Done
    }
}

/// The end of a server, as the rules have it.
#[derive(Debug)]
pub struct ServerLink(pub Arc<End>);

impl Link for ServerLink {
    fn is_quiet(&self) -> bool {
        let mut channel = self.0.lock();
        !self.0.unread.load(Ordering::Relaxed) && channel.queued() == 0 && channel.stream.is_quiet()
    }

    fn addresses(&self) -> (Address, Address) {
        self.0.addresses.clone()
    }
}
