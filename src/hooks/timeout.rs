//! `con_timeout`: the peer that the host waits for was silent for too long (host contract 2.15).

use super::connect_server;
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

const TIMED_OUT: &str = "backend timed out";

/// Tries the next backend, or ends the connection with an ERR where one can still be understood.
///
/// While a hook runs for long, what a peer sends and the time limit both wait, and libevent tells of the limit only. So
/// the peer is looked at first: if it said something, the host goes on in the same state, which reads it.
pub fn timeout(step: &mut Step<'_>) -> Verdict {
    if awaited_peer_spoke(step) {
        return Verdict::Success;
    }
    let untouched = step.client.send_queue_is_empty();
    match step.con.state() {
        Some(ConState::ConnectServer) => {
            // The host comes back to the connect, which then asks for its outcome.
            if !connect_server::has_ended(step) {
                connect_server::give_up_backend(step);
            }
            Verdict::Success
        }
        Some(ConState::ReadHandshake) => {
            step.refuse(&step.login_error(&format!("pyproxy: {TIMED_OUT}")))
        }
        Some(ConState::SendAuth | ConState::ReadAuthResult) if untouched => {
            step.refuse(&Reply::proxy_error(TIMED_OUT))
        }
        Some(ConState::ReadQueryResult | ConState::ReadLocalInfileResult)
            if untouched && !step.conn.exchange.forwarded && !step.conn.exchange.answered =>
        {
            step.refuse(&Reply::proxy_error(TIMED_OUT))
        }
        _ => step.go(ConState::Error),
    }
}

/// Whether the peer that the host reads from in this state has sent something, or hung up.
fn awaited_peer_spoke(step: &Step<'_>) -> bool {
    let spoke = match step.con.state() {
        Some(
            ConState::ReadAuth
            | ConState::ReadAuthOldPassword
            | ConState::ReadQuery
            | ConState::ReadLocalInfileData,
        ) => Some(step.client.is_readable()),
        Some(
            ConState::ReadHandshake
            | ConState::ReadAuthResult
            | ConState::ReadQueryResult
            | ConState::ReadLocalInfileResult,
        ) => step.with_server(|server| server.is_readable()),
        _ => None,
    };
    spoke == Some(true)
}
