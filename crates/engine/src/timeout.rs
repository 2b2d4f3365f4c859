//! The peer that is awaited was silent for too long.

use crate::engine::Step;
use crate::turn::Turn;
use crate::{Reply, Side};

const TIMED_OUT: &str = "backend timed out";

impl Turn<'_> {
    /// Tries the next backend, or ends the connection with an ERR where one can still be understood.
    pub fn timed_out(&mut self) {
        let untouched = !self.state.exchange.begun && !self.state.exchange.is_answered();
        match self.state.step {
            Step::Connect => self.connect_failed("the connect takes too long"),
            Step::Greeting => {
                let reply = self.login_error(&format!("pyproxy: {TIMED_OUT}"));
                self.refuse(&reply);
            }
            Step::Tls(Side::Server) => self.tls_failed(Side::Server, "it takes too long"),
            Step::LoginAnswer => self.refuse(&Reply::proxy_error(TIMED_OUT)),
            Step::Answer | Step::FileAnswer if untouched => {
                self.refuse(&Reply::proxy_error(TIMED_OUT));
            }
            _ => self.abort(),
        }
    }
}
