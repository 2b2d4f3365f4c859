//! What happens next to a connection, given what its engine awaits.

use std::sync::atomic::Ordering;

use engine::{Awaits, BackendState, Event, Side, TlsInfo};

use super::client::Origin;
use super::packets::{self, Packet};
use super::{At, What, World};

impl World<'_> {
    /// What happens next to connection `n`.
    pub(super) fn next(&mut self, n: usize) -> Option<What> {
        let plain = |event| Some(What::Plain(event));
        let awaits = match &self.conns[n].at {
            At::Over => {
                self.check_nothing_follows(n);
                self.conns[n] = self.accept();
                return None;
            }
            At::Asked(_) => return Some(What::Verdict(self.decide(n))),
            At::Awaits(awaits) => *awaits,
        };
        match awaits {
            Awaits::Retry => plain(Event::Accepted),
            Awaits::Connect => match self.input.byte() {
                0..=229 => plain(Event::Connected),
                230..=244 => plain(Event::ConnectFailed),
                245..=250 => plain(Event::TimedOut),
                _ => plain(Event::Ended(Side::Client)),
            },
            Awaits::Place => self.wait_for_place(n),
            Awaits::Verdict => self.while_waiting(n),
            Awaits::Abort => plain(Event::Closed),
            Awaits::MoreCommand => panic!("commands are handed over with all their parts"),
            Awaits::Secured(side) => self.shake_hands(n, side),
            Awaits::Close => match self.input.byte() {
                252 => plain(Event::TimedOut),
                253.. => plain(Event::Ended(Side::Client)),
                _ => plain(Event::Closed),
            },
            Awaits::Login | Awaits::LoginData | Awaits::Command | Awaits::File => {
                self.client_speaks(n, awaits)
            }
            Awaits::Greeting
            | Awaits::LoginAnswer
            | Awaits::Answer { .. }
            | Awaits::MoreAnswer
            | Awaits::FileAnswer => self.server_speaks(n, awaits),
        }
    }

    /// A backend is full.
    fn wait_for_place(&mut self, n: usize) -> Option<What> {
        let is_placed = self.conns[n].io.placed.load(Ordering::Relaxed);
        match self.input.byte() {
            0..=8 => Some(What::Plain(Event::TimedOut)),
            9..=11 => Some(What::Plain(Event::LoginTimedOut)),
            12 => Some(What::Plain(Event::ShutDown)),
            13..=24 => Some(What::Plain(Event::Ended(Side::Client))),
            25..=40 => Some(What::Plain(Event::Placed)),
            _ => is_placed.then_some(What::Plain(Event::Placed)),
        }
    }

    /// A TLS handshake comes to an end.
    fn shake_hands(&mut self, n: usize, side: Side) -> Option<What> {
        let secured = |side| {
            let text = || "model".to_owned();
            let tls = TlsInfo { version: text(), cipher: text(), peer_subject: None };
            What::Plain(Event::Secured { side, tls })
        };
        Some(match self.input.byte() {
            255 => What::Plain(Event::TimedOut),
            254 => What::Plain(Event::Ended(Side::Client)),
            239 => What::Plain(Event::ShutDown),
            253 if self.server_hung_up(n) => What::Plain(Event::Ended(Side::Server)),
            252 => return self.unawaited(n, side),
            251 => {
                self.conns[n].must_end = true;
                secured(if side == Side::Client { Side::Server } else { Side::Client })
            }
            240..=250 => What::Plain(Event::TlsFailed { side, why: "model".to_owned() }),
            _ => {
                self.handshakes += 1;
                let io = &mut self.conns[n].io;
                match side {
                    Side::Client => io.client.secured(),
                    Side::Server => {
                        io.server.as_ref().expect("a server").state().hop.secure();
                    }
                }
                secured(side)
            }
        })
    }

    fn client_speaks(&mut self, n: usize, awaits: Awaits) -> Option<What> {
        match self.input.byte() {
            255 => return Some(What::Plain(Event::TimedOut)),
            254 => return Some(What::Plain(Event::Ended(Side::Client))),
            253 if self.server_hung_up(n) => return Some(What::Plain(Event::Ended(Side::Server))),
            252 => return self.unawaited(n, Side::Server),
            251 if awaits != Awaits::Command && awaits != Awaits::File => {
                return Some(What::Plain(Event::BadLogin("model")));
            }
            250 => return Some(What::Plain(Event::LoginTimedOut)),
            249 => return Some(What::Plain(Event::ShutDown)),
            246..=248 => return Some(self.mark_backend()),
            _ => {}
        }
        match self.conns[n].io.client.speak(&mut self.input) {
            Some(packet) => {
                let origin = Origin::Client { is_command: awaits == Awaits::Command };
                Some(What::Packet(Side::Client, packet, origin))
            }
            None => {
                self.check_silence(n, awaits);
                Some(What::Plain(Event::TimedOut))
            }
        }
    }

    fn server_speaks(&mut self, n: usize, awaits: Awaits) -> Option<What> {
        if self.conns[n].waits.is_some() && self.input.chance(48) {
            return self.while_waiting(n);
        }
        match self.input.byte() {
            255 => return Some(What::Plain(Event::TimedOut)),
            254 => return Some(What::Plain(Event::Ended(Side::Client))),
            253 => return self.unawaited(n, Side::Client),
            252 => return Some(What::Plain(Event::LoginTimedOut)),
            250 => return Some(self.mark_backend()),
            251 => return Some(What::Plain(Event::ShutDown)),
            _ => {}
        }
        let io = &self.conns[n].io;
        let end = io.server.as_ref().expect("a server that is awaited");
        let origin = io.origin_of_server();
        if let Some(packet) = end.read() {
            return Some(What::Packet(Side::Server, packet, origin));
        }
        if self.server_hung_up(n) {
            return Some(What::Plain(Event::Ended(Side::Server)));
        }
        self.check_silence(n, awaits);
        Some(What::Plain(Event::TimedOut))
    }

    /// Somebody wants a backend to be in another state; whoever may have to leave is told.
    pub(super) fn mark_backend(&mut self) -> What {
        let ndx = self.input.below(self.shared.backends.len());
        let state = *self.input.pick(&BackendState::SETTABLE);
        self.shared.set_backend_state(ndx, state);
        What::Plain(Event::BackendLeft)
    }

    /// A driver that listens to both sides hands over what nobody awaits: it ends the connection.
    fn unawaited(&mut self, n: usize, from: Side) -> Option<What> {
        self.conns[n].must_end = true;
        Some(match self.input.below(4) {
            0 => What::Plain(Event::Accepted),
            1 => What::Plain(Event::Connected),
            2 => What::Plain(Event::ConnectFailed),
            _ => {
                let packet = Packet::new(self.input.byte() % 4, packets::err());
                What::Packet(from, packet, Origin::Client { is_command: false })
            }
        })
    }

    fn server_hung_up(&self, n: usize) -> bool {
        self.conns[n].io.server.as_ref().is_some_and(|end| end.state().hung_up)
    }
}
