//! `con_send_auth_result` and `con_read_auth_old_password`: logins with more than one round (host contract 3.4).

use wire::connect::{AuthReply, AuthSwitch};
use wire::{Capabilities, WireError};

use super::connection::{LoginReason, LoginRounds};
use super::read_auth;
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

/// ER_NET_PACKETS_OUT_OF_ORDER.
pub const OUT_OF_ORDER: u16 = 1156;

impl LoginRounds {
    /// What a packet of the server means for the login, and which method is in force from then on.
    pub fn judge(&mut self, payload: &[u8]) -> Result<AuthReply, WireError> {
        let reply = AuthReply::classify(payload)?;
        if reply == AuthReply::Switch {
            self.method = AuthSwitch::parse(payload)?.plugin;
        } else if let Some(method) = self.next_factor(payload) {
            self.method = method.to_vec();
        }
        // To any other method these two bytes are data that the client answers.
        let caching = self.method == b"caching_sha2_password";
        Ok(if reply == AuthReply::FastSuccess && !caching { AuthReply::MoreData } else { reply })
    }

    /// The method that a request for a further factor (0x02, name, NUL, data) begins: MySQL 8.0.27.
    ///
    /// A question of `dialog` begins with 0x02 as well, but servers that ask it know no further factors.
    fn next_factor<'p>(&self, payload: &'p [u8]) -> Option<&'p [u8]> {
        let login = self.sent.as_ref()?;
        if !login.capabilities.contains(Capabilities::MULTI_FACTOR_AUTHENTICATION) {
            return None;
        }
        let request = payload.strip_prefix(&[0x02])?;
        let end = request.iter().position(|byte| *byte == 0)?;
        Some(&request[..end]).filter(|name| !name.is_empty())
    }

    /// Whether nobody can tell who speaks after `reply`: in the method of Windows servers the client answers some tokens
    /// and not others, and only the two of them can read which.
    pub fn is_lost_after(&self, reply: AuthReply) -> bool {
        !reply.is_final() && self.method == b"authentication_windows_client"
    }

    /// Whether nothing but the login packet was asked of the client so far.
    pub fn client_spoke_once(&self) -> bool {
        // The id of an answer is never 0: a question of the server came before it.
        self.next_client_id == 0
    }
}

/// The answer reached the client: who speaks next?
pub fn send_auth_result(step: &mut Step<'_>) -> Verdict {
    match step.conn.login.told {
        Some(AuthReply::Ok) => step.go(ConState::ReadQuery),
        // MariaDB goes on as the old user; a server that does not closes its connection, which the next command finds out.
        Some(AuthReply::Err) if step.conn.login.reason == LoginReason::ChangeUser => {
            step.go(ConState::ReadQuery)
        }
        Some(AuthReply::Err) | None => step.go(ConState::Error),
        Some(AuthReply::FastSuccess) if step.has_server() && !step.conn.login.asked_by_script => {
            step.go(ConState::ReadAuthResult)
        }
        Some(_) => {
            // The host leaks a connection whose next packet has a wrong id: let any pass, and judge it ourselves.
            step.conn.login.next_client_id = step.client.last_packet_id().wrapping_add(1);
            step.client.reset_packet_ids();
            step.go(ConState::ReadAuthOldPassword)
        }
    }
}

/// The client's next packet of the login goes to whoever asked for it: the server, or the script.
pub fn read_auth_old_password(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.client.pop_received() else { return Verdict::Error };
    if packet.id() != step.conn.login.next_client_id {
        return step.refuse(&Reply::error(OUT_OF_ORDER, b"08S01", "Got packets out of order"));
    }
    if step.conn.login.asked_by_script {
        return read_auth::read_answer_to_script(step, packet.payload());
    }
    if step.with_server(|server| server.append(packet)).is_none() {
        return step.refuse(&Reply::proxy_error("no server connection to log in to"));
    }
    step.go(ConState::SendAuthOldPassword)
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
    fn the_server_speaks_twice_only_in_caching_sha2_password() {
        let mut rounds = LoginRounds { method: b"dialog".to_vec(), ..LoginRounds::default() };
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::MoreData));
        assert_eq!(rounds.judge(b"\xfecaching_sha2_password\0salt"), Ok(AuthReply::Switch));
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::FastSuccess));
        assert!(rounds.judge(&[]).is_err());
    }
}
