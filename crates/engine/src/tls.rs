//! TLS: which side has it, and when its handshake begins.
//!
//! A client asks for TLS with a short packet in place of its login; the login follows encrypted. The server is asked when the
//! client's login goes to it, with the start of that very login, so that request and login agree whatever a script made of
//! them: servers take the capabilities from the request
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>).

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::Login;

use crate::engine::Step;
use crate::error_code::{CR_SSL_CONNECTION_ERROR, ER_SECURE_TRANSPORT_REQUIRED};
use crate::login::bad_handshake;
use crate::login_rounds::LoginReason;
use crate::turn::Turn;
use crate::{Awaits, ClientTls, Effect, Reply, ServerTls, Side, Tls};

/// What was agreed on in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.2`, `TLSv1.3`.
    pub version: String,
    /// The cipher suite, as OpenSSL names it.
    pub cipher: String,
    /// The subject of the peer's certificate; `None` if it showed none.
    pub peer_subject: Option<String>,
}

/// A login that waits for the TLS handshake with the server.
#[derive(Debug)]
pub struct WaitingLogin {
    pub reason: LoginReason,
    pub login: Login,
    pub payload: Vec<u8>,
}

impl Turn<'_> {
    /// The client asked for TLS in place of its login.
    pub fn tls_requested(&mut self, request: &[u8]) {
        if self.session.client.tls.is_some() {
            return self.refuse(&bad_handshake());
        }
        if !self.offers_tls() {
            let message = match self.state.settings.tls {
                Tls::Mirror => "pyproxy: the server does not offer TLS, connect without it",
                Tls::Hops { .. } => {
                    "pyproxy: TLS is not supported by this proxy, connect without it"
                }
            };
            return self.refuse(&Reply::error(CR_SSL_CONNECTION_ERROR, message));
        }
        self.state.tls_request = Some(request.to_vec());
        self.start_tls(Side::Client);
    }

    /// Whether the client was offered TLS. A script may have set the bit in a handshake of its own.
    fn offers_tls(&self) -> bool {
        match self.state.settings.tls {
            Tls::Mirror if self.state.greeted_by_proxy => {
                self.offered().contains(Capabilities::SSL)
            }
            Tls::Mirror => self
                .session
                .server
                .as_ref()
                .is_some_and(|server| server.offered.contains(Capabilities::SSL)),
            Tls::Hops { client, .. } => client != ClientTls::Off,
        }
    }

    fn start_tls(&mut self, side: Side) {
        self.driver.effect(Effect::StartTls(side));
        self.go(Step::Tls(side), Awaits::Secured(side));
    }

    /// The handshake that was awaited is done.
    pub fn secured(&mut self, side: Side, tls: TlsInfo) {
        if self.state.step != Step::Tls(side) {
            return self.abort();
        }
        log::debug!("{}: {side:?}: {}, {}", self.name(), tls.version, tls.cipher);
        self.shared.stats.tls.count(side, &tls.version);
        let tls = Some(Arc::new(tls));
        match side {
            Side::Client => {
                self.session.client.tls = tls;
                self.go(Step::Login, Awaits::Login);
            }
            Side::Server => {
                let waiting = self.state.waiting_login.take();
                let (Some(waiting), Some(server)) = (waiting, self.server()) else {
                    return self.abort();
                };
                server.tls = tls;
                self.send_to_server(&waiting.payload);
                self.login_sent(waiting.reason, waiting.login);
            }
        }
    }

    /// It failed. Nothing can be said to a client whose own handshake failed. A server that cannot do TLS can do without it, and
    /// is not DOWN.
    pub fn tls_failed(&mut self, side: Side, why: &str) {
        if self.state.step != Step::Tls(side) {
            return self.abort();
        }
        match side {
            Side::Client => {
                let client = &self.session.client.src.name;
                log::info!("{} ({client}): TLS with the client failed: {why}", self.name());
                self.abort();
            }
            Side::Server => {
                self.state.waiting_login = None;
                self.close_server();
                self.refuse(&Reply::proxy_error(&format!("TLS with the server failed: {why}")));
            }
        }
    }

    /// Why this client, which sent its login, has to use TLS. As to servers, a unix socket is secure without it.
    pub fn objection_to_plain_login(&self) -> Option<Reply> {
        let client = &self.session.client;
        let required =
            matches!(self.state.settings.tls, Tls::Hops { client: ClientTls::Required, .. });
        let message = "Connections using insecure transport are prohibited while --require_secure_transport=ON.";
        (required && client.tls.is_none() && !client.src.is_unix())
            .then(|| Reply::error(ER_SECURE_TRANSPORT_REQUIRED, message))
    }

    /// Whether the connection to the server has to use TLS.
    pub fn wants_server_tls(&self) -> bool {
        match self.state.settings.tls {
            Tls::Mirror => self.session.client.tls.is_some(),
            Tls::Hops { server, .. } => server == ServerTls::Required,
        }
    }

    /// The SSL bit, if the login has to tell it to the server as the client told it.
    pub fn mirrored_tls(&self) -> Capabilities {
        if self.state.settings.tls == Tls::Mirror && self.session.client.tls.is_some() {
            Capabilities::SSL
        } else {
            Capabilities::empty()
        }
    }

    /// The login goes to the server, which has not seen one yet, through TLS if it is wanted.
    pub fn send_login(&mut self, reason: LoginReason, mut login: Login, mut payload: Vec<u8>) {
        let Some(server) = self.session.server.as_ref() else { return self.abort() };
        let offered = server.offered;
        if self.must_ask_again(&login, self.wants_server_tls()) {
            match self.ask_again(&login) {
                Ok(other) => payload = other,
                Err(_) => return self.refuse(&bad_handshake()),
            }
        }
        if self.agree_with_server(&mut login, &mut payload).is_err() {
            return self.refuse(&bad_handshake());
        }
        login.capabilities |= self.mirrored_tls();
        self.ask_for_reports(&mut payload, offered);
        if !self.wants_server_tls() {
            self.send_to_server(&payload);
            return self.login_sent(reason, login);
        }
        if !offered.contains(Capabilities::SSL) {
            return self.refuse(&Reply::proxy_error("the server does not offer TLS (SSL)"));
        }
        Login::ask(&mut payload, Capabilities::SSL);
        let Some(request) = Login::tls_request(&payload) else {
            return self.refuse(&bad_handshake());
        };
        self.send_to_server(&request);
        // What the driver begins with is this version or a later one.
        let trust = self.shared.trust.version();
        if let Some(server) = self.server() {
            server.verified_with = Some(trust);
        }
        self.state.waiting_login = Some(WaitingLogin { reason, login, payload });
        self.start_tls(Side::Server);
    }
}
