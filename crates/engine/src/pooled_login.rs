//! A client that was greeted from a pooled connection, which is logged in as somebody: make it the client's own.

use wire::Capabilities;
use wire::connect::{ChangeUser, Login};

use crate::engine::Step;
use crate::error_code::{ER_ACCESS_DENIED_ERROR, ER_HANDSHAKE_ERROR};
use crate::login::bad_handshake;
use crate::login_rounds::{LoginReason, LoginRounds};
use crate::turn::Turn;
use crate::{Awaits, Reply};

/// Which auth data a server gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Those in the client's login.
    OfClient,
    /// None, for a method that no account has: the server answers with a switch request for the right one, and the client
    /// with auth data for this server's scramble.
    AskAgain,
}

impl Auth {
    /// The name of a method that no account has.
    pub const NO_METHOD: &[u8] = b"pyproxy_switch_request";

    /// The login as the server shall get it.
    pub fn of(self, login: &Login) -> Login {
        match self {
            Self::OfClient => login.clone(),
            Self::AskAgain => Login {
                auth_response: Vec::new(),
                auth_plugin: Some(Self::NO_METHOD.to_vec()),
                ..login.clone()
            },
        }
    }
}

impl Turn<'_> {
    /// The attached connection comes from the pool.
    pub fn take_over_pooled(&mut self, login: Login) {
        if let Some(server) = self.server() {
            server.is_read_by(login.capabilities);
        }
        let wanted = login.database.as_deref().unwrap_or_default();
        let server = self.session.server.as_ref();
        let speaks = server.is_some_and(|server| server.speaks(login.capabilities));
        let same_db = server.is_some_and(|server| server.default_db == wanted);
        match (speaks, self.shared.pool_change_user) {
            (true, true) => self.log_pooled_in(login, Auth::OfClient),
            (true, false) if same_db => self.compare_logins(&login),
            _ => self.replace_pooled(login),
        }
    }

    /// The pooled connection that the client was greeted from does not fit it: it was opened with other capabilities, or, if
    /// there is no new login, is in another database. It goes back, and another one takes its place; the client's auth data
    /// belong to another scramble, so the server is made to ask for them again.
    fn replace_pooled(&mut self, login: Login) {
        if !login.capabilities.contains(Capabilities::PLUGIN_AUTH) {
            // Nobody can ask this client again. The next time it shall not meet the same connection.
            self.close_server();
            let message = "no pooled connection fits this client, try again";
            return self.refuse(&Reply::proxy_error(message));
        }
        if self.shared.pool_change_user && self.take_fitting(login.capabilities) {
            return self.log_pooled_in(login, Auth::AskAgain);
        }
        let backend = self.session.backend_ndx();
        self.park_server();
        self.session.choice = backend;
        self.state.login = LoginRounds {
            reason: LoginReason::Reconnect,
            sent: Some(login),
            ..LoginRounds::default()
        };
        self.find_server();
    }

    /// Exchanges the attached pooled connection for an idle one of the same backend that speaks the client's dialect.
    fn take_fitting(&mut self, capabilities: Capabilities) -> bool {
        let Some(ndx) = self.session.backend_ndx() else { return false };
        let client = &self.session.client.src;
        let found = self.shared.pool().of(ndx).take_for_login(client, capabilities);
        let Some(server) = found else { return false };
        self.session.exchange_server(self.shared, server, self.driver.now());
        self.sync_server();
        true
    }

    /// The new server's handshake is there, but the client's auth data are not for its scramble.
    pub fn login_again(&mut self) {
        let Some(login) = self.state.login.sent.take() else { return self.abort() };
        let server = self.session.server.as_ref();
        let offered = server.and_then(|server| server.handshake.as_ref());
        let offered = offered.map(|handshake| handshake.capabilities).unwrap_or_default();
        let missing = (login.capabilities & Capabilities::MUTUAL).difference(offered);
        if !missing.is_empty() {
            // The client was greeted with another offer, and the two would misread what the other sends.
            let names: Vec<_> = missing.iter_names().map(|(name, _)| name).collect();
            let message = format!(
                "the server does not offer what the client was offered ({})",
                names.join(", ")
            );
            return self.refuse(&Reply::proxy_error(&message));
        }
        if let Some(reason) = self.objection_to_names(&login) {
            return self.refuse_names(reason);
        }
        let Ok(payload) = Auth::AskAgain.of(&login).encode() else {
            return self.refuse(&bad_handshake());
        };
        self.send_login(LoginReason::Connect, login, payload);
    }

    pub(crate) fn log_pooled_in(&mut self, login: Login, auth: Auth) {
        if let Some(reason) = self.objection_to_names(&login) {
            return self.refuse_names(reason);
        }
        let server = self.session.server.as_ref();
        let server_tls = server.is_some_and(|server| server.tls.is_some());
        let auth = if self.must_ask_again(&login, server_tls) { Auth::AskAgain } else { auth };
        let sent = auth.of(&login);
        let request = ChangeUser {
            username: sent.username,
            auth_response: sent.auth_response,
            database: sent.database.unwrap_or_default(),
            charset: Some(sent.charset.into()),
            auth_plugin: sent.auth_plugin,
            attributes: sent.attributes,
        };
        let server = self.session.server.as_ref();
        let of_server = server.map(|server| server.capabilities()).unwrap_or_default();
        let Ok(payload) = request.encode(of_server & login.capabilities) else {
            let message = "the login does not fit into COM_CHANGE_USER";
            return self.refuse(&Reply::error(ER_HANDSHAKE_ERROR, message));
        };
        self.begin_server_exchange();
        self.send_to_server(&payload);
        self.login_sent(LoginReason::PooledConnection, login);
    }

    /// Without re-authentication only a client that logs in the same way gets the connection.
    fn compare_logins(&mut self, login: &Login) {
        let provable = self.session.server.as_ref().filter(|server| server.login_is_proof);
        let same = provable.and_then(|server| server.login.as_ref()).is_some_and(|pooled| {
            pooled.username == login.username
                && pooled.auth_plugin == login.auth_plugin
                && pooled.auth_response == login.auth_response
        });
        if !same {
            self.park_server();
            let message = "(proxy-pool) login failed";
            return self.refuse(&Reply::error(ER_ACCESS_DENIED_ERROR, message));
        }
        if !self.admit() {
            return;
        }
        self.send_to_client(&Reply::ok(self.session.status()));
        self.restart_ids();
        self.state.login = LoginRounds::default();
        self.compress_client();
        self.next_command();
    }

    /// The client may send a command.
    pub fn next_command(&mut self) {
        if self.session.command_at.is_some() {
            self.note_end(false);
        }
        if !self.drains() {
            self.go(Step::Command, Awaits::Command);
        }
    }
}
