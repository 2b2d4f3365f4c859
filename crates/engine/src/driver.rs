//! What moves the bytes: the side of the engine that touches sockets.

use std::time::Instant;

use crate::{Effect, Link, Notify};

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

    /// About when the event at hand came in. A driver may have looked at the clock for many events at once.
    fn event_at(&self) -> Instant {
        self.now()
    }

    /// Starts a connect to backend `ndx`.
    fn connect(&mut self, ndx: usize) -> Connecting;

    /// Why the connect that was started last, or is under way, failed: a text for the log.
    fn connect_error(&self) -> String {
        "no answer".to_owned()
    }

    /// Bytes that nobody can foresee, for a challenge of the proxy's own; `None` if there are none.
    fn random(&mut self) -> Option<[u8; 20]>;

    /// `obfuscated` encrypted with RSA and OAEP (SHA-1) under this key, in PEM; `None` if that is not possible.
    fn encrypt_password(&mut self, _key: &[u8], _obfuscated: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// The public part of the proxy's own RSA key, in PEM, for clients without TLS whose server is reached with it. `None` if
    /// there is none.
    fn public_key(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// What a client encrypted with [`Driver::public_key`]; `None` if it did not.
    fn decrypt_password(&mut self, _encrypted: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// What tells this connection's driver that there is a place for it at a backend: [`Event::Placed`](crate::Event::Placed)
    /// follows. `None`: it cannot wait for one.
    fn notify_of_place(&mut self) -> Option<Notify> {
        None
    }

    /// Does this. Events that it leads to are handed over when the present one is done.
    fn effect(&mut self, effect: Effect<'_>);
}
