//! A login that goes to another server than the one that greeted the client, or to one where none did.
//!
//! The client's auth data are for the challenge that it was greeted with, so the server is made to ask for them again: its
//! switch request has its own challenge, whatever method the account has, and the proxy knows no password.

use wire::Capabilities;
use wire::connect::Login;

use crate::error_code::ER_HANDSHAKE_ERROR;
use crate::login_rounds::{LoginReason, LoginRounds};
use crate::pooled_login::Auth;
use crate::turn::Turn;
use crate::{BackendState, Claim, Reply, Session, Shared};

impl Session {
    /// Whether the client's login could go to backend `ndx`, as far as is known: it is reachable, it offers what the client was offered
    /// and uses, and the client can be asked for its password once more.
    pub fn can_log_in_to(&self, shared: &Shared, ndx: usize) -> bool {
        let Some(login) = self.client.login.as_ref() else { return false };
        let needed = login.capabilities & (Capabilities::MUTUAL | Capabilities::SSL);
        login.capabilities.contains(Capabilities::PLUGIN_AUTH)
            && shared.backends.state(ndx) == Some(BackendState::Up)
            && shared.greetings.offered(ndx).is_some_and(|offered| offered.contains(needed))
    }
}

impl Turn<'_> {
    /// Takes the login to the backend that the script chose in `read_auth`, or to any if no server greeted the client. `false`:
    /// it is for the server that is attached, or for the script.
    pub fn log_in_elsewhere(&mut self, login: &Login) -> bool {
        let chosen = self.session.choice.take();
        let attached = self.session.server.as_ref().map(|server| server.backend);
        let needs_any = attached.is_none() && self.state.greeted_by_proxy;
        if (chosen.is_none() && !needs_any) || (chosen.is_some() && chosen == attached) {
            return false;
        }
        if !login.capabilities.contains(Capabilities::PLUGIN_AUTH) {
            let message = "pyproxy: the client cannot be asked for its password by the server that it is for (PLUGIN_AUTH)";
            self.refuse(&Reply::error(ER_HANDSHAKE_ERROR, message));
            return true;
        }
        self.shared.backends.recheck();
        if chosen.is_some_and(|ndx| self.refuse_unavailable(ndx)) {
            return true;
        }
        if !self.log_in_to_own(chosen, login) {
            self.park_server();
            let reason = chosen.map_or(LoginReason::Reconnect, LoginReason::Chosen);
            self.state.login =
                LoginRounds { reason, sent: Some(login.clone()), ..LoginRounds::default() };
            self.find_server();
        }
        true
    }

    /// Takes an idle connection of this very user. Whether there is one to spare.
    fn log_in_to_own(&mut self, chosen: Option<usize>, login: &Login) -> bool {
        let Some(ndx) = chosen.or_else(|| self.shared.backends.shortest_queue(&|_| true)) else {
            return false;
        };
        if !self.shared.pool_change_user {
            return false;
        }
        let claim = Claim::new(
            &login.username,
            &self.session.client.src,
            login.capabilities | self.mirrored_tls(),
        );
        let found = self.shared.pool().of(ndx).take_for_login_of(&claim);
        self.shared.stats.count_pool(ndx, found.is_some());
        let Some(server) = found else { return false };
        self.session.exchange_server(self.shared, server, self.driver.now());
        self.sync_server();
        self.log_pooled_in(login.clone(), Auth::AskAgain);
        true
    }

    /// Starts the connect to the backend that the script chose in `read_auth`: the login is for no other one.
    pub fn connect_chosen(&mut self, ndx: usize) {
        if !self.refuse_unavailable(ndx) {
            self.session.choice = Some(ndx);
            self.connect();
        }
    }

    /// Refuses the client if the backend of its login cannot be reached. Whether it did.
    fn refuse_unavailable(&mut self, ndx: usize) -> bool {
        let backends = &*self.shared.backends;
        let why = match backends.state(ndx) {
            None => format!("there is no backend {ndx}"),
            Some(state) if state.takes_clients() => return false,
            Some(state) => {
                let name = backends.address(ndx).unwrap_or_default().name;
                format!("backend {ndx} ({name}) is {}", refusal(state))
            }
        };
        log::warn!("{}: read_auth chose where the login goes, but {why}", self.name());
        self.refuse(&Reply::proxy_error(&why));
        true
    }
}

/// Why a backend in this state takes no clients.
const fn refusal(state: BackendState) -> &'static str {
    match state {
        BackendState::Drain => "being drained",
        BackendState::Maint => "in maintenance",
        BackendState::Removed => "removed",
        _ => "down",
    }
}
