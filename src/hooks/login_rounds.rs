//! `con_send_auth_result` and `con_read_auth_old_password`: logins with more than one round (host contract 3.4).

use wire::connect::AuthReply;

use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

/// ER_NET_PACKETS_OUT_OF_ORDER.
pub const OUT_OF_ORDER: u16 = 1156;

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
