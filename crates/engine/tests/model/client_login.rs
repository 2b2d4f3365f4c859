//! How a client logs in: its TLS, its rounds.

use wire::Capabilities;
use wire::connect::{AuthReply, AuthSwitch, Handshake, Login};

use super::choices::Choices;
use super::client::{Client, Origin, Phase};
use super::hop::{self, Stage};
use super::packets::{self, Packet};

impl Client {
    pub(super) fn log_in(&mut self, input: &mut Choices<'_>) -> Packet {
        let handshake = self.handshake.as_ref().unwrap();
        let method = handshake.auth_plugin.clone().unwrap_or_default();
        let offered = handshake.capabilities;
        let mut login =
            self.planned.take().unwrap_or_else(|| packets::login(offered, &method, input));
        let wants_tls = if offered.contains(Capabilities::SSL) { 160 } else { 2 };
        if self.hop.stage == Stage::Plain && input.chance(wants_tls) {
            login.capabilities |= Capabilities::SSL;
            let request = Login::tls_request(&login.encode().unwrap()).unwrap();
            self.planned = Some(login);
            return self.next(request);
        }
        if self.hop.is_secured() && input.chance(16) {
            // The request counts.
            login.capabilities.toggle(Capabilities::FOUND_ROWS);
        }
        if self.hop.is_secured() && login.auth_plugin.as_deref() == Some(packets::SHA256) {
            login.auth_response = packets::PASSWORD.to_vec();
        }
        let payload = match input.byte() {
            // A client before 4.1.
            255 => b"\x05\x20\0\0\x01ann\0".to_vec(),
            _ => login.encode().unwrap(),
        };
        self.agree(&payload);
        let asked = login.capabilities.contains(Capabilities::COMPRESS);
        self.compresses = asked && !self.hop.agrees_on_compression() && input.chance(128);
        self.login = Some(login);
        self.method = method;
        self.phase = Phase::LoggingIn;
        self.next(payload)
    }

    /// What a server that gets this login sends: what nobody offered does not count.
    pub(super) fn agree(&mut self, login: &[u8]) {
        let offered = self.handshake.as_ref().map(|handshake| handshake.capabilities);
        let unsupported = Capabilities::unsupported_in_login(offered.unwrap_or_default());
        let mut login = login.to_vec();
        if self.hop.is_secured() {
            Login::obey_request(&mut login, &self.hop.request);
        }
        if let Ok(login) = Login::parse(&login) {
            self.capabilities = login.capabilities.difference(unsupported);
            let usable = hop::usable_compression(&self.settings, self.by_script);
            let agreed = login.capabilities & usable & offered.unwrap_or_default();
            self.hop.agree(agreed, login.zstd_level);
            self.login = Some(login);
        }
    }

    /// The proxy wants a handshake.
    pub fn start_tls(&mut self) {
        let may = hop::may_use_tls(&self.settings, self.by_script);
        assert!(self.phase == Phase::AskedForTls && may, "{self:?}");
        self.hop.start();
    }

    /// It is done.
    pub fn secured(&mut self) {
        self.hop.secure();
        self.phase = Phase::Speaks;
    }

    /// An answer to a question of the login; to one for the password it depends on TLS.
    pub(super) fn login_data(&mut self, input: &mut Choices<'_>) -> Vec<u8> {
        if !std::mem::take(&mut self.asked_for_password) || input.chance(32) {
            return vec![b'd'; 1 + input.below(20)];
        }
        if self.hop.is_secured() {
            return packets::PASSWORD.to_vec();
        }
        match input.byte() {
            0..=127 => vec![if self.method == packets::CACHING { 2 } else { 1 }],
            _ => [packets::RSA, &[b'x'; 200]].concat(),
        }
    }

    pub(super) fn greeted(&mut self, payload: &[u8], origin: Origin) {
        self.by_script = origin == Origin::Raw;
        self.phase = Phase::Refused;
        if let Ok(handshake) = Handshake::parse(payload) {
            self.handshake = Some(handshake);
            self.phase = Phase::Speaks;
        }
    }

    pub(super) fn login_answered(&mut self, payload: &[u8]) {
        self.phase = match self.judge(payload) {
            Some(AuthReply::Ok) => Phase::Ready,
            Some(AuthReply::Err) | None => Phase::Refused,
            Some(AuthReply::FastSuccess) if self.method == packets::CACHING => Phase::LoggingIn,
            Some(_) => Phase::Speaks,
        };
    }

    /// Follows the rounds of a login.
    pub(super) fn judge(&mut self, payload: &[u8]) -> Option<AuthReply> {
        let reply = AuthReply::classify(payload).ok()?;
        if reply == AuthReply::Switch {
            self.method = AuthSwitch::parse(payload).ok()?.plugin;
        }
        let factors = Capabilities::MULTI_FACTOR_AUTHENTICATION;
        if let Some(request) = payload.strip_prefix(b"\x02")
            && self.capabilities.contains(factors)
        {
            let name = request.split(|byte| *byte == 0).next().unwrap_or_default();
            if !name.is_empty() && name.len() < request.len() {
                self.method = name.to_vec();
            }
        }
        self.asked_for_password = match reply {
            AuthReply::FullAuthentication => self.method == packets::CACHING,
            AuthReply::Switch | AuthReply::PluginData => self.method == packets::SHA256,
            // The key that it asked for.
            AuthReply::MoreData => payload.ends_with(b"ours"),
            _ => false,
        };
        Some(reply)
    }
}
