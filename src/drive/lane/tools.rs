//! What the connections of a thread share, and how the poll names their sockets.

use std::sync::Arc;
use std::time::Instant;

use engine::Side;
use mio::{Registry, Token};

use super::counts::OfThread;
use super::inbox::Inbox;
use super::input::Buffers;
use super::peer::Peer;
use super::waiting::Letterbox;
use crate::drive::Context;

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
    pub fn leave(&mut self, side: Side, peer: &mut Peer) {
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

const fn place(key: usize, side: Side) -> usize {
    key * 2 + matches!(side, Side::Server) as usize
}

/// Whose token it is, or was.
pub fn owner(token: Token) -> (usize, Side) {
    let place = token.0 & 0xffff_ffff;
    (place / 2, if place.is_multiple_of(2) { Side::Client } else { Side::Server })
}
