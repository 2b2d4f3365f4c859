//! What goes out.

use crate::{Algorithm, Hook, Injection, Link, Outcome, QueryId, Slot};

/// One of the two peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that connected to the proxy.
    Client,
    /// The server that is attached.
    Server,
}

/// Something to be done. The driver does these in the order in which they come.
#[derive(Debug)]
pub enum Effect<'a> {
    /// Pass the packet at hand on to the other side, its first part with this sequence id.
    Forward {
        /// Who gets it.
        to: Side,
        /// The sequence id of its first part; further ones count up.
        id: u8,
    },
    /// Send a payload of any length, framed, the first packet with this sequence id.
    Send {
        /// Who gets it.
        to: Side,
        /// The sequence id.
        id: u8,
        /// The payload.
        payload: &'a [u8],
    },
    /// Send one packet of an answer that was kept. Of the full length it is continued by the next one.
    SendPart {
        /// Who gets it.
        to: Side,
        /// The sequence id.
        id: u8,
        /// The payload of this packet.
        payload: &'a [u8],
    },
    /// Send bytes in another framing to the client, as the last thing that it gets.
    SendForeign(&'a [u8]),
    /// This is the server connection now, or there is none any more. The link stays where it is until the next such effect.
    Attach(Option<&'a dyn Link>),
    /// What was sent to the client so far shall reach it before anything else is read.
    Flush,
    /// What was sent to the server so far shall be on its way before the next packet: its numbers start anew.
    /// If the server does not take it, [`Event::Ended`](crate::Event::Ended) follows.
    FlushServer,
    /// Throw away what this peer sent. If it hung up, [`Event::Ended`](crate::Event::Ended) follows.
    Discard(Side),
    /// Look whether this peer hung up: [`Event::Ended`](crate::Event::Ended) follows if it did.
    Look(Side),
    /// Begin a TLS handshake: with the client as its server, with the server as its client. What was sent to this side so far goes out
    /// in front of it, in plain; nothing more is sent before [`Event::Secured`](crate::Event::Secured). Bytes of the client that
    /// arrived behind the packet at hand belong to the handshake.
    StartTls(Side),
    /// What is sent to this side from now on is compressed, and so is what arrives from it behind the packet at hand. A packet at
    /// hand that was forwarded before goes out as it is. The ids of packets inside compressed frames do not matter.
    Compress {
        /// Which side.
        side: Side,
        /// How.
        algorithm: Algorithm,
    },
    /// What is sent to this side next is a command: the numbers of compressed frames start anew. Comes only for a server with
    /// compression. Frames for a client go on with the numbers of its command.
    NewExchange(Side),
    /// What became of a query of the waiting script ([`Event::Query`](crate::Event::Query)): tell it.
    Resume {
        /// Which query.
        id: QueryId,
        /// What became of it.
        outcome: Outcome,
    },
    /// The connection ends: have the waiting script come to its end. [`Event::Verdict`](crate::Event::Verdict) is still awaited.
    Cancel,
    /// A large piece of memory was freed: give it back to the system.
    Trim,
}

/// How to go on when the effects of an event are done.
#[derive(Debug, Clone)]
pub enum Then {
    /// Wait for this.
    Await(Awaits),
    /// Ask the script. [`Event::Verdict`](crate::Event::Verdict) follows, at once or later; the packet at hand is still
    /// needed then.
    Ask(Ask),
}

/// A question to the script.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A hook that gets nothing but the connection, or the packet at hand: all but the next.
    Hook(Hook),
    /// `read_query_result`, about this query and its result.
    Result(Slot<Injection>),
}

impl Ask {
    /// Which hook it is.
    pub fn hook(&self) -> Hook {
        match self {
            Self::Hook(hook) => *hook,
            Self::Result(_) => Hook::ReadQueryResult,
        }
    }
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// The connect that is under way comes to an end.
    Connect,
    /// A place at a backend that is full. The client is watched meanwhile.
    Place,
    /// A server is still to be found: [`Event::Accepted`](crate::Event::Accepted) comes again.
    Retry,
    /// The server's handshake.
    Greeting,
    /// The end of the TLS handshake with this side: [`Event::Secured`](crate::Event::Secured) or
    /// [`Event::TlsFailed`](crate::Event::TlsFailed).
    Secured(Side),
    /// The client's login.
    Login,
    /// The server's answer to the login, or to a further packet of it.
    LoginAnswer,
    /// A further packet of the client's login.
    LoginData,
    /// A command of the client.
    Command,
    /// A further part of the command: [`Engine::takes_parts`](crate::Engine::takes_parts).
    MoreCommand,
    /// A packet of the server's answer.
    Answer {
        /// It is kept: nothing reaches the client before its end.
        kept: bool,
    },
    /// The same, for an answer that has begun.
    MoreAnswer,
    /// A packet of the client's file.
    File,
    /// The server's answer to the file.
    FileAnswer,
    /// The verdict of the script, which waits. The client is watched meanwhile.
    Verdict,
    /// Nothing: what was sent to the client is written, then everything ends.
    Close,
    /// Nothing: everything ends at once.
    Abort,
}
