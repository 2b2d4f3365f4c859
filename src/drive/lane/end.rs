//! One end of a connection: the stream to a peer, and what waits to be written to it.
//!
//! The end of a server may be parked, and taken by a connection of another thread: so it is shared, and locked for a few
//! instructions, or one system call that does not wait.

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{Address, Link};

use super::stream::Stream;

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
}

/// What is behind the lock.
#[derive(Debug)]
pub struct Channel {
    /// The way to the peer.
    pub stream: Stream,
    queue: Vec<u8>,
    /// How much of the queue is written.
    written: usize,
}

impl End {
    /// `addresses`: ours and the peer's, or the other way round, as [`Link::addresses`] is to tell it.
    pub fn new(stream: Stream, addresses: (Address, Address)) -> Arc<Self> {
        let fd = stream.fd();
        let channel = Mutex::new(Channel { stream, queue: Vec::new(), written: 0 });
        Arc::new(Self { channel, unread: AtomicBool::new(false), fd, addresses })
    }

    /// A leaf lock.
    pub fn lock(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor, for the poll.
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// Notes whether something was read that is not dealt with.
    pub fn set_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::Relaxed);
    }
}

impl Channel {
    /// What waits to be written, in bytes.
    pub fn queued(&self) -> usize {
        self.queue.len() - self.written
    }

    /// What waits to be written; more may be put behind it.
    pub fn queue(&mut self) -> &mut Vec<u8> {
        &mut self.queue
    }

    /// Throws away what waits.
    pub fn forget(&mut self) {
        self.queue = Vec::new();
        self.written = 0;
    }

    /// Writes what waits and then `more`. What the peer does not take now waits.
    pub fn write(&mut self, mut more: &[u8]) -> io::Result<()> {
        while self.queued() + more.len() > 0 {
            let queued = self.queue.get(self.written..).unwrap_or_default();
            let parts = [IoSlice::new(queued), IoSlice::new(more)];
            let taken = match self.stream.write(&parts) {
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
        if self.queued() == 0 {
            self.written = 0;
            self.queue.clear();
            self.queue.shrink_to(KEPT);
        } else if self.written > self.queue.len() / 2 {
            self.queue.drain(..self.written);
            self.written = 0;
        }
        Ok(())
    }
}

/// The end of a server, as the rules have it.
#[derive(Debug)]
pub struct ServerLink(pub Arc<End>);

impl Link for ServerLink {
    fn is_quiet(&self) -> bool {
        let channel = self.0.lock();
        !self.0.unread.load(Ordering::Relaxed) && channel.queued() == 0 && channel.stream.is_quiet()
    }

    fn addresses(&self) -> (Address, Address) {
        self.0.addresses.clone()
    }
}
