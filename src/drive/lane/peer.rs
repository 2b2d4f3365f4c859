//! A peer of a connection: its end, what came from it, and what the poll tells of it.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use transport::{Compression, Handshake, Stream, TlsError};

use super::end::{Channel, End};
use super::input::{BUFFER, Buffers, Input};

/// A peer.
#[derive(Debug)]
pub struct Peer {
    end: Arc<End>,
    /// What came from it.
    pub input: Input,
    /// The poll said that there is something to read, and not all was read.
    readable: bool,
    /// It hung up, or its connection broke: once everything is read, that is the end.
    hung_up: bool,
    /// A write failed: nothing more goes there.
    broken: bool,
    /// What waits to be written, in bytes.
    queued: usize,
    /// The poll is asked when it takes more.
    asks_for_writing: bool,
    /// What happened since it was asked last.
    progress: Progress,
    /// The same in bytes, since that was asked last.
    traffic: Traffic,
    token: Token,
}

/// Whether a peer sent something, and took something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// It sent something.
    pub read: bool,
    /// It took something.
    pub written: bool,
}

/// How much came from a peer, and went to it, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    /// What was read.
    pub read: usize,
    /// What was written, to layers if there are some.
    pub written: usize,
}

/// What reading gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// More input.
    Some,
    /// Nothing now.
    Nothing,
    /// The end: nothing comes any more.
    End,
}

impl Peer {
    /// Has the poll watch `end`. While it connects, writability tells that it is done.
    pub fn new(
        end: Arc<End>,
        token: Token,
        connecting: bool,
        registry: &Registry,
    ) -> io::Result<Self> {
        let interest = interest(connecting);
        registry.register(&mut SourceFd(&end.fd()), token, interest)?;
        Ok(Self {
            end,
            input: Input::default(),
            readable: false,
            hung_up: false,
            broken: false,
            queued: 0,
            asks_for_writing: connecting,
            progress: Progress::default(),
            traffic: Traffic::default(),
            token,
        })
    }

    /// Ends the watch. The input, if there is any, is lost.
    pub fn leave(&mut self, registry: &Registry, buffers: &mut Buffers) {
        _ = registry.deregister(&mut SourceFd(&self.end.fd()));
        self.input.clear();
        self.input.release(buffers);
        self.end.set_unread(false);
    }

    /// What the poll tells. It may have been of a peer that was in this place before.
    pub fn ready(&mut self, event: &Event) {
        if event.token() != self.token {
            return;
        }
        self.hung_up |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || self.hung_up;
    }

    /// Whether it hung up, as far as the poll told.
    pub fn has_hung_up(&self) -> bool {
        self.hung_up
    }

    /// Whether there may be something to read.
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Whether a write failed.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// What waits to be written, in bytes.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// What happened since the last call.
    #[inline]
    pub fn take_progress(&mut self) -> Progress {
        std::mem::take(&mut self.progress)
    }

    /// How much there was since the last call.
    pub fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    /// Its end.
    pub fn end(&self) -> &Arc<End> {
        &self.end
    }

    /// Reads once.
    pub fn read(&mut self, buffers: &mut Buffers) -> Read {
        if !self.readable {
            return Read::Nothing;
        }
        let space = self.input.space(buffers);
        let wanted = space.len();
        let mut channel = self.end.lock();
        let result = channel.stream.read(space);
        // The poll tells when there is more. Where much arrives, one more look costs little, and nothing depends on how the
        // kernel cuts it.
        let is_all = channel.stream.has_read_all() && wanted <= BUFFER;
        drop(channel);
        match result {
            Ok(0) => {
                self.hung_up = true;
                Read::End
            }
            Ok(count) => {
                self.input.filled(count);
                self.progress.read = true;
                self.traffic.read += count;
                self.readable = !is_all || self.hung_up;
                Read::Some
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                self.readable = self.hung_up;
                self.input.release(buffers);
                if self.hung_up { Read::End } else { Read::Nothing }
            }
            Err(_) => {
                self.hung_up = true;
                Read::End
            }
        }
    }

    /// Has `fill` put something behind what waits to be written.
    pub fn queue(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        if self.broken {
            return;
        }
        let mut channel = self.end.lock();
        fill(channel.queue());
        self.queued = channel.queued();
    }

