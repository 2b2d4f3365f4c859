//! `con_send_auth_result` and `con_read_auth_old_password`: logins with more than one round (host contract 3.4).

use wire::WireError;
use wire::connect::{AuthReply, AuthSwitch};

use super::connection::LoginRounds;
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
        }
        // To any other method these two bytes are data that the client answers.
        let caching = self.method == b"caching_sha2_password";
        Ok(if reply == AuthReply::FastSuccess && !caching { AuthReply::MoreData } else { reply })
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
        Some(AuthReply::Err) | None => step.go(ConState::Error),
        Some(AuthReply::FastSuccess) if step.server().is_some() => {
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

/// The client's next packet of the login goes to the server.
pub fn read_auth_old_password(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.client.pop_received() else { return Verdict::Error };
    if packet.id() != step.conn.login.next_client_id {
        return step.refuse(&Reply::error(OUT_OF_ORDER, b"08S01", "Got packets out of order"));
    }
    let Some(server) = step.server() else {
        return step.refuse(&Reply::proxy_error("no server connection to log in to"));
    };
    server.append(packet);
    step.go(ConState::SendAuthOldPassword)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_speaks_twice_only_in_caching_sha2_password() {
        let mut rounds = LoginRounds { method: b"dialog".to_vec(), ..LoginRounds::default() };
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::MoreData));
        assert_eq!(rounds.judge(b"\xfecaching_sha2_password\0salt"), Ok(AuthReply::Switch));
        assert_eq!(rounds.judge(&[1, 3]), Ok(AuthReply::FastSuccess));
        assert!(rounds.judge(&[]).is_err());
    }
}
