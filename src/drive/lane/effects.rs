//! What the engine wants, done with the connection's two peers.

use std::any::Any;
use std::time::Instant;

use engine::{Algorithm, Connecting, Driver, Effect, Link, Notify, Side};
use transport::Compression;
use wire::packet::frame;

use super::connecting;
use super::end::ServerLink;
use super::input::{Frame, Input};
use super::io::{ForScript, Io};
use super::peer::{Peer, Read};
use super::tools::Tools;
use crate::chassis::release_memory;

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