    /// Writes what waits, and `more` behind it.
    pub fn write(&mut self, more: &[u8], registry: &Registry) {
        if self.broken || self.queued + more.len() == 0 {
            return;
        }
        let mut channel = self.end.lock();
        let result = channel.write(more);
        let waited = self.queued + more.len();
        self.queued = channel.queued();
        drop(channel);
        self.progress.written |= self.queued < waited;
        self.traffic.written += waited.saturating_sub(self.queued);
        if result.is_err() {
            self.fail();
        }
        self.ask_for_writing(self.queued > 0, registry);
    }

    /// A layer may have something that was read with its handshake.
    pub fn is_readable_again(&mut self) {
        self.readable = true;
    }

    /// What is sent behind what waits is compressed.
    pub fn compress(&mut self, compression: Compression, registry: &Registry) {
        self.mark(registry, |channel| channel.compress(compression));
    }

    /// What is sent behind what waits is another command.
    pub fn new_exchange(&mut self, registry: &Registry) {
        self.mark(registry, Channel::new_exchange);
    }

    fn mark(&mut self, registry: &Registry, mark: impl FnOnce(&mut Channel) -> io::Result<()>) {
        let mut channel = self.end.lock();
        let result = mark(&mut channel);
        let waited = std::mem::replace(&mut self.queued, channel.queued());
        drop(channel);
        self.traffic.written += waited.saturating_sub(self.queued);
        if result.is_err() {
            self.fail();
        }
        self.ask_for_writing(self.queued > 0, registry);
    }

    /// The connect is done.
    pub fn connected(&mut self, registry: &Registry) {
        self.ask_for_writing(false, registry);
    }

    fn fail(&mut self) {
        self.end.lock().forget();
        self.queued = 0;
        self.broken = true;
        // What it said before may still be there.
        self.hung_up = true;
        self.readable = true;
    }

    fn ask_for_writing(&mut self, ask: bool, registry: &Registry) {
        if self.asks_for_writing == ask {
            return;
        }
        let fd = self.end.fd();
        if registry.reregister(&mut SourceFd(&fd), self.token, interest(ask)).is_err() {
            self.fail();
        }
        self.asks_for_writing = ask;
    }

    /// A layer is about to start: what was read too far is its.
    pub fn give_back(&mut self, bytes: &[u8]) {
        self.end.lock().stream.unread(bytes);
        self.readable = true;
    }

    /// Says goodbye, where the peer would take a mere end for an attack.
    pub fn say_goodbye(&mut self) {
        if !self.broken && self.queued == 0 {
            self.end.lock().stream.shutdown();
        }
    }

    /// Goes on with the handshake of TLS, which `start` begins once everything is written that goes before it.
    pub fn secure(
        &mut self,
        registry: &Registry,
        start: impl FnOnce(&mut Stream) -> Result<(), TlsError>,
    ) -> io::Result<bool> {
        let mut channel = self.end.lock();
        let handshake = channel.secure(start);
        drop(channel);
        self.readable = self.hung_up;
        let handshake = handshake?;
        self.ask_for_writing(handshake == Handshake::WantsWrite, registry);
        Ok(handshake == Handshake::Done)
    }

    /// What is behind the lock.
    pub fn with_channel<R>(&self, f: impl FnOnce(&mut Channel) -> R) -> R {
        f(&mut self.end.lock())
    }
}

fn interest(writing: bool) -> Interest {
    if writing { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }
}

#[cfg(test)]
mod tests {
    use std::io::{IoSlice, Write};
    use std::os::unix::net::UnixStream;

    use mio::{Events, Poll};
    use transport::tls::{TlsClientOptions, TlsServerOptions};
    use transport::{TlsClient, TlsServer};

    use super::*;

    /// The most that one record of TLS holds, in bytes.
    const RECORD: usize = 16 << 10;

    fn peer(token: usize, registry: &Registry) -> (Peer, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("a socket");
        let end = End::new(ours.into(), false, Default::default(), None);
        (Peer::new(end, Token(token), false, registry).expect("it is watched"), theirs)
    }

