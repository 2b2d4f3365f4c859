//! What the engine wants, done with the connection's two peers.

use std::any::Any;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use engine::{Algorithm, Connecting, Driver, Effect, Link, Notify, Outcome, QueryId, Side};
use mio::{Registry, Token};
use transport::Compression;
use transport::proxy_protocol::Ends;
use wire::packet::frame;

use super::connecting;
use super::counts::OfThread;
use super::end::ServerLink;
use super::inbox::Inbox;
use super::input::{Buffers, Frame, Input};
use super::peer::{Peer, Progress, Read};
use super::waiting::Letterbox;
use crate::chassis::release_memory;
use crate::drive::Context;

/// Nothing more is read while this much waits for a peer, in bytes.
const CONGESTED: usize = 256 << 10;

/// What the connections of a thread share.
#[derive(Debug)]
pub struct Tools {
    /// The plugin.
    pub ctx: &'static Context,
    /// Where sockets are watched.
    pub registry: Registry,
    /// Buffers for input.
    pub buffers: Buffers,
    /// Where the connections' hooks leave letters.
    inbox: Arc<Inbox>,
    /// How many peers were watched so far.
    watches: u32,
    /// When the poll told of what is dealt with now.
    pub woke_at: Instant,
    /// What the thread counts of itself, while somebody looks.
    pub counts: Option<Arc<OfThread>>,
}

impl Tools {
    /// For a thread.
    pub fn new(ctx: &'static Context, registry: Registry, inbox: Arc<Inbox>) -> Self {
        let (buffers, woke_at) = (Buffers::default(), Instant::now());
        let counts = ctx.shared.observes.then(|| ctx.counts.add_thread());
        Self { ctx, registry, buffers, inbox, watches: 0, woke_at, counts }
    }

    /// Ends the watch of a peer, whose last progress is counted.
    fn leave(&mut self, side: Side, peer: &mut Peer) {
        peer.leave(&self.registry, &mut self.buffers);
        if let Some(counts) = &self.counts {
            counts.count(side, peer.take_traffic());
        }
    }

    /// Where the hooks of a connection leave what they want.
    pub fn mailbox(&self, key: usize, id: u64) -> Letterbox {
        Letterbox::new(Arc::clone(&self.inbox), key, id)
    }

    /// What the poll tells of a socket that is watched from now on. No two watches have the same: what it told of a socket
    /// that has gone meanwhile is not taken for what comes from the next one.
    pub fn token(&mut self, key: usize, side: Side) -> Token {
        self.watches = self.watches.wrapping_add(1);
        Token(usize::try_from(self.watches).unwrap_or_default() << 32 | place(key, side))
    }
}

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

const fn place(key: usize, side: Side) -> usize {
    key * 2 + matches!(side, Side::Server) as usize
}

/// Whose token it is, or was.
pub fn owner(token: Token) -> (usize, Side) {
    let place = token.0 & 0xffff_ffff;
    (place / 2, if place.is_multiple_of(2) { Side::Client } else { Side::Server })
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
    fn queue_run(&mut self, to: Side, input: &Input) {
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

/// One event in progress.
#[derive(Debug)]
pub struct Effects<'e> {
    /// The peers.
    pub io: &'e mut Io,
    /// What the thread has.
    pub tools: &'e mut Tools,
    /// The packet at hand is in here.
    pub input: &'e Input,
    /// The packet at hand, and from whom it is.
    pub at_hand: Option<(Side, Frame)>,
    /// It is to be passed on, its first part with this sequence id.
    pub forward: Option<u8>,
    /// What becomes of what else came from that side.
    pub rest: Rest,
}

/// What becomes of input behind the packet at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rest {
    /// Packets.
    #[default]
    Stays,
    /// It is thrown away, or was handed to a layer.
    Goes,
}

impl<'e> Effects<'e> {
    /// About the packet `at_hand`, if there is one.
    pub fn new(
        io: &'e mut Io,
        tools: &'e mut Tools,
        input: &'e Input,
        at_hand: Option<(Side, Frame)>,
    ) -> Self {
        Self { io, tools, input, at_hand, forward: None, rest: Rest::default() }
    }

    /// Something goes to `to` behind the packet at hand, and all that is passed on.
    fn put(&mut self, to: Side, fill: impl FnOnce(&mut Vec<u8>)) {
        if self.at_hand.is_some_and(|(from, _)| from != to) {
            self.io.queue_run(to, self.input);
            if let (Some(id), Some((_, frame))) = (self.forward.take(), self.at_hand) {
                self.queue_copy(to, frame, id);
            }
        }
        if let Some(peer) = self.io.peer(to) {
            peer.queue(fill);
        }
    }

    fn is_from(&self, side: Side) -> bool {
        self.at_hand.is_some_and(|(from, _)| from == side)
    }

    /// A layer starts on this side. What was read from it too far is the layer's.
    fn start_layer(&mut self, side: Side) {
        match (self.at_hand, self.io.peer(side)) {
            (Some((from, frame)), Some(peer)) if from == side => {
                peer.give_back(self.input.behind(frame.end));
                self.rest = Rest::Goes;
            }
            (_, Some(peer)) => {
                let mut input = std::mem::take(&mut peer.input);
                peer.give_back(input.rest());
                input.clear();
                input.release(&mut self.tools.buffers);
            }
            (_, None) => {}
        }
    }

