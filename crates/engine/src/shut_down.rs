//! The process ends: who may go on for a while, and what those are told who may not.

use crate::engine::{Engine, Step};
use crate::error_code::ER_SERVER_SHUTDOWN;
use crate::turn::Turn;
use crate::{Reply, Server, Side};

/// As MySQL says it.
const MESSAGE: &str = "Server shutdown in progress";

impl Engine {
    /// Whether nothing is under way that the end of the connection would cut off: no command, and no transaction. A client that has
    /// not logged in has begun nothing.
    pub fn is_at_rest(&self) -> bool {
        match self.step() {
            Step::Login | Step::LoginData => true,
            Step::Command => {
                let session = self.session().lock();
                let server = session.as_ref().and_then(|session| session.server.as_ref());
                !server.is_some_and(Server::in_transaction)
            }
            _ => false,
        }
    }
}

impl Turn<'_> {
    /// Ends the connection with an ERR, unless the client reads an answer that has begun, or is sending something.
    pub fn shut_down(&mut self) {
        let untouched = !self.state.exchange.begun && !self.state.exchange.is_answered();
        match self.state.step {
            Step::Login | Step::LoginData => {
                self.refuse_for_client(&Reply::error(ER_SERVER_SHUTDOWN, MESSAGE));
            }
            Step::Connect
            | Step::Greeting
            | Step::Tls(Side::Server)
            | Step::LoginAnswer
            | Step::Command => self.refuse_at_the_end(),
            Step::Preparing | Step::Answer | Step::FileAnswer | Step::Asked if untouched => {
                self.refuse_at_the_end();
            }
            // It has its last words already.
            Step::Ending | Step::Over => {}
            _ => self.abort(),
        }
    }

    fn refuse_at_the_end(&mut self) {
        self.close_server();
        self.refuse(&self.login_error_of(ER_SERVER_SHUTDOWN, MESSAGE));
    }
}
