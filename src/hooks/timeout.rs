//! `con_timeout`: the peer that the host waits for was silent for too long (host contract 2.15).

use super::connect_server;
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::Reply;

const TIMED_OUT: &str = "backend timed out";

/// Tries the next backend, or ends the connection with an ERR where one can still be understood.
pub fn timeout(step: &mut Step<'_>) -> Verdict {
    let untouched = step.client.send_queue_is_empty();
    match step.con.state() {
        Some(ConState::ConnectServer) => {
            // While a hook runs for long, the server's answer and the time limit both wait, and libevent tells of the
            // limit only. The host comes back to the connect, which then asks for its outcome.
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
