//! `PROXY_GREET`: the client is greeted by the proxy itself, before a server is chosen for it.
//!
//! It is offered what every backend offers that its login may go to, so that it fits whichever it is. The proxy has to know
//! what that is: a backend that greeted nobody since the start is connected to for its greeting, once.

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::Handshake;
use wire::reply::StatusFlags;

use crate::Awaits;
use crate::engine::Step;
use crate::greetings::Common;
use crate::login_rounds::LoginReason;
use crate::turn::Turn;

/// No connection of any server has it: whoever wants to kill the query of this client by it kills nobody else's.
const NO_THREAD: u32 = 0;

impl Turn<'_> {
    /// Greets the client, or connects first to a backend whose greeting is not known.
    pub fn greet_without_server(&mut self) {
        self.park_server();
        self.session.choice = None;
        self.learn_greetings(0);
    }

    /// Goes on with the backends from `first` on.
    pub fn learn_greetings(&mut self, first: usize) {
        let (backends, greetings) = (&*self.shared.backends, &self.shared.greetings);
        let unknown =
            (first..backends.len()).find(|ndx| self.is_eligible(*ndx) && !greetings.knows(*ndx));
        if let Some(ndx) = unknown {
            self.state.login.reason = LoginReason::Learn(ndx);
            self.session.choice = Some(ndx);
            return self.connect();
        }
        self.state.login.reason = LoginReason::Connect;
        let eligible = (0..backends.len()).filter(|ndx| self.is_eligible(*ndx));
        match greetings.common(eligible) {
            Some(common) => self.greet_for_all(common),
            None => self.all_down(),
        }
    }

    /// A backend that was asked for its greeting greets, or refuses everybody at present.
    pub fn learned(&mut self, ndx: usize, refusal: Option<&[u8]>) {
        let mut others = (0..self.shared.backends.len()).filter(|other| self.is_eligible(*other));
        let is_only = !others.any(|other| other > ndx || self.shared.greetings.knows(other));
        if let Some(err) = refusal.filter(|_| is_only) {
            self.send_payload_to_client(err);
            return self.close();
        }
        self.close_server();
        // The next connect is a step of its own: drivers begin one only where a connect is awaited, or a client.
        self.state.login.reason = LoginReason::Learn(ndx);
        self.go(Step::Connect, Awaits::Retry);
    }

    /// Whether the script may have the login go to this backend.
    fn is_eligible(&self, ndx: usize) -> bool {
        self.shared.backends.takes_clients(ndx)
    }

    fn greet_for_all(&mut self, Common { offered, last }: Common) {
        let Some(scramble) = self.driver.random().map(scramble) else {
            return self.cannot_greet("there are no random numbers");
        };
        let settings = &self.state.settings;
        let unsupported = Capabilities::UNSUPPORTED.difference(settings.mirrored());
        let version = self.shared.server_version.as_deref();
        let handshake = Handshake {
            server_version: version
                .map_or_else(|| last.server_version.clone(), |it| it.as_bytes().to_vec()),
            thread_id: NO_THREAD,
            scramble,
            capabilities: offered.difference(unsupported) | settings.own_offer(),
            status: StatusFlags::AUTOCOMMIT,
            ..Handshake::clone(&last)
        };
        let Ok(payload) = handshake.encode() else {
            return self.cannot_greet("the servers' greetings cannot be imitated");
        };
        self.session.client.handshake = Some(Arc::new(handshake));
        self.state.greeted_by_proxy = true;
        self.send_payload_to_client(&payload);
        self.go(Step::Login, Awaits::Login);
    }

    fn cannot_greet(&mut self, why: &str) {
        let reply = self.login_error(&format!("pyproxy: {why}"));
        self.refuse(&reply);
    }
}

/// A challenge as servers make them: bytes of ASCII without NUL and `$`, and a NUL behind them.
fn scramble(random: [u8; 20]) -> Vec<u8> {
    let letter = |byte: u8| match byte & 0x7f {
        0 | b'$' => b'!',
        letter => letter,
    };
    random.into_iter().map(letter).chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_what_clients_can_read() {
        let mut random = [0xff; 20];
        (random[0], random[1], random[2]) = (0x80, b'$', b'a');
        let made = scramble(random);
        assert_eq!(made.split_last(), Some((&0, &made[..20])));
        assert!(made[..20].iter().all(|byte| *byte < 0x80 && !matches!(byte, 0 | b'$')));
        assert_eq!(made[2], b'a');
    }
}
