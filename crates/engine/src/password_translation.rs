//! Passwords where one side is secure and the other is not.
//!
//! In the full authentication of `caching_sha2_password` and in `sha256_password` a client sends its password in clear through
//! TLS, and encrypted with the server's RSA key without it; the server expects what its own side is. So where exactly one side is
//! secure, the proxy encrypts or decrypts the password in between. Every other method is the same on both.
//!
//! Scripts see in `read_auth_result` what the server asks and decides, and the client is told the same. The exchange of a
//! key, which the proxy has with one side alone, is not shown.
//!
//! Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html>,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_sha256_password_authentication.html>.

use std::fmt;

use wire::connect::{AuthReply, ChangeUser, Login};
use wire::{Command, WireError, marker};

use crate::engine::Step;
use crate::pooled_login::Auth;
use crate::turn::Turn;
use crate::{Awaits, Reply, Session};

const CACHING: &[u8] = b"caching_sha2_password";
const SHA256: &[u8] = b"sha256_password";
/// A challenge without the NUL behind it.
const CHALLENGE_LEN: usize = 20;
/// An RSA key is at least this long, and so is what it encrypts.
const SHORTEST_ENCRYPTED: usize = 128;

/// Bytes that no log shows.
#[derive(Default)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What becomes of the next packet of a login.
#[derive(Debug, Default)]
pub enum Translation {
    /// It passes.
    #[default]
    None,
    /// The client's is its password in clear, which the server takes encrypted only.
    Encrypt,
    /// The server's is its key for this password.
    Key(Secret),
    /// The client's asks for a key, or is encrypted with it; the server takes the password in clear.
    Decrypt {
        /// The client has our key.
        has_key: bool,
    },
}

impl Session {
    /// Whether the client may send its password in clear while the server, with TLS or not, does not take it so, or the other way
    /// round. Two sides without TLS are left to themselves.
    fn needs_translation(&self, server_tls: bool) -> bool {
        let client_tls = self.client.tls.is_some();
        let server_is_secure =
            server_tls || self.server.as_ref().is_some_and(|server| server.dst.is_unix());
        let client_is_secure = client_tls || self.client.src.is_unix();
        (client_tls || server_tls) && client_is_secure != server_is_secure
    }

    fn client_is_secure(&self) -> bool {
        self.client.tls.is_some() || self.client.src.is_unix()
    }

    fn server_has_tls(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.tls.is_some())
    }
}

