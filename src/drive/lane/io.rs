//! The two peers of a connection: what is passed on, and what waits to be written.

use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Instant;

use engine::{Outcome, QueryId, Side};
use mio::Registry;
use transport::proxy_protocol::Ends;

use super::counts::OfThread;
use super::input::{Frame, Input};
use super::peer::{Peer, Progress};
use super::tools::Tools;

/// Nothing more is read while this much waits for a peer, in bytes.
const CONGESTED: usize = 256 << 10;

/// The two peers of a connection.
#[derive(Debug)]
pub struct Io {
    /// The connection's number on its thread.
    pub key: usize,
    /// Its number in this process.
    pub id: u64,
    /// The client.
    pub client: Peer,
    /// The server, if one is attached.
    pub server: Option<Peer>,
    /// A peer turned out to be gone.
    pub ended: Option<Side>,
    /// The client's IP address, as the socket has it; `None` for a unix socket.
    pub ip: Option<IpAddr>,
    /// Both ends of the client's connection, for servers that are told of it.
    pub ends: Option<Ends>,
    /// When the connect began that is under way, or was made last.
    pub attempt_at: Option<Instant>,
    /// Why a connect failed.
    pub connect_error: Option<io::Error>,
    /// What the waiting script is to be told.
    pub for_script: Vec<ForScript>,
    /// What of the input is passed on as it is, and was not written yet.
    run: Range<usize>,
}

/// What a waiting script is told.
#[derive(Debug)]
pub enum ForScript {
    /// What became of a query of it.
    Resume(QueryId, Outcome),
    /// It is to come to its end.
    Cancel,
}

/// The other side.
pub const fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}

impl Io {
    /// For a client that was accepted.
    pub fn new(key: usize, id: u64, client: Peer) -> Self {
        Self {
            key,
            id,
            client,
            server: None,
            ended: None,
            ip: None,
            ends: None,
            attempt_at: None,
            connect_error: None,
            for_script: Vec::new(),
            run: 0..0,
        }
    }

    /// The peer on this side.
    pub fn peer(&mut self, side: Side) -> Option<&mut Peer> {
        match side {
            Side::Client => Some(&mut self.client),
            Side::Server => self.server.as_mut(),
        }
    }

    /// Passes on what is in `input`, from its `from`, numbered already.
    #[inline]
    pub fn pass(&mut self, to: Side, packet: Frame, input: &Input) {
        if self.run.end == packet.start && !self.run.is_empty() {
            self.run.end = packet.end;
        } else {
            self.queue_run(to, input);
            self.run = packet.start..packet.end;
        }
    }

    /// Queues what is passed on, so that something can be put behind it.
    pub fn queue_run(&mut self, to: Side, input: &Input) {
        let run = std::mem::take(&mut self.run);
        if !run.is_empty()
            && let Some(peer) = self.peer(to)
        {
            peer.queue(|queue| queue.extend_from_slice(input.bytes(run.start, run.end)));
        }
    }

    /// Writes what is passed on.
    pub fn write_run(&mut self, to: Side, input: &Input, registry: &Registry) {
        let run = std::mem::take(&mut self.run);
        if !run.is_empty()
            && let Some(peer) = self.peer(to)
        {
            peer.write(input.bytes(run.start, run.end), registry);
        }
    }

    /// What the client and the server did since the last call.
    #[inline]
    pub fn take_progress(&mut self) -> (Progress, Progress) {
        let server = self.server.as_mut().map(Peer::take_progress).unwrap_or_default();
        (self.client.take_progress(), server)
    }

    /// Counts what came and went since the last time.
    #[cold]
    pub fn count_traffic(&mut self, counts: &OfThread) {
        counts.count(Side::Client, self.client.take_traffic());
        if let Some(server) = &mut self.server {
            counts.count(Side::Server, server.take_traffic());
        }
    }

    /// Writes what the client takes now, and ends the watch of both.
    pub fn leave(&mut self, tools: &mut Tools) {
        self.client.write(&[], &tools.registry);
        self.client.say_goodbye();
        tools.leave(Side::Client, &mut self.client);
        if let Some(mut server) = self.server.take() {
            tools.leave(Side::Server, &mut server);
        }
    }

    /// Whether a peer has not taken all that it is to get.
    pub fn is_writing(&self) -> bool {
        self.client.queued() > 0 || self.server.as_ref().is_some_and(|server| server.queued() > 0)
    }

    /// Whether so much waits to be written that nothing more is read.
    pub fn is_congested(&self) -> bool {
        let server = self.server.as_ref().map_or(0, Peer::queued);
        self.client.queued() > CONGESTED || server > CONGESTED
    }

    /// Writes what waits for both.
    pub fn flush(&mut self, registry: &Registry) {
        self.client.write(&[], registry);
        if let Some(server) = &mut self.server {
            server.write(&[], registry);
        }
    }
}
