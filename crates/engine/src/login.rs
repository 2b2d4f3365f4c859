//! The client's login, and the answers to it.

use std::sync::Arc;

use sqltok::exact::Dialect;
use wire::Capabilities;
use wire::connect::{AuthReply, AuthSwitch, Login, LoginKind};
use wire::reply::{OkPacket, StatusFlags};

use crate::engine::{Question, Step};
use crate::error_code::{
    CR_VERSION_ERROR, ER_ACCESS_DENIED_ERROR, ER_HANDSHAKE_ERROR, ER_NET_PACKETS_OUT_OF_ORDER,
};
use crate::login_names::{objection, shorten};
use crate::login_rounds::{LoginReason, LoginRounds};
use crate::reply::hook_failed;
use crate::session::Anew;
use crate::turn::Turn;
use crate::{Awaits, Hook, Incoming, Reply, Side, Verdict};

/// The ERR for a login that cannot be read.
pub fn bad_handshake() -> Reply {
    Reply::error(ER_HANDSHAKE_ERROR, "Bad handshake")
}

/// The ERR for a packet with a wrong sequence id.
pub fn out_of_order() -> Reply {
    Reply::error(ER_NET_PACKETS_OUT_OF_ORDER, "Got packets out of order")
}

impl Turn<'_> {
    /// The client's login arrived.
    pub fn login(&mut self, payload: &[u8]) {
        if self.session.client.handshake.is_none() {
            return self.refuse(&bad_handshake());
        }
        let mut payload = payload.to_vec();
        if let Some(request) = &self.state.tls_request {
            Login::obey_request(&mut payload, request);
        }
        let parsed = match LoginKind::classify(&payload) {
            Ok(LoginKind::V41(asked)) => {
                if let Some(reply) = self.objection_to_plain_login() {
                    return self.refuse(&reply);
                }
                let mirrored = self.agree_on_compression(&asked) | self.mirrored_tls();
                let unsupported = Capabilities::unsupported_in_login(self.offered());
                Login::mask(&mut payload, unsupported.difference(mirrored))
                    .and_then(|()| Login::parse(&payload))
            }
            Ok(LoginKind::Ssl) => return self.tls_requested(&payload),
            Ok(LoginKind::Pre41) => {
                let message = "4.0 protocol is not supported";
                return self.refuse(&Reply::error_before_handshake(CR_VERSION_ERROR, message));
            }
            Err(e) => Err(e),
        };
        match parsed {
            Ok(mut login) => {
                self.shorten_name(&mut login);
                if let Some(reason) = self.objection_to_names(&login) {
                    return self.refuse_names(reason);
                }
                if self.refuse_full_user(&login) {
                    return;
                }
                self.session.client.default_db = login.database.clone().unwrap_or_default();
                self.session.client.login = Some(Arc::new(login.clone()));
                self.ask(Question::ReadAuth(Box::new(login), payload), None);
            }
            Err(e) => {
                self.shared.stats.malformed_packets.increment();
                log::warn!("{}: cannot read the client's login: {e}", self.name());
                self.refuse(&bad_handshake());
            }
        }
    }

    /// Gives `login` the user name that the server takes it for, if that is the beginning of a longer one.
    pub(crate) fn shorten_name(&self, login: &mut Login) {
        if let Some(server) = self.sql_dialect() {
            shorten(&mut login.username, server);
        }
    }

    /// Why `login` may stand for another user or database to the server than to scripts.
    pub(crate) fn objection_to_names(&self, login: &Login) -> Option<&'static str> {
        objection(login, self.sql_dialect()?)
    }

    /// That of the server that gets the login; of the greeting, if there is none yet.
    fn sql_dialect(&self) -> Option<Dialect> {
        let of_server = self.session.server.as_ref().and_then(|server| server.handshake.as_ref());
        let handshake = of_server.or(self.session.client.handshake.as_ref())?;
        Some(Dialect::of_server_version(&handshake.server_version))
    }

    pub(crate) fn refuse_names(&mut self, reason: &str) {
        log::warn!("{}: a login is refused: {reason}", self.name());
        self.refuse(&Reply::error(ER_ACCESS_DENIED_ERROR, &format!("pyproxy: {reason}")));
    }

    /// What the client was offered.
    pub(crate) fn offered(&self) -> Capabilities {
        let handshake = self.session.client.handshake.as_ref();
        handshake.map(|handshake| handshake.capabilities).unwrap_or_default()
    }

    pub(crate) fn login_verdict(&mut self, verdict: Verdict, login: Login, payload: Vec<u8>) {
        if let Some(message) = self.rejection(&verdict, Hook::ReadAuth) {
            return self.refuse(&Reply::proxy_error(&message));
        }
        match verdict {
            Verdict::SendResult(reply) => self.answer_login(&reply),
            Verdict::SendQuery => self.replace_login(login, payload),
            _ => {
                if !self.session.queries.is_empty() {
                    self.session.queries.clear();
                    log::warn!(
                        "{}: read_auth queued packets but did not return PROXY_SEND_QUERY",
                        self.name()
                    );
                }
                self.pass_login_on(login, payload);
            }
        }
    }

    /// The client's login goes to the server as it is.
    fn pass_login_on(&mut self, login: Login, payload: Vec<u8>) {
        if self.log_in_elsewhere(&login) {
            return;
        }
        match self.session.server.as_ref().map(|server| server.authenticated) {
            // The script made the handshake: every client is accepted.
            None => self.answer_login(&Reply::ok(self.session.status())),
            Some(true) => self.take_over_pooled(login),
            Some(false) => self.send_login(LoginReason::Connect, login, payload),
        }
    }

    /// `PROXY_SEND_QUERY`: the first queued packet goes out in place of the client's login.
    fn replace_login(&mut self, login: Login, payload: Vec<u8>) {
        let Some(query) = self.session.queries.pop_front() else {
            log::warn!("{}: read_auth returned PROXY_SEND_QUERY but queued nothing", self.name());
            return self.pass_login_on(login, payload);
        };
        self.session.queries.clear();
        let mut replacement = query.packet;
        let parsed = Login::mask(&mut replacement, Capabilities::UNSUPPORTED)
            .and_then(|()| Login::copy_form(&mut replacement, login.capabilities))
            .and_then(|()| Login::parse(&replacement));
        match parsed {
            Ok(replaced) if self.log_in_elsewhere(&replaced) => {}
            Ok(_) if self.session.server.as_ref().is_none_or(|server| server.authenticated) => {
                self.login_script_error("no new server connection that could take a login packet");
            }
            Ok(mut replaced) => {
                self.shorten_name(&mut replaced);
                self.send_login(LoginReason::Connect, replaced, replacement);
            }
            Err(e) => {
                self.login_script_error(&format!("the packet queued in read_auth is no login: {e}"))
            }
        }
    }

    fn login_script_error(&mut self, what: &str) {
        log::error!("{}: read_auth: {what}", self.name());
        self.refuse(&Reply::proxy_error(&hook_failed(Hook::ReadAuth)));
    }

    /// A login, or a COM_CHANGE_USER in its place, is on its way.
    pub fn login_sent(&mut self, reason: LoginReason, login: Login) {
        let knows_factors = self.server().is_some_and(|server| {
            server.busy = true;
            server.knows_factors(&login)
        });
        let offered = || self.session.client.handshake.as_ref()?.auth_plugin.clone();
        let method = login.auth_plugin.clone().or_else(offered).unwrap_or_default();
        self.state.login = LoginRounds {
            reason,
            method,
            sent: Some(login),
            knows_factors,
            ..LoginRounds::default()
        };
        self.go(Step::LoginAnswer, Awaits::LoginAnswer);
    }

    /// The proxy or the script answers the login itself.
    pub fn answer_login(&mut self, reply: &Reply) {
        let told = reply.packets().first().and_then(|payload| AuthReply::classify(payload).ok());
        let Some(told) = told.filter(|told| *told != AuthReply::Err) else {
            return self.refuse(reply);
        };
        if told == AuthReply::Ok {
            if !self.admit() {
                return;
            }
            // A server that still waits for a login would take the first command for one; a pooled one is logged in
            // as another user.
            self.park_server();
            self.session.choice = None;
        }
        self.send_to_client(reply);
        let method = match reply.packets().first().map(|payload| AuthSwitch::parse(payload)) {
            Some(Ok(switch)) if told == AuthReply::Switch => switch.plugin,
            _ => Vec::new(),
        };
        self.state.login =
            LoginRounds { method, asked_by_script: !told.is_final(), ..LoginRounds::default() };
        self.told(told);
    }

    /// The client answered a question of the login: the server gets it, or the script that asked.
    pub fn login_data(&mut self, packet: Incoming<'_>, in_order: bool) {
        if !in_order {
            return self.refuse(&out_of_order());
        }
        if self.state.login.asked_by_script {
            return self.login_data_for_script(packet.payload);
        }
        if self.session.server.is_none() {
            return self.refuse(&Reply::proxy_error("no server connection to log in to"));
        }
        if !self.translate(packet.payload) {
            self.forward(Side::Server, packet);
            self.go(Step::LoginAnswer, Awaits::LoginAnswer);
        }
    }

    /// The script is asked again, about a login with this answer in it.
    fn login_data_for_script(&mut self, auth_response: &[u8]) {
        let method = std::mem::take(&mut self.state.login.method);
        let Some(login) = self.session.client.login.as_mut() else { return self.abort() };
        let login = Arc::make_mut(login);
        login.auth_response = auth_response.to_vec();
        if !method.is_empty() {
            login.auth_plugin = Some(method);
        }
        let login = login.clone();
        match login.encode() {
            Ok(payload) => self.ask(Question::ReadAuth(Box::new(login), payload), None),
            Err(_) => self.refuse(&bad_handshake()),
        }
    }

    /// The server answered the login, or a further round of it.
    pub fn login_answer(&mut self, packet: Incoming<'_>) {
        let Ok(reply) = self.state.login.judge(packet.payload) else {
            self.shared.stats.malformed_packets.increment();
            let message = "cannot read the server's answer to the login";
            return self.refuse(&Reply::proxy_error(message));
        };
        self.note_challenge(packet.payload);
        if self.take_key(packet.payload, reply) {
            return;
        }
        if self.state.login.is_lost_after(reply) {
            let method = String::from_utf8_lossy(&self.state.login.method).into_owned();
            let message = format!("the authentication method {method} cannot be followed");
            return self.refuse(&Reply::proxy_error(&message));
        }
        let is_change_user = self.state.login.reason == LoginReason::ChangeUser;
        match reply {
            AuthReply::Ok if !self.admit() => return,
            AuthReply::Ok => self.accepted(packet.payload),
            AuthReply::Err if is_change_user => {
                if let Some(server) = self.server() {
                    server.kept_login();
                }
            }
            _ => {}
        }
        if is_change_user {
            // The script was asked about the login of the connection; COM_CHANGE_USER went through `read_query`.
            return self.login_answer_verdict(Verdict::Proceed, reply, Some(packet));
        }
        self.session.login_accepted = reply == AuthReply::Ok;
        self.ask(Question::ReadAuthResult(reply), Some(packet));
    }

    /// The server accepted the login: both sides are logged in with what was sent.
    fn accepted(&mut self, ok: &[u8]) {
        let now = self.driver.now();
        let sent = self.state.login.sent.take().map(Arc::new);
        let opens = self.session.server.as_ref().is_some_and(|server| !server.authenticated);
        let compression =
            sent.as_ref().filter(|_| opens).and_then(|login| self.compression_of_server(login));
        let is_proof = !self.state.login.asked_again;
        let status = OkPacket::parse(ok, Capabilities::empty())
            .map_or(StatusFlags::AUTOCOMMIT, |ok| ok.status);
        let client = &mut self.session.client;
        if self.state.login.reason == LoginReason::ChangeUser
            && let Some(login) = &sent
        {
            client.default_db = login.database.clone().unwrap_or_default();
            client.login = Some(Arc::clone(login));
        }
        client.server_user = sent.as_ref().map(|login| login.username.clone());
        if let Some(server) = self.server() {
            server.logged_in(sent, status, is_proof, now);
        }
        self.note_reports(opens);
        self.session.begin_anew(match self.state.login.reason {
            LoginReason::ChangeUser => Anew::User,
            _ if opens => Anew::Login,
            _ => Anew::PooledLogin,
        });
        self.compress_server(compression);
    }

    pub(crate) fn login_answer_verdict(
        &mut self,
        verdict: Verdict,
        reply: AuthReply,
        at_hand: Option<Incoming<'_>>,
    ) {
        if let Some(message) = self.rejection(&verdict, Hook::ReadAuthResult) {
            return self.refuse(&Reply::proxy_error(&message));
        }
        let Verdict::SendResult(made) = verdict else {
            let Some(packet) = at_hand else { return self.abort() };
            if reply == AuthReply::Err {
                self.log_refusal(packet.payload);
                self.count_error_of_server(packet.payload);
            }
            self.expect_password(packet.payload, reply);
            match self.ok_for_client(packet.payload).filter(|_| reply == AuthReply::Ok) {
                Some(ok) => self.send_payload_to_client(&ok),
                None => self.forward(Side::Client, packet),
            }
            return self.told(reply);
        };
        match made.packets().first().and_then(|payload| AuthReply::classify(payload).ok()) {
            Some(AuthReply::Err) | None => self.refuse(&made),
            Some(told) if !self.state.login.can_be_told(told, reply) => {
                log::error!(
                    "{}: read_auth_result asks the client, but nobody takes its answer",
                    self.name()
                );
                self.refuse(&Reply::proxy_error(&hook_failed(Hook::ReadAuthResult)));
            }
            Some(told) => {
                if told == AuthReply::Ok && reply != AuthReply::Ok {
                    // The server did not let anybody in: it is of no use.
                    self.close_server();
                }
                self.send_to_client(&made);
                self.told(told);
            }
        }
    }

    /// The client was told this: who speaks next?
    fn told(&mut self, reply: AuthReply) {
        if reply.is_final() {
            self.restart_ids();
        }
        let is_change_user = self.state.login.reason == LoginReason::ChangeUser;
        match reply {
            AuthReply::Ok => {
                self.compress_client();
                let user = self.session.client.username().unwrap_or_default();
                log::debug!("{}: user {:?} is in", self.name(), String::from_utf8_lossy(user));
                self.next_command();
            }
            // MariaDB goes on as the old user; a server that does not closes its connection, which the next command
            // finds out.
            AuthReply::Err if is_change_user => self.next_command(),
            AuthReply::Err => self.close(),
            AuthReply::FastSuccess
                if self.session.server.is_some() && !self.state.login.asked_by_script =>
            {
                self.go(Step::LoginAnswer, Awaits::LoginAnswer);
            }
            _ => {
                self.state.login.asked_again = true;
                self.go(Step::LoginData, Awaits::LoginData);
            }
        }
    }
}