impl Turn<'_> {
    /// Whether the auth data of `login` cannot be what this server, with TLS or not, takes: `sha256_password` begins in the login
    /// itself. The server is made to ask for them again, and the answer is translated.
    pub fn must_ask_again(&self, login: &Login, server_tls: bool) -> bool {
        login.auth_plugin.as_deref() == Some(SHA256) && self.session.needs_translation(server_tls)
    }

    /// The login that the server answers with a switch request.
    pub fn ask_again(&self, login: &Login) -> Result<Vec<u8>, WireError> {
        Auth::AskAgain.of(login).encode()
    }

    /// The same for a COM_CHANGE_USER; `None` if it can stay as it is.
    pub fn change_user_to_ask_again(&self, payload: &[u8]) -> Option<Vec<u8>> {
        if payload.first() != Some(&Command::CHANGE_USER.0)
            || !self.session.needs_translation(self.session.server_has_tls())
        {
            return None;
        }
        let capabilities = self.session.client.capabilities();
        let change = ChangeUser::parse(payload, capabilities).ok()?;
        if change.auth_plugin.as_deref() != Some(SHA256) {
            return None;
        }
        let auth_plugin = Some(Auth::NO_METHOD.to_vec());
        ChangeUser { auth_response: Vec::new(), auth_plugin, ..change }.encode(capabilities).ok()
    }

    /// The server said this in a login: a challenge for the password is noted.
    pub fn note_challenge(&mut self, payload: &[u8]) {
        let challenge = self.state.login.challenge(payload).map(first_20);
        if let (Some(challenge), Some(server)) = (challenge, self.server()) {
            server.challenge = Some(challenge);
        }
    }

    /// The client is told what the server said: its answer may be one to translate.
    pub fn expect_password(&mut self, payload: &[u8], reply: AuthReply) {
        if let Some(challenge) = self.state.login.challenge(payload).map(first_20) {
            self.session.client.challenge = Some(challenge);
        }
        if !self.session.needs_translation(self.session.server_has_tls()) {
            return;
        }
        let wants_password = match reply {
            AuthReply::FullAuthentication => self.state.login.method == CACHING,
            AuthReply::Switch | AuthReply::PluginData => self.state.login.method == SHA256,
            _ => false,
        };
        self.state.login.translation = if !wants_password {
            Translation::None
        } else if self.session.client_is_secure() {
            Translation::Encrypt
        } else {
            Translation::Decrypt { has_key: false }
        };
    }

    /// The client answered a question of the login. `false`: the answer passes as it is.
    pub fn translate(&mut self, answer: &[u8]) -> bool {
        let is_empty = answer.is_empty() || answer == [0];
        match std::mem::take(&mut self.state.login.translation) {
            Translation::Encrypt if !is_empty && answer.ends_with(&[0]) => {
                self.send_to_server(&[self.key_request()]);
                self.state.login.translation = Translation::Key(Secret(answer.to_vec()));
                self.go(Step::LoginAnswer, Awaits::LoginAnswer);
                true
            }
            Translation::Decrypt { .. } if answer == [self.key_request()] => {
                self.give_key();
                true
            }
            Translation::Decrypt { has_key }
                if !is_empty && (has_key || answer.len() >= SHORTEST_ENCRYPTED) =>
            {
                self.send_decrypted(answer);
                true
            }
            _ => false,
        }
    }

    /// The request for the server's key.
    fn key_request(&self) -> u8 {
        if self.state.login.method == CACHING { 2 } else { 1 }
    }

    /// The client gets the proxy's own key, in place of the server's.
    fn give_key(&mut self) {
        let Some(key) = self.driver.public_key() else {
            return self.cannot_translate("there is no key for the client");
        };
        let packet = [&[marker::AUTH_MORE_DATA], key.as_slice()].concat();
        self.send_payload_to_client(&packet);
        self.state.login.translation = Translation::Decrypt { has_key: true };
        self.go(Step::LoginData, Awaits::LoginData);
    }

    /// The server gets the password in clear.
    fn send_decrypted(&mut self, encrypted: &[u8]) {
        let client = &self.session.client;
        let greeted = client.handshake.as_ref().map(|handshake| handshake.scramble20());
        let challenge = client.challenge.as_deref().or(greeted).unwrap_or_default().to_vec();
        let password = self.driver.decrypt_password(encrypted).map(|it| masked(&it, &challenge));
        match password {
            Some(password) if password.ends_with(&[0]) => {
                self.send_to_server(&password);
                self.go(Step::LoginAnswer, Awaits::LoginAnswer);
            }
            _ => self.cannot_translate("it is not encrypted with the proxy's key"),
        }
    }

    /// The server said this in a login. `false`: it is not the key that the proxy itself asked for.
    pub fn take_key(&mut self, payload: &[u8], reply: AuthReply) -> bool {
        let Translation::Key(Secret(password)) = std::mem::take(&mut self.state.login.translation)
        else {
            return false;
        };
        let key = payload.strip_prefix(&[marker::AUTH_MORE_DATA]);
        let Some(key) = key.filter(|_| reply == AuthReply::MoreData) else { return false };
        let Some(server) = self.session.server.as_ref() else { return false };
        let greeted = server.handshake.as_ref().map(|handshake| handshake.scramble20());
        let challenge = server.challenge.as_deref().or(greeted).unwrap_or_default();
        match self.driver.encrypt_password(key, &masked(&password, challenge)) {
            Some(encrypted) => {
                self.send_to_server(&encrypted);
                self.go(Step::LoginAnswer, Awaits::LoginAnswer);
            }
            None => self.cannot_translate("the server's key is of no use"),
        }
        true
    }

    fn cannot_translate(&mut self, why: &str) {
        let method = String::from_utf8_lossy(&self.state.login.method).into_owned();
        let message = format!(
            "the password of {method} cannot be passed on, since only one side uses TLS: {why}"
        );
        self.refuse(&Reply::proxy_error(&message));
    }
}

fn first_20(challenge: &[u8]) -> Vec<u8> {
    challenge.get(..CHALLENGE_LEN).unwrap_or(challenge).to_vec()
}

/// The password, or what is to become one again, with the challenge over it.
fn masked(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    password.iter().zip(challenge.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}
