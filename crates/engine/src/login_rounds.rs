//! The rounds of a login: who speaks after which packet.
//!
//! Sources: the pages of the authentication methods,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html>.

use wire::connect::{AuthReply, AuthSwitch, Login};
use wire::{WireError, marker};

use crate::password_translation::Translation;

/// Why a login is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginReason {
    /// The client just connected, and so did we.
    #[default]
    Connect,
    /// The client just connected and got a pooled connection, which is logged in again with COM_CHANGE_USER.
    PooledConnection,
    /// The pooled connection that the client was greeted from does not fit it, or the proxy itself greeted it: a new connection
    /// is made for its login, and the client answers the new server's switch request.
    Reconnect,
    /// The same, to this backend and no other: the script chose it in `read_auth`.
    Chosen(usize),
    /// There is no login yet: this backend is asked for its greeting.
    Learn(usize),
    /// The client sent COM_CHANGE_USER.
    ChangeUser,
}

/// Where a login stands.
#[derive(Debug, Default)]
pub struct LoginRounds {
    /// Why.
    pub reason: LoginReason,
    /// The authentication method in force: the one the login named, until the server switches to another.
    pub method: Vec<u8>,
    /// The login that the server decides about.
    pub sent: Option<Login>,
    /// The server may ask for further factors: agreed on when its connection was opened.
    pub knows_factors: bool,
    /// The open question is one of the script, asked in `read_auth`: the server knows nothing of it.
    pub asked_by_script: bool,
    /// What becomes of the next packet that is about a password.
    pub translation: Translation,
    /// The client was asked for more than the login packet.
    pub asked_again: bool,
}

impl LoginRounds {
    /// What a packet of the server means for the login, and which method is in force from then on.
    pub fn judge(&mut self, payload: &[u8]) -> Result<AuthReply, WireError> {
        let reply = AuthReply::classify(payload)?;
        if reply == AuthReply::Switch {
            self.method = AuthSwitch::parse(payload)?.plugin;
        } else if let Some(method) = self.next_factor(payload) {
            self.method = method.to_vec();
        }
        Ok(self.in_method(reply))
    }

    /// To any method but one the two bytes of a fast success are data that the client answers.
    fn in_method(&self, reply: AuthReply) -> AuthReply {
        let caching = self.method == b"caching_sha2_password";
        if reply == AuthReply::FastSuccess && !caching { AuthReply::MoreData } else { reply }
    }

    /// Whether a script may tell the client `told` in place of what the server said. It may end the login, but a server that
    /// does not wait for the client would take its answer for a command.
    pub fn can_be_told(&self, told: AuthReply, said: AuthReply) -> bool {
        let speaks_again = |reply| self.in_method(reply) == AuthReply::FastSuccess;
        told.is_final() || (!said.is_final() && speaks_again(told) == speaks_again(said))
    }

    /// The method that a request for a further factor (0x02, name, NUL, data) begins: MySQL 8.0.27.
    ///
    /// A question of `dialog` begins with 0x02 as well, but servers that ask it know no further factors.
    fn next_factor<'p>(&self, payload: &'p [u8]) -> Option<&'p [u8]> {
        if !self.knows_factors {
            return None;
        }
        let request = payload.strip_prefix(&[0x02])?;
        let end = request.iter().position(|byte| *byte == 0)?;
        request.get(..end).filter(|name| !name.is_empty())
    }

    /// The first data of the method that a packet of the server begins.
    pub fn challenge<'p>(&self, payload: &'p [u8]) -> Option<&'p [u8]> {
        let begins =
            payload.first() == Some(&marker::AUTH_SWITCH) || self.next_factor(payload).is_some();
        let end = payload.iter().position(|byte| *byte == 0).filter(|_| begins)?;
        payload.get(end + 1..).filter(|data| !data.is_empty())
    }

    /// Whether the proxy cannot tell who speaks after `reply`: in the method of Windows servers the client answers some
    /// tokens and not others, and only client and server can read which.
    pub fn is_lost_after(&self, reply: AuthReply) -> bool {
        !reply.is_final() && self.method == b"authentication_windows_client"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_windows_servers_cannot_be_followed() {
        let mut rounds = LoginRounds::default();
        let reply = rounds.judge(b"\xfeauthentication_windows_client\0token").unwrap();
        assert!(rounds.is_lost_after(reply));
        assert!(!rounds.is_lost_after(AuthReply::Err));
        rounds.judge(b"\xfemysql_native_password\0salt").unwrap();
        assert!(!rounds.is_lost_after(AuthReply::MoreData));
    }

    #[test]
    fn a_further_factor_has_its_own_method() {
        let request = b"\x02caching_sha2_password\0scramble";
        let mut rounds = LoginRounds { knows_factors: true, ..LoginRounds::default() };
        assert_eq!(rounds.judge(request), Ok(AuthReply::PluginData));
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::FastSuccess));
        let mut rounds = LoginRounds::default();
        assert_eq!(rounds.judge(request), Ok(AuthReply::PluginData));
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::MoreData));
    }

    #[test]
    fn the_server_speaks_twice_only_in_caching_sha2_password() {
        let mut rounds = LoginRounds { method: b"dialog".to_vec(), ..LoginRounds::default() };
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::MoreData));
        assert_eq!(rounds.judge(b"\xfecaching_sha2_password\0salt"), Ok(AuthReply::Switch));
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::FastSuccess));
        assert!(rounds.judge(&[]).is_err());
    }
}
