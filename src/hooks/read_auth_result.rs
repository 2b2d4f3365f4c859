//! `con_read_auth_result`: the server answered the login, or a further round of it (host contract 2.6, 3.4).

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::AuthReply;
use wire::reply::{OkPacket, StatusFlags};

use super::connection::LoginReason;
use super::step::{Step, hook_failed};
use crate::chassis::{ConState, Packet, Verdict};
use crate::embed::Outcome;
use crate::session::{Hook, Reply};

/// Passes the answer on and remembers what the client was told.
pub fn read_auth_result(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.with_server(|server| server.pop_received()).flatten() else {
        return Verdict::Error;
    };
    let Ok(reply) = step.conn.login.judge(packet.payload()) else {
        step.ctx.shared.stats.malformed_packets.increment();
        return step.refuse(&Reply::proxy_error("cannot read the server's answer to the login"));
    };
    if step.conn.login.is_lost_after(reply) {
        let method = String::from_utf8_lossy(&step.conn.login.method).into_owned();
        let message = format!("the authentication method {method} cannot be followed");
        return step.refuse(&Reply::proxy_error(&message));
    }
    match reply {
        AuthReply::Ok => accepted(step, packet.payload()),
        AuthReply::Err if step.conn.login.reason == LoginReason::ChangeUser => {
            if let Some(server) = step.session().server.as_mut() {
                server.kept_login();
            }
        }
        _ => {}
    }
    let outcome = ask_script(step, &packet, reply);
    match outcome {
        Outcome::SendResult(made) => replace(step, &made, reply),
        Outcome::Failed if step.rejects_on_script_error() => {
            step.refuse(&Reply::proxy_error(&hook_failed(Hook::ReadAuthResult)))
        }
        _ => {
            step.client.append(packet);
            told(step, reply)
        }
    }
}

/// A script is asked about the login of a connection, not about a COM_CHANGE_USER that the client sent later: that one
/// went through `read_query`.
fn ask_script(step: &mut Step<'_>, packet: &Packet, reply: AuthReply) -> Outcome {
    if step.conn.login.reason == LoginReason::ChangeUser {
        return Outcome::Proceed;
    }
    let Some(script) = step.conn.script.as_mut() else { return Outcome::Proceed };
    {
        let Some(mut session) = step.conn.session.borrow_mut(step.call) else {
            return Outcome::Proceed;
        };
        session.login_accepted = reply == AuthReply::Ok;
    }
    let outcome = script.read_auth_result(step.call, packet.payload());
    step.sync_server();
    outcome
}

/// The server let the client in: both sides are logged in with what was sent.
fn accepted(step: &mut Step<'_>, ok: &[u8]) {
    let sent = step.conn.login.sent.take().map(Arc::new);
    let reason = step.conn.login.reason;
    let is_proof = step.conn.login.client_spoke_once();
    let status =
        OkPacket::parse(ok, Capabilities::NONE).map_or(StatusFlags::AUTOCOMMIT, |ok| ok.status);
    let mut session = step.session();
    let session = &mut *session;
    if reason == LoginReason::ChangeUser
        && let Some(login) = &sent
    {
        session.client.default_db = login.database.clone().unwrap_or_default();
        session.client.login = Some(Arc::clone(login));
    }
    session.client.server_user = sent.as_ref().map(|login| login.username.clone());
    if let Some(server) = session.server.as_mut() {
        server.logged_in(sent, status, is_proof);
    }
}

/// The client gets the script's answer in place of the server's.
fn replace(step: &mut Step<'_>, made: &Reply, from_server: AuthReply) -> Verdict {
    match made.packets().first().and_then(|payload| AuthReply::classify(payload).ok()) {
        Some(AuthReply::Err) | None => step.refuse(made),
        Some(reply) => {
            if reply == AuthReply::Ok && from_server != AuthReply::Ok {
                // The server did not let anybody in: it is of no use.
                step.close_server();
            }
            step.send_to_client(made);
            told(step, reply)
        }
    }
}

fn told(step: &mut Step<'_>, reply: AuthReply) -> Verdict {
    if reply.is_final() {
        step.reset_packet_ids();
    }
    step.conn.login.told = Some(reply);
    step.go(ConState::SendAuthResult)
}