    fn compress(&mut self, side: Side, algorithm: Algorithm) {
        let compression = match algorithm {
            Algorithm::Zlib => Compression::Zlib,
            Algorithm::Zstd { level } => Compression::Zstd { level },
        };
        self.start_layer(side);
        self.put(side, |_| ());
        if let Some(peer) = self.io.peer(side) {
            peer.compress(compression, &self.tools.registry);
        }
    }

    fn new_exchange(&mut self, side: Side) {
        self.put(side, |_| ());
        if let Some(peer) = self.io.peer(side) {
            peer.new_exchange(&self.tools.registry);
        }
    }

    fn queue_copy(&mut self, to: Side, packet: Frame, id: u8) {
        let input = self.input;
        if let Some(peer) = self.io.peer(to) {
            let ids = (0..=u8::MAX).cycle().skip(usize::from(id));
            peer.queue(|queue| {
                for (payload, id) in input.payloads(packet).zip(ids) {
                    part(payload, id, queue);
                }
            });
        }
    }

    fn attach(&mut self, link: Option<&dyn Link>) {
        if let Some(mut server) = self.io.server.take() {
            self.tools.leave(Side::Server, &mut server);
        }
        let link: Option<&dyn Any> = link.map(|link| link as &dyn Any);
        let Some(ServerLink(end)) = link.and_then(<dyn Any>::downcast_ref) else { return };
        let token = self.tools.token(self.io.key, Side::Server);
        let connecting = end.lock().is_connecting();
        match Peer::new(end.clone(), token, connecting, &self.tools.registry) {
            Ok(server) => self.io.server = Some(server),
            Err(e) => {
                log::error!("a server cannot be watched: {e}");
                self.io.ended = Some(Side::Server);
            }
        }
    }

    fn throw_away(&mut self, side: Side) {
        if self.is_from(side) {
            self.rest = Rest::Goes;
        }
        let Some(peer) = self.io.peer(side) else { return };
        peer.input.clear();
        while peer.read(&mut self.tools.buffers) == Read::Some {
            peer.input.clear();
        }
        peer.input.release(&mut self.tools.buffers);
    }
}

impl Driver for Effects<'_> {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn event_at(&self) -> Instant {
        self.tools.woke_at
    }

    fn connect(&mut self, ndx: usize) -> Connecting {
        self.io.attempt_at = Some(self.now());
        match connecting::start(self.tools.ctx, ndx) {
            Ok(end) => Connecting::InProgress(Box::new(ServerLink(end))),
            Err(e) => {
                self.io.connect_error = Some(e);
                Connecting::Failed
            }
        }
    }

    fn connect_error(&self) -> String {
        self.io.connect_error.as_ref().map_or_else(|| "no answer".to_owned(), ToString::to_string)
    }

    fn notify_of_place(&mut self) -> Option<Notify> {
        self.io.attempt_at = None;
        Some(self.tools.mailbox(self.io.key, self.io.id).notify_of_place())
    }

    fn random(&mut self) -> Option<[u8; 20]> {
        transport::password::random()
    }

    fn encrypt_password(&mut self, key: &[u8], obfuscated: &[u8]) -> Option<Vec<u8>> {
        transport::password::encrypt(obfuscated, key).ok()
    }

    fn public_key(&mut self) -> Option<Vec<u8>> {
        Some(self.tools.ctx.tls.password_key()?.public_pem().to_vec())
    }

    fn decrypt_password(&mut self, encrypted: &[u8]) -> Option<Vec<u8>> {
        self.tools.ctx.tls.password_key()?.decrypt(encrypted).ok()
    }

    fn effect(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Forward { id, .. } => self.forward = Some(id),
            Effect::Send { to, id, payload } => self.put(to, |queue| {
                frame(payload, id, queue);
            }),
            Effect::SendPart { to, id, payload } => self.put(to, |queue| part(payload, id, queue)),
            Effect::SendForeign(bytes) => {
                self.put(Side::Client, |queue| queue.extend_from_slice(bytes));
            }
            Effect::Attach(link) => self.attach(link),
            Effect::Flush => {
                self.put(Side::Client, |_| ());
                self.io.client.write(&[], &self.tools.registry);
            }
            Effect::FlushServer => {
                self.put(Side::Server, |_| ());
                if let Some(server) = &mut self.io.server {
                    server.write(&[], &self.tools.registry);
                }
            }
            Effect::StartTls(side) => self.start_layer(side),
            Effect::Compress { side, algorithm } => self.compress(side, algorithm),
            Effect::NewExchange(side) => self.new_exchange(side),
            Effect::Discard(side) => self.throw_away(side),
            // Both sides are always watched.
            Effect::Look(_) => {}
            Effect::Trim => release_memory(),
            Effect::Resume { id, outcome } => {
                self.io.for_script.push(ForScript::Resume(id, outcome))
            }
            Effect::Cancel => self.io.for_script.push(ForScript::Cancel),
        }
    }
}

/// Appends one packet, as it is.
fn part(payload: &[u8], id: u8, queue: &mut Vec<u8>) {
    let len = u32::try_from(payload.len()).unwrap_or_default();
    queue.extend_from_slice(&wire::Header { len, id }.encode());
    queue.extend_from_slice(payload);
}
