//! `con_read_handshake`: the server's handshake arrived (host contract 2.4).

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::Handshake;
use wire::reply::is_err;

use super::connection::LoginReason;
use super::read_auth::login_again;
use super::step::{Step, hook_failed};
use crate::chassis::{ConState, Verdict};
use crate::embed::Outcome;
use crate::session::Hook;

/// Forwards the handshake as received, but for the capability bits that the proxy cannot follow.
pub fn read_handshake(step: &mut Step<'_>) -> Verdict {
    let Some(mut packet) = step.with_server(|server| server.pop_received()).flatten() else {
        return refuse(step, "the server sent no handshake");
    };
    if is_err(packet.payload()) {
        step.client.append(packet);
        return Verdict::Error;
    }
    let masked = Handshake::mask(packet.payload_mut(), Capabilities::UNSUPPORTED);
    let handshake = match masked.and_then(|()| Handshake::parse(packet.payload())) {
        Ok(handshake) => Arc::new(handshake),
        Err(e) => {
            step.ctx.shared.stats.malformed_packets.increment();
            let id = step.id();
            log::error!("connection {id}: cannot read the server's handshake: {e}");
            return refuse(step, "cannot read the handshake of the server");
        }
    };
    if let Some(server) = step.session().server.as_mut() {
        server.handshake = Some(Arc::clone(&handshake));
        server.reported(handshake.status);
        server.handshake_payload = packet.payload().to_vec();
    }
    if step.conn.login.reason == LoginReason::Reconnect {
        return login_again(step);
    }
    let outcome = match step.conn.script.as_mut() {
        Some(script) => script.read_handshake(step.call),
        None => Outcome::Proceed,
    };
    match outcome {
        Outcome::SendResult(reply) => {
            step.send_to_client(&reply);
            return Verdict::Error;
        }
        Outcome::Failed if step.rejects_on_script_error() => {
            return refuse(step, &hook_failed(Hook::ReadHandshake));
        }
        _ => {}
    }
    step.session().client.handshake = Some(handshake);
    step.client.append(packet);
    step.go(ConState::SendHandshake)
}

/// The host sends what is queued and closes.
fn refuse(step: &mut Step<'_>, message: &str) -> Verdict {
    step.send_to_client(&step.login_error(&format!("pyproxy: {message}")));
    Verdict::Error
}
