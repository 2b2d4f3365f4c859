//! Running the queries that a script queued (host contract 2.11, 2.12).

use wire::Command;

use super::read_query::{effect_of_command, note_cursor};
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::{Injection, Query, Reply};

/// Sends the next queued query that needs an answer, and every one before it that does not. `None`: none is left, and
/// nothing was started.
pub fn start_next(step: &mut Step<'_>) -> Option<Verdict> {
    loop {
        let query = step.session().queries.pop_front()?;
        let has_reply = Command(query.packet.first().copied().unwrap_or_default()).has_reply();
        if step.conn.exchange.answered && !query.resultset_is_needed && has_reply {
            log::warn!(
                "connection {}: query {} is not run: the client has its result already or expects none, and this one \
                 would have to be sent to it (resultset_is_needed is not set)",
                step.id(),
                query.id
            );
            continue;
        }
        if let Some(verdict) = start(step, query) {
            return Some(verdict);
        }
    }
}

/// Sends one query; `None` if it has no answer and is done.
fn start(step: &mut Step<'_>, query: Query) -> Option<Verdict> {
    if !step.has_server() {
        step.session().queries.clear();
        return None;
    }
    let command = Command(query.packet.first().copied().unwrap_or_default());
    step.ctx.shared.stats.queued_queries.increment();
    step.con.forget_command();
    step.with_server(|server| {
        server.reset_packet_ids();
        server.append_command_payload(&query.packet);
    });
    if command == Command::QUIT {
        if step.session().command != Some(Command::QUIT.0) {
            log::warn!("connection {}: a queued COM_QUIT ends the connection", step.id());
        }
    } else if !command.has_reply() {
        note_cursor(step, &query.packet);
        return send_unanswered(step);
    }
    let capabilities = {
        let mut session = step.session();
        session.server.as_mut().map(|server| {
            server.busy = true;
            server.capabilities()
        })
    }
    .unwrap_or_default();
    let effect = effect_of_command(&query.packet, step.session().client.login.as_deref());
    step.conn.exchange.effect = effect;
    step.conn.exchange.opens_cursor = note_cursor(step, &query.packet);
    step.conn.tracker.start(command.0, capabilities);
    step.con.set_resultset_is_needed(query.resultset_is_needed);
    step.con.set_resultset_is_finished(false);
    let cursor = {
        let session = step.session();
        let server = session.server.as_ref();
        server.and_then(|server| server.cursors.columns(&query.packet).cloned())
    };
    step.conn.exchange.injection =
        Some(Injection { cursor, ..Injection::new(query, capabilities) });
    Some(step.go(ConState::SendQuery))
}

/// Sends a command that no server answers. `None`: it is sent, and what is queued behind it can follow.
fn send_unanswered(step: &mut Step<'_>) -> Option<Verdict> {
    let client_waits = step.session().command.is_none_or(|command| Command(command).has_reply());
    if step.session().queries.is_empty() && !client_waits {
        // Nothing follows: the host itself knows that no answer comes, and takes its time for the writing.
        step.conn.exchange.answered = true;
        return Some(step.go(ConState::SendQuery));
    }
    if step.with_server(|server| step.con.write_now(server)) != Some(true) {
        step.close_server();
        let message = "the server does not take a queued command";
        return Some(step.refuse(&Reply::proxy_error(message)));
    }
    step.with_server(|server| server.reset_packet_ids());
    None
}
