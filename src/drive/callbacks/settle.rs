//! In which state the host goes on: it writes what is queued, and reads what the engine awaits next.
//!
//! Each state of the host writes to one peer, or reads from one.

use engine::Awaits;

use super::connection::Connection;
use super::host::Host;
use crate::chassis::{ConState, Retval};

/// Ends a callback: the state for what is awaited, behind whatever must be written first.
#[inline(always)]
pub fn settle(host: &Host<'_>, conn: &mut Connection, awaits: Awaits) -> Retval {
    conn.next = awaits;
    // The engine checks sequence ids; the host would leak a connection whose id it does not like.
    host.client.accept_any_id();
    if let Some(server) = host.server() {
        server.accept_any_id();
    }
    let state = host.con.state();
    let connecting = state == Some(ConState::ConnectServer);
    match awaits {
        Awaits::Connect | Awaits::Retry if connecting => return Retval::Retry,
        Awaits::Abort | Awaits::Close if connecting => return Retval::Error,
        _ => {}
    }
    if let Some(state) = next_state(host, awaits, state) {
        host.con.set_state(state);
    }
    Retval::Success
}

/// What was queued for the client is written: goes on with what the engine awaits.
pub fn written(host: &Host<'_>, conn: &mut Connection) -> Retval {
    if conn.next == Awaits::Close {
        host.con.set_state(ConState::CloseClient);
        return Retval::Success;
    }
    settle(host, conn, conn.next)
}

/// The state to go on in; `None` stays in the present one.
#[inline]
fn next_state(host: &Host<'_>, awaits: Awaits, state: Option<ConState>) -> Option<ConState> {
    let for_client = !host.client.send_queue_is_empty() || host.flush;
    let for_server = || host.server().is_some_and(|server| !server.send_queue_is_empty());
    Some(match awaits {
        // There is no TLS here, and nobody asks for it. Commands are handed over with all their parts.
        // Neither scripts nor clients wait here.
        Awaits::Abort
        | Awaits::Secured(_)
        | Awaits::MoreCommand
        | Awaits::Verdict
        | Awaits::Place => ConState::Error,
        Awaits::Close => ConState::SendError,
        Awaits::Connect | Awaits::Retry => ConState::ConnectServer,
        Awaits::Greeting => ConState::ReadHandshake,
        Awaits::Login => ConState::SendHandshake,
        Awaits::LoginAnswer if for_client => ConState::SendAuthResult,
        Awaits::LoginAnswer if !for_server() => ConState::ReadAuthResult,
        Awaits::LoginAnswer if state == Some(ConState::ReadAuthOldPassword) => {
            ConState::SendAuthOldPassword
        }
        Awaits::LoginAnswer => ConState::SendAuth,
        Awaits::LoginData if for_client => ConState::SendAuthResult,
        Awaits::LoginData => ConState::ReadAuthOldPassword,
        Awaits::Command if for_client && is_login(state) => ConState::SendAuthResult,
        Awaits::Command if for_client => write(host, state),
        Awaits::Command if for_server() => send_command(host, false),
        // The host goes on only in a state that is not the present one.
        Awaits::Command if state == Some(ConState::ReadQuery) => write(host, state),
        Awaits::Command => ConState::ReadQuery,
        Awaits::Answer { .. } if for_client => write(host, state),
        Awaits::Answer { kept } => send_command(host, kept),
        Awaits::MoreAnswer if host.flush => write(host, state),
        // The host reads the next packet, and flushes by itself.
        Awaits::MoreAnswer if state == Some(ConState::ReadQueryResult) => return None,
        Awaits::MoreAnswer => {
            host.con.set_resultset_is_finished(false);
            ConState::ReadQueryResult
        }
        Awaits::File if state == Some(ConState::ReadLocalInfileData) => {
            // While the file goes on the host alternates between reading and writing by itself.
            host.con.set_local_file_data_is_finished(false);
            return None;
        }
        Awaits::File if for_client => write(host, state),
        Awaits::File => ConState::ReadLocalInfileData,
        Awaits::FileAnswer => {
            host.con.set_resultset_is_finished(true);
            host.con.set_local_file_data_is_finished(true);
            ConState::SendLocalInfileData
        }
    })
}

/// Whether a login is going on in `state`.
fn is_login(state: Option<ConState>) -> bool {
    matches!(
        state,
        Some(ConState::ReadAuth | ConState::ReadAuthResult | ConState::ReadAuthOldPassword)
    )
}

/// Writes to the client and comes back, behind a file in a state of its own.
fn write(host: &Host<'_>, state: Option<ConState>) -> ConState {
    host.con.set_resultset_is_finished(true);
    host.con.set_local_file_data_is_finished(true);
    match state {
        Some(ConState::ReadLocalInfileData | ConState::ReadLocalInfileResult) => {
            ConState::SendLocalInfileResult
        }
        _ => ConState::SendQueryResult,
    }
}

/// Writes a command to the server.
fn send_command(host: &Host<'_>, kept: bool) -> ConState {
    host.con.forget_command();
    host.con.set_resultset_is_needed(kept);
    host.con.set_resultset_is_finished(false);
    ConState::SendQuery
}