    #[test]
    fn what_was_given_back_is_not_all_that_there_is() {
        let poll = Poll::new().expect("a poll");
        let mut buffers = Buffers::default();
        let (mut peer, mut theirs) = peer(1, poll.registry());
        theirs.write_all(b"later").expect("it is sent");
        // As if the poll had told of all of it before.
        peer.give_back(b"first");
        assert_eq!(peer.read(&mut buffers), Read::Some);
        assert!(peer.is_readable());
        assert_eq!(peer.read(&mut buffers), Read::Some);
        assert_eq!(peer.input.rest(), b"firstlater");
        assert!(!peer.is_readable());
    }

    /// Has `peer` speak TLS, and gives the stream of a client that does.
    fn secured(peer: &mut Peer, theirs: UnixStream, registry: &Registry) -> Stream {
        let mut client = Stream::new(theirs.into());
        let options = TlsClientOptions::default();
        let config = TlsClient::new(&options).expect("a client");
        client.start_tls_client(&config, "backend", None).expect("it starts");
        let config = TlsServer::new(&TlsServerOptions::default()).expect("a server");
        loop {
            let theirs = client.handshake().expect("a handshake");
            let is_done = peer.secure(registry, |stream| stream.start_tls_server(&config));
            if is_done.expect("a handshake") && theirs == Handshake::Done {
                peer.is_readable_again();
                return client;
            }
        }
    }

    fn send(client: &mut Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = client.write(&[IoSlice::new(bytes)]).expect("it is sent");
            bytes = &bytes[count..];
        }
        client.flush().expect("it is sent");
    }

    #[test]
    fn over_tls_one_read_is_enough_for_a_query() {
        let mut poll = Poll::new().expect("a poll");
        let mut events = Events::with_capacity(4);
        let mut buffers = Buffers::default();
        let (mut peer, theirs) = peer(1, poll.registry());
        let mut client = secured(&mut peer, theirs, poll.registry());
        assert_eq!(peer.read(&mut buffers), Read::Nothing);
        for _ in 0..3 {
            send(&mut client, b"query");
            poll.poll(&mut events, None).expect("an event");
            events.iter().for_each(|event| peer.ready(event));
            assert_eq!(peer.read(&mut buffers), Read::Some);
            assert!(!peer.is_readable(), "it would ask the socket in vain");
            assert_eq!(peer.input.rest(), b"query");
            peer.input.clear();
        }
    }

    /// As the poll tells of each arrival once, what a read overlooks is never read.
    #[test]
    fn over_tls_all_is_read_of_what_the_poll_told_once() {
        let mut poll = Poll::new().expect("a poll");
        let mut events = Events::with_capacity(4);
        let mut buffers = Buffers::default();
        let (mut peer, theirs) = peer(1, poll.registry());
        let mut client = secured(&mut peer, theirs, poll.registry());
        for length in [1, 100, RECORD, RECORD + 1, BUFFER - 1, BUFFER, BUFFER + 1, 2 * BUFFER + 7] {
            assert_eq!(peer.read(&mut buffers), Read::Nothing, "before {length} bytes");
            send(&mut client, &vec![7; length]);
            poll.poll(&mut events, None).expect("an event");
            events.iter().for_each(|event| peer.ready(event));
            let mut count = 0;
            while peer.read(&mut buffers) == Read::Some {
                count += peer.input.len();
                peer.input.clear();
            }
            assert_eq!(count, length);
        }
        // A goodbye comes with the last words, and the socket stays open.
        send(&mut client, b"bye");
        client.shutdown();
        poll.poll(&mut events, None).expect("an event");
        events.iter().for_each(|event| peer.ready(event));
        assert_eq!(peer.read(&mut buffers), Read::Some);
        assert_eq!(peer.read(&mut buffers), Read::End);
    }

    #[test]
    fn what_was_told_of_a_predecessor_is_not_of_this_one() {
        let mut poll = Poll::new().expect("a poll");
        let mut buffers = Buffers::default();
        let (mut gone, theirs) = peer(1, poll.registry());
        drop(theirs);
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, None).expect("an event");
        let event = events.iter().next().expect("it hung up");
        gone.ready(event);
        assert!(gone.has_hung_up());
        gone.leave(poll.registry(), &mut buffers);
        let (mut next, _theirs) = peer(2, poll.registry());
        next.ready(event);
        assert!(!next.has_hung_up() && !next.is_readable());
    }
}
