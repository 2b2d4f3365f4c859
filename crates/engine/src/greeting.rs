//! The server's handshake.

use std::sync::Arc;

use wire::connect::Handshake;
use wire::reply::is_err;
use wire::{Capabilities, WireError};

use crate::engine::{Question, Step};
use crate::login_rounds::LoginReason;
use crate::turn::Turn;
use crate::{Awaits, Hook, Verdict};

impl Turn<'_> {
    /// The server's first packet: a handshake, or an ERR, which the client gets as it is.
    pub fn greeting(&mut self, payload: &[u8]) {
        let reason = self.state.login.reason;
        if is_err(payload) {
            if let LoginReason::Learn(ndx) = reason {
                return self.learned(ndx, Some(payload));
            }
            self.send_payload_to_client(payload);
            return self.close();
        }
        let mut payload = payload.to_vec();
        let (said, handshake) = match self.offer_of(&mut payload) {
            Ok((said, handshake)) => (said, Arc::new(handshake)),
            Err(e) => {
                self.shared.stats.malformed_packets.increment();
                log::error!("{}: cannot read the server's handshake: {e}", self.name());
                return self.broken("cannot read the handshake of the server");
            }
        };
        let now = self.driver.now();
        if let Some(server) = self.session.server.as_mut() {
            server.reported(handshake.status);
            server.offered = said.capabilities;
            self.shared.greetings.note(server.backend, said, now);
            server.handshake = Some(handshake);
            server.handshake_payload = payload;
        }
        match reason {
            LoginReason::Reconnect | LoginReason::Chosen(_) => self.login_again(),
            LoginReason::Learn(ndx) => self.learned(ndx, None),
            LoginReason::Connect | LoginReason::PooledConnection | LoginReason::ChangeUser => {
                self.ask(Question::ReadHandshake, None);
            }
        }
    }

    /// The server's handshake, and the same in the form that clients get.
    fn offer_of(&self, payload: &mut [u8]) -> Result<(Handshake, Handshake), WireError> {
        let said = Handshake::parse(payload)?;
        let settings = &self.state.settings;
        let mirrored = settings.mirrored();
        Handshake::mask(payload, Capabilities::UNSUPPORTED.difference(mirrored))?;
        Handshake::offer(payload, settings.own_offer())?;
        Ok((said, Handshake::parse(payload)?))
    }

    pub(crate) fn greeting_verdict(&mut self, verdict: Verdict) {
        if let Some(message) = self.rejection(&verdict, Hook::ReadHandshake) {
            let reply = self.login_error(&format!("pyproxy: {message}"));
            return self.refuse(&reply);
        }
        if let Verdict::SendResult(reply) = verdict {
            return self.refuse(&reply);
        }
        let Some(server) = self.session.server.as_ref() else { return self.abort() };
        // As received, but for the capability bits that the proxy cannot follow, or offers itself.
        let payload = server.handshake_payload.clone();
        self.session.client.handshake.clone_from(&server.handshake);
        self.send_payload_to_client(&payload);
        self.go(Step::Login, Awaits::Login);
    }
}
