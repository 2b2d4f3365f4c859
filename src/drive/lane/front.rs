//! What accepts clients: one thread has it, and gives each thread its share.

use std::sync::Arc;
use std::time::Instant;

use mio::Token;

use super::inbox::Inbox;
use super::listener::Listener;

/// What the poll tells of the listener.
pub const LISTENER: Token = Token(usize::MAX);

/// What accepts clients.
#[derive(Debug)]
pub struct Front {
    /// The socket.
    pub listener: Listener,
    /// All threads, also the one that accepts.
    pub inboxes: Vec<Arc<Inbox>>,
    /// Who got the last client.
    pub next: usize,
    /// It is left alone until then.
    pub paused_until: Option<Instant>,
}

impl Front {
    /// For these threads.
    pub fn new(listener: Listener, inboxes: Vec<Arc<Inbox>>) -> Self {
        Self { listener, inboxes, next: 0, paused_until: None }
    }
}
