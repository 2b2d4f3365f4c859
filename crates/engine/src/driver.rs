//! What moves the bytes: the side of the engine that touches sockets.

use std::time::Instant;

use crate::{Effect, Link};

/// How a connect attempt stands.
#[derive(Debug)]
pub enum Connecting {
    /// The connection is established.
    Done(Box<dyn Link>),
    /// [`Event::Connected`](crate::Event::Connected) or [`Event::ConnectFailed`](crate::Event::ConnectFailed) follows.
    InProgress(Box<dyn Link>),
    /// Refused or impossible.
    Failed,
}

/// Does what the engine says. It holds no rule: where two drivers would decide the same, the engine decides.
pub trait Driver {
    /// The time. The engine has no clock of its own.
    fn now(&self) -> Instant;

    /// Starts a connect to backend `ndx`.
    fn connect(&mut self, ndx: usize) -> Connecting;

    /// Why the connect that was started last, or is under way, failed: a text for the log.
    fn connect_error(&self) -> String {
        "no answer".to_owned()
    }

    /// Does this. Events that it leads to are handed over when the present one is done.
    fn effect(&mut self, effect: Effect<'_>);
}
