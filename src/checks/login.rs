//! The login of a check: by a password, with the methods that most accounts have.

use std::io;

use transport::password::caching_sha2_answer;
use wire::connect::{AuthReply, AuthSwitch, Handshake, Login};
use wire::reply::ErrPacket;
use wire::{Capabilities, WireError, password};

use super::conversation::Conversation;
use super::{Account, Password};

const NATIVE: &[u8] = b"mysql_native_password";
const CACHING: &[u8] = b"caching_sha2_password";
/// What servers are told that we can. LONG_PASSWORD: MariaDB has no extended set for us.
const CAPABILITIES: Capabilities = Capabilities::LONG_PASSWORD
    .union(Capabilities::PROTOCOL_41)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::PLUGIN_AUTH);
/// utf8mb4_general_ci, which all servers know.
const CHARSET: u8 = 45;
const MAX_PACKET: u32 = 1 << 24;

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server cannot be talked to.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// It answers, but does not let the user in, or not with what we can.
    #[error("{0}")]
    Refused(String),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        Self::Broken(io::Error::other(format!("its packet makes no sense: {error}")))
    }
}

/// What an ERR says, for the log.
pub fn told(err: &[u8]) -> String {
    match ErrPacket::parse(err) {
        Ok(err) => {
            let text = String::from_utf8_lossy(err.message).replace(char::is_control, "?");
            format!("error {}: {text}", err.code)
        }
        Err(_) => "an error that makes no sense".to_owned(),
    }
}

/// The login packet for a server that greeted so. `has_tls` is whether it asks for TLS.
pub fn packet(greeting: &Handshake, account: &Account, has_tls: bool) -> Result<Vec<u8>, Failure> {
    // Of another method the server says itself which one the account has.
    let method = greeting.auth_plugin.as_deref().filter(|method| *method == CACHING);
    let method = method.unwrap_or(NATIVE);
    let mut capabilities = CAPABILITIES;
    capabilities.set(Capabilities::SSL, has_tls);
    let login = Login {
        capabilities,
        max_packet_size: MAX_PACKET,
        charset: CHARSET,
        username: account.user.clone().into_bytes(),
        auth_response: answer(method, greeting.scramble20(), &account.password)?,
        database: None,
        auth_plugin: Some(method.to_vec()),
        attributes: None,
        zstd_level: None,
    };
    Ok(login.encode()?)
}

/// Sends this login and goes on to its end. `is_private` is whether nobody else reads what is sent.
pub fn log_in(
    talk: &mut Conversation,
    login: &[u8],
    password: &Password,
    is_private: bool,
) -> Result<(), Failure> {
    talk.send(login)?;
    loop {
        let reply = talk.receive()?;
        match AuthReply::classify(&reply)? {
            AuthReply::Ok => return Ok(()),
            AuthReply::Err => return Err(Failure::Refused(told(&reply))),
            AuthReply::FastSuccess => {}
            AuthReply::FullAuthentication if is_private => {
                talk.send(&[&*password.0, b"\0"].concat())?;
            }
            AuthReply::FullAuthentication => {
                let why = "the server wants the password, which is sent with TLS only";
                return Err(Failure::Refused(why.to_owned()));
            }
            AuthReply::Switch => {
                let AuthSwitch { plugin, data } = AuthSwitch::parse(&reply)?;
                talk.send(&answer(&plugin, &data, password)?)?;
            }
            AuthReply::MoreData | AuthReply::OldPassword | AuthReply::PluginData => {
                let why = "the server wants more than a password";
                return Err(Failure::Refused(why.to_owned()));
            }
        }
    }
}

/// What this method answers to the challenge.
fn answer(method: &[u8], challenge: &[u8], password: &Password) -> Result<Vec<u8>, Failure> {
    let (wrong, password) = ("its challenge has a wrong length", &*password.0);
    match method {
        NATIVE | CACHING if password.is_empty() => Ok(Vec::new()),
        NATIVE => {
            let answer = password::scramble(challenge, &password::hash(password));
            answer.map(Vec::from).ok_or_else(|| Failure::Refused(wrong.to_owned()))
        }
        CACHING => {
            let nonce = challenge.strip_suffix(b"\0").unwrap_or(challenge);
            Ok(caching_sha2_answer(nonce, password).to_vec())
        }
        other => {
            let name = String::from_utf8_lossy(other).replace(char::is_control, "?");
            Err(Failure::Refused(format!("checks do not know the account's method {name}")))
        }
    }
}
