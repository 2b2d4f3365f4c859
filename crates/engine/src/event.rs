//! What comes in.

use std::borrow::Cow;

use wire::MAX_PAYLOAD;

use crate::{Query, QueryId, Side, TlsInfo, Verdict};

/// Something happened. The driver hands these over one at a time, in the order in which they happened.
#[derive(Debug)]
pub enum Event<'p> {
    /// The client was accepted: a server is to be found.
    Accepted,
    /// The connect that is under way succeeded.
    Connected,
    /// It failed.
    ConnectFailed,
    /// There is a place at the backend that was full: [`Awaits::Place`](crate::Awaits::Place).
    Placed,
    /// The backend of the attached connection is one that clients leave. May be told at any time, and again.
    BackendLeft,
    /// A packet of the client; a command with all its parts, unless [`Engine::takes_parts`](crate::Engine::takes_parts).
    Client(Incoming<'p>),
    /// A packet of the server.
    Server(Incoming<'p>),
    /// The peer on this side is gone, or its bytes can be read no further.
    Ended(Side),
    /// The TLS handshake with this side is done.
    Secured {
        /// Which side.
        side: Side,
        /// What was agreed on.
        tls: TlsInfo,
    },
    /// It failed, or the peer hung up in it.
    TlsFailed {
        /// Which side.
        side: Side,
        /// Why: a text for the log, and for the client if it is about the server.
        why: String,
    },
    /// The peer that is awaited was silent for too long.
    TimedOut,
    /// The login as a whole takes too long.
    LoginTimedOut,
    /// What the client sends in place of its login cannot be one, and is not read to its end: why.
    BadLogin(&'static str),
    /// A command that is to be handed over with all its parts takes more memory than there is for it
    /// (`pyproxy-max-kept-bytes`), and is not read to its end.
    CommandTooLong,
    /// What the script says to the last [`Then::Ask`](crate::Then::Ask), with the packet that it was asked about; without it
    /// behind [`Engine::verdict_is_pending`](crate::Engine::verdict_is_pending).
    Verdict(Verdict, Option<Incoming<'p>>),
    /// The script, which waits before it says its verdict, wants this query to be run on the connection's server, behind those that
    /// it asked for before. [`Effect::Resume`](crate::Effect::Resume) answers.
    Query {
        /// Names it.
        id: QueryId,
        /// The query; its whole result is kept.
        query: Query,
    },
    /// The waiting script attached another server, or parked the one that was attached.
    Moved,
    /// The script does not wait for this query any more.
    Abandoned(QueryId),
    /// The process ends, and has no more time for this connection: the client is told so where it can understand that.
    ShutDown,
    /// The connection is over, for whatever reason and in whatever state. Nothing comes behind it but the verdict of
    /// `disconnect_client`.
    Closed,
    /// The same, because the process ends: others may be using the sockets meanwhile, and nothing is sent any more.
    Stopped,
}

/// A packet that arrived. Its bytes stay the driver's.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'p> {
    /// The sequence id.
    pub id: u8,
    /// The payload of the first part.
    pub payload: &'p [u8],
    /// The payloads of further parts. Only commands over 16 MiB have any.
    pub rest: &'p [&'p [u8]],
}

impl<'p> Incoming<'p> {
    /// A packet that is not continued.
    pub const fn single(id: u8, payload: &'p [u8]) -> Self {
        Self { id, payload, rest: &[] }
    }

    /// Whether further parts follow, one by one.
    pub(crate) fn is_continued(&self) -> bool {
        self.payload.len() == MAX_PAYLOAD && self.rest.is_empty()
    }

    /// The payload as one piece.
    pub fn joined(&self) -> Cow<'p, [u8]> {
        if self.rest.is_empty() {
            return Cow::Borrowed(self.payload);
        }
        let mut all = self.payload.to_vec();
        self.rest.iter().for_each(|part| all.extend_from_slice(part));
        Cow::Owned(all)
    }

    /// The sequence id of the last part.
    pub fn last_id(&self) -> u8 {
        let parts = self.rest.len().to_le_bytes();
        self.id.wrapping_add(parts.first().copied().unwrap_or_default())
    }
}
