//! Running the queries that a script queued (host contract 2.11, 2.12).

use wire::Command;

use super::connection::Effect;
use super::context::count;
use super::read_query::effect_of_command;
use super::step::Step;
use crate::chassis::{ConState, Verdict};
use crate::session::{Injection, Query, Reply};

/// Sends the next queued query that needs an answer, and every one before it that does not. `None`: none is left, and
/// nothing was started.
pub fn start_next(step: &mut Step<'_>) -> Option<Verdict> {
    loop {
        let query = step.session().queries.pop_front()?;
        if step.conn.exchange.answered && !query.resultset_is_needed {
            log::warn!(
                "connection {}: query {} is not run: the client has its result already, and this one would have to \
                 be sent to it (resultset_is_needed is not set)",
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
    let Some(server) = step.server() else {
        step.session().queries.clear();
        return None;
    };
    let command = Command(query.packet.first().copied().unwrap_or_default());
    count(&step.ctx.stats.queued_queries);
    step.con.forget_command();
    server.reset_packet_ids();
    server.append_command_payload(&query.packet);
    if command == Command::QUIT {
        log::warn!("connection {}: a queued COM_QUIT ends the connection", step.id());
    } else if !command.has_reply() {
        if !step.con.write_now(server) {
            step.close_server();
            let message = "the server does not take a queued command";
            return Some(step.refuse(&Reply::proxy_error(message)));
        }
        server.reset_packet_ids();
        return None;
    }
    let capabilities = {
        let mut session = step.session();
        session.server.as_mut().map(|server| {
            server.busy = true;
            server.capabilities()
        })
    }
    .unwrap_or_default();
    step.conn.exchange.effect = match effect_of_command(&query.packet, None) {
        // A queued COM_CHANGE_USER is not ours to follow: its rounds would need the client.
        Effect::Login(_) => Effect::None,
        effect => effect,
    };
    step.conn.tracker.start(command.0, capabilities);
    step.con.set_resultset_is_needed(query.resultset_is_needed);
    step.con.set_resultset_is_finished(false);
    step.conn.exchange.injection = Some(Injection::new(query, capabilities));
    Some(step.go(ConState::SendQuery))
}
