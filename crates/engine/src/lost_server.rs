//! A server that goes while its client is there.

use std::time::Duration;

use wire::reply::is_err;

use crate::engine::Step;
use crate::turn::Turn;
use crate::{Awaits, Effect, Incoming, Side};

/// A server connection without a command for longer is looked at before the next one is entrusted to it.
const SUSPICIOUS_IDLE: Duration = Duration::from_secs(1);

/// For the log.
pub const CLOSED_WITHOUT_GREETING: &str = "it closed the connection without a greeting";

impl Turn<'_> {
    /// Whether a server that had time to change its mind about this connection hung up or said something.
    pub fn server_is_gone(&mut self) -> bool {
        let now = self.driver.now();
        let Some(server) = self.server() else { return true };
        let last = std::mem::replace(&mut server.last_command_at, now);
        now.saturating_duration_since(last) > SUSPICIOUS_IDLE && !server.link.is_quiet()
    }

    /// The server ended the session while it was idle. What it said before is for the client, which reads it as the answer
    /// to its command, as it would directly; if it said nothing, the client sees the end only.
    pub fn hear_last_words(&mut self) {
        self.session.queries.clear();
        self.state.server_ids.restart();
        self.go(Step::LastWords, Awaits::MoreAnswer);
    }

    /// Whether `packet`, which has not the number of an answer, was said before the command arrived.
    pub fn is_last_word(&self, packet: Incoming<'_>) -> bool {
        self.state.step == Step::Answer && !self.state.exchange.begun && is_err(packet.payload)
    }

    /// A server that spoke without being asked ends the session: what it said is for the client, with its number.
    pub fn unasked(&mut self, packet: Incoming<'_>) {
        if is_err(packet.payload) {
            self.count_error_of_server(packet.payload);
            self.driver.effect(Effect::Forward { to: Side::Client, id: packet.id });
        }
        self.session.queries.clear();
        self.close_server();
        self.close();
    }

    /// Passes what an ending server said last, with the number that it gave it, and hangs up.
    pub fn last_words(&mut self, packet: Incoming<'_>) {
        if self.runs_nested() {
            return self.nested_lost_with(packet);
        }
        if is_err(packet.payload)
            && let Some(due) = self.state.exchange.due.take()
        {
            // A client that sent a file counts on with its packets.
            let in_order = self.state.exchange.begun.then(|| self.state.client_ids.next_part());
            let id = in_order.unwrap_or(packet.id);
            self.count_error_of_server(packet.payload);
            self.driver.effect(Effect::Forward { to: Side::Client, id });
            due.given();
        }
        self.state.exchange.injection = None;
        self.session.queries.clear();
        self.close_server();
        self.close();
    }

    /// The connection ends. If that is because the server is gone in a login, the client is told so: `true`. In a command it
    /// sees what it would see directly, the end: client libraries and pools know that the connection is lost, and an ERR
    /// would say that it is not.
    pub fn tell_of_lost_server(&mut self) -> bool {
        let is_login =
            matches!(self.state.step, Step::Greeting | Step::Tls(Side::Server) | Step::LoginAnswer);
        if !is_login || self.server().is_none_or(|server| server.link.is_quiet()) {
            return false;
        }
        if self.state.step == Step::Greeting
            && let Some(server) = self.server()
            && server.link.has_hung_up()
        {
            // It is too late for this client to try another one, but not for the next.
            let ndx = server.backend;
            self.mark_down(ndx, CLOSED_WITHOUT_GREETING);
        }
        self.send_to_client(&self.login_error("pyproxy: the server closed the connection"));
        true
    }
}
