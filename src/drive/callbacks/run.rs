//! What each callback does, between the host's call and the state it goes on in.

use engine::{Event, Incoming, Short, Side, Then, Verdict};
use script::{Answer, Asked};

use super::connection::Connection;
use super::host::Host;
use super::packet_at_hand::AtHand;
use super::settle::{settle, written};
use crate::chassis::socket::Connect;
use crate::chassis::{ConState, Retval};

/// What a callback works with.
pub struct Turn<'h> {
    /// What the engine's effects go to.
    pub host: Host<'h>,
    /// Our state of the connection.
    pub conn: &'h mut Connection,
}

impl Turn<'_> {
    /// Hands over an event without a packet.
    pub fn tell(&mut self, event: Event<'_>) -> Retval {
        let then = self.conn.engine.handle(event, &mut self.host);
        self.go_on(then, None)
    }

    /// Hands over a packet.
    #[inline(always)]
    fn packet(&mut self, side: Side, packet: AtHand) -> Retval {
        let Self { host, conn } = self;
        let then = packet.show(|packet| {
            let event = match side {
                Side::Client => Event::Client(packet),
                Side::Server => Event::Server(packet),
            };
            conn.engine.handle(event, host)
        });
        let at_hand = self.host.pass_on(packet);
        self.go_on(then, at_hand)
    }

    /// Goes on as the engine says, and asks the script as often as it wants.
    fn go_on(&mut self, mut then: Then, mut at_hand: Option<AtHand>) -> Retval {
        loop {
            if let Some(side) = self.host.ended.take() {
                then = self.conn.engine.handle(Event::Ended(side), &mut self.host);
                continue;
            }
            let ask = match then {
                Then::Await(awaits) => return settle(&self.host, self.conn, awaits),
                Then::Ask(ask) => ask,
            };
            let Self { host, conn } = self;
            let Some(script) = conn.script.as_mut() else { return Retval::Error };
            then = match &at_hand {
                Some(packet) => packet.show(|packet| {
                    let verdict = ask_script(&mut **script, &ask, &packet.joined());
                    conn.engine.handle(Event::Verdict(verdict, Some(packet)), host)
                }),
                None => {
                    let verdict = ask_script(&mut **script, &ask, &[]);
                    conn.engine.handle(Event::Verdict(verdict, None), host)
                }
            };
            at_hand = at_hand.and_then(|packet| host.pass_on(packet));
        }
    }

    /// `con_connect_server`: entered without a server, for the first try and every retry, or with one whose connect may have
    /// come to an end.
    pub fn connect_server(&mut self) -> Retval {
        let event = match self.host.server() {
            None => Event::Accepted,
            Some(server) if !server.connect_has_ended() => return Retval::Retry,
            Some(server) => {
                let error = server.take_connect_error();
                let is_done = error.is_none() && server.finish_connect() == Connect::Done;
                self.host.connect_error = error;
                if is_done { Event::Connected } else { Event::ConnectFailed }
            }
        };
        self.tell(event)
    }

    /// One packet of the server arrived.
    pub fn read_server(&mut self) -> Retval {
        match self.host.server().and_then(|server| server.pop_received()) {
            Some(packet) => self.packet(Side::Server, AtHand::One(packet)),
            None => Retval::Error,
        }
    }

    /// `con_read_query_result`: one packet of an answer arrived.
    #[inline]
    pub fn read_answer(&mut self) -> Retval {
        let Some(packet) = self.host.server().and_then(|server| server.pop_received()) else {
            return Retval::Error;
        };
        let short = self.conn.engine.short(&Incoming::single(packet.id(), packet.payload()));
        match short {
            // The host reads the next packet, and flushes by itself.
            Some(Short::Pass(id)) => {
                self.host.client.append(packet, id);
                Retval::Success
            }
            Some(Short::Drop) => Retval::Success,
            None => self.packet(Side::Server, AtHand::One(packet)),
        }
    }

    /// One packet of the client arrived.
    pub fn read_client(&mut self) -> Retval {
        match self.host.client.pop_received() {
            Some(packet) => self.packet(Side::Client, AtHand::One(packet)),
            None => Retval::Error,
        }
    }

    /// `con_read_query`: a command arrived, with all its parts.
    pub fn read_query(&mut self) -> Retval {
        match self.host.client.take_command() {
            Some(packets) => self.packet(Side::Client, AtHand::Command(packets)),
            None => Retval::Error,
        }
    }

    /// What was queued for the client is written.
    pub fn written(&mut self) -> Retval {
        written(&self.host, self.conn)
    }

    /// `con_timeout`: the peer that the host waits for was silent for too long.
    ///
    /// While a hook runs for long, what a peer sends and the time limit both wait, and libevent tells of the limit only. So
    /// the peer is looked at first: if it said something, the host goes on in the same state, which reads it.
    pub fn timeout(&mut self) -> Retval {
        if self.awaited_peer_spoke() {
            return Retval::Success;
        }
        let then = self.conn.engine.handle(Event::TimedOut, &mut self.host);
        if self.host.con.state() == Some(ConState::ConnectServer) {
            // The host comes back to the connect, which finds no server and tries the next.
            return Retval::Success;
        }
        self.go_on(then, None)
    }

    /// Whether the peer that the host reads from in this state has sent something, or hung up.
    fn awaited_peer_spoke(&self) -> bool {
        let peer = match self.host.con.state() {
            Some(ConState::ConnectServer) => {
                return self.host.server().is_some_and(|server| server.connect_has_ended());
            }
            Some(
                ConState::ReadAuth
                | ConState::ReadAuthOldPassword
                | ConState::ReadQuery
                | ConState::ReadLocalInfileData,
            ) => Some(self.host.client),
            Some(
                ConState::ReadHandshake
                | ConState::ReadAuthResult
                | ConState::ReadQueryResult
                | ConState::ReadLocalInfileResult,
            ) => self.host.server(),
            _ => None,
        };
        peer.is_some_and(|peer| peer.is_readable())
    }
}

/// Asks the script. Its hooks have no mailbox, so they do not wait.
fn ask_script(script: &mut dyn Asked, ask: &engine::Ask, packet: &[u8]) -> Verdict {
    match script.ask(ask, packet) {
        Answer::Verdict(verdict) => verdict,
        Answer::Waits => Verdict::Failed,
    }
}
