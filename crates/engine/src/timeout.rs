//! Somebody took too long, or sends too much.

use crate::engine::Step;
use crate::error_code::{
    ER_CLIENT_INTERACTION_TIMEOUT, ER_HANDSHAKE_ERROR, ER_NET_PACKET_TOO_LARGE,
    ER_NET_READ_INTERRUPTED,
};
use crate::turn::Turn;
use crate::{Reply, Side};

const TIMED_OUT: &str = "backend timed out";

impl Turn<'_> {
    /// The peer that is awaited was silent: tries the next backend, or ends the connection with an ERR where one can still be
    /// understood.
    pub fn timed_out(&mut self) {
        let untouched = !self.state.exchange.begun && !self.state.exchange.is_answered();
        match self.state.step {
            Step::Connect if self.state.waits_at.is_some() => self.give_up_place(),
            Step::Connect => self.connect_failed("the connect takes too long"),
            Step::Greeting => {
                if !self.greets_others() {
                    self.connect_failed("it does not greet");
                }
            }
            Step::Tls(Side::Server) => self.tls_failed(Side::Server, "it takes too long"),
            Step::LoginAnswer => self.refuse_for_server(),
            Step::Answer | Step::FileAnswer | Step::Preparing => {
                self.shared.stats.query_timeouts.increment();
                if untouched { self.refuse_for_server() } else { self.abort() }
            }
            Step::Command => {
                self.shared.stats.idle_timeouts.increment();
                let message = "pyproxy: the client was idle for too long";
                self.close_server();
                self.refuse(&Reply::error(ER_CLIENT_INTERACTION_TIMEOUT, message));
            }
            _ => self.abort(),
        }
    }

    /// Whether the server that is to greet has greeted others meanwhile: many clients came at a time, and it is slow, not
    /// DOWN. Then the wait begins anew; the login has a limit of its own.
    fn greets_others(&mut self) -> bool {
        let now = self.driver.now();
        let Some(server) = self.session.server.as_mut() else { return false };
        let since = std::mem::replace(&mut server.awaited_since, now);
        self.shared.greetings.any_since(server.backend, since)
    }

    /// The login is not complete, and there was enough time for it.
    pub fn login_timed_out(&mut self) {
        let timeouts = &self.shared.stats.login_timeouts;
        match self.state.step {
            Step::Connect if self.state.waits_at.is_some() => self.give_up_place(),
            Step::Connect | Step::Greeting | Step::Tls(Side::Server) | Step::LoginAnswer => {
                timeouts.increment();
                self.refuse_for_server();
            }
            Step::Login | Step::LoginData => {
                timeouts.increment();
                let message = "pyproxy: the login takes too long";
                self.refuse_for_client(&Reply::error(ER_NET_READ_INTERRUPTED, message));
            }
            Step::Asked if self.session.command.is_none() => {
                timeouts.increment();
                self.refuse(&self.login_error("pyproxy: the login takes too long"));
            }
            Step::Tls(Side::Client) => {
                timeouts.increment();
                self.abort();
            }
            _ => self.abort(),
        }
    }

    /// What the client sends in place of its login is not read to its end.
    pub fn bad_login(&mut self, why: &str) {
        if !matches!(self.state.step, Step::Login | Step::LoginData) {
            return self.abort();
        }
        self.shared.stats.malformed_packets.increment();
        let message = format!("Bad handshake: {why}");
        self.refuse_for_client(&Reply::error(ER_HANDSHAKE_ERROR, &message));
    }

    /// A command that is to be joined for the script has no end.
    pub fn command_too_long(&mut self) {
        if self.state.step != Step::Command {
            return self.abort();
        }
        let limit = self.shared.max_kept_bytes;
        let message = format!("pyproxy: the command is larger than pyproxy-max-kept-bytes={limit}");
        self.refuse_for_client(&Reply::error(ER_NET_PACKET_TOO_LARGE, &message));
    }

    fn refuse_for_server(&mut self) {
        self.close_server();
        self.refuse(&self.login_error(&format!("pyproxy: {TIMED_OUT}")));
    }

    /// Refuses a client that has not sent its packet: the ERR is numbered as the answer to it.
    pub fn refuse_for_client(&mut self, reply: &Reply) {
        self.close_server();
        self.state.client_ids.next_part();
        self.refuse(reply);
    }
}
