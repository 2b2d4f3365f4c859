//! `con_read_query_result`: one packet of an answer arrived (host contract 2.10).

use std::sync::Arc;
use std::time::Instant;

use wire::Command;
use wire::reply::{OkPacket, StatusFlags, is_err, is_ok};
use wire::result::{Part, Step as Progress};

use super::connection::{Effect, Infile, LoginReason, LoginRounds};
use super::step::{Step, hook_failed};
use crate::chassis::{ConState, Packet, Verdict};
use crate::embed::Outcome;
use crate::session::{Hook, Injection, Reply, Slot};

/// Follows the answer, passes it on or keeps it for the script.
pub fn read_query_result(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.with_server(|server| server.pop_received()).flatten() else {
        return Verdict::Error;
    };
    let progress = match step.conn.tracker.feed(packet.payload()) {
        Ok(progress) => progress,
        Err(e) => {
            step.ctx.shared.stats.malformed_packets.increment();
            log::error!("connection {}: cannot follow the server's answer: {e}", step.id());
            return broken(step, "cannot follow the server's answer, see the proxy log");
        }
    };
    if let Some(injection) = step.conn.exchange.injection.as_mut() {
        injection.first_packet_at.get_or_insert_with(Instant::now);
    }
    if step.conn.exchange.opens_cursor
        && let Some(server) = step.session().server.as_mut()
    {
        server.cursors.answer(step.conn.tracker.part(), packet.payload());
    }
    match progress {
        Progress::More => {
            if step.conn.tracker.part() == Part::Ok {
                note_database(step, packet.payload());
            }
            keep_or_forward(step, packet);
            if nobody_waits(step) { give_up(step) } else { Verdict::Success }
        }
        Progress::Done => {
            note_changes(step, packet.payload());
            keep_or_forward(step, packet);
            finish(step, ConState::SendQueryResult)
        }
        Progress::Stream => {
            // A replica may acknowledge events, which nobody waits for: unread, they would fill the socket at last.
            if !step.client.discard_input() {
                return step.go(ConState::Error);
            }
            forward(step, packet);
            // And a master that wants that numbers each event anew.
            step.reset_packet_ids();
            step.conn.exchange.streaming = true;
            step.con.set_resultset_is_finished(true);
            step.go(ConState::SendQueryResult)
        }
        Progress::LocalInfile => request_file(step, packet),
        Progress::Auth(_) => change_user_round(step, packet),
    }
}

/// Hands a packet to the client, unless the script asked for the whole result or the client has its answer already.
pub fn keep_or_forward(step: &mut Step<'_>, packet: Packet) {
    match step.conn.exchange.injection.as_mut() {
        Some(injection) if injection.query.resultset_is_needed => {
            let (query, limit) = (injection.query.id, step.ctx.shared.max_kept_bytes);
            if injection.keep(packet.payload(), limit) {
                log::error!(
                    "connection {}: the result of query {query} is larger than pyproxy-max-kept-bytes={limit}: it is dropped",
                    step.id()
                );
            }
        }
        _ => forward(step, packet),
    }
}

/// Whether the client left while a result is kept for the script. The host looks at a client only when it writes to it.
fn nobody_waits(step: &mut Step<'_>) -> bool {
    let injection = step.conn.exchange.injection.as_mut();
    injection.is_some_and(|injection| injection.bound.is_watch_due()) && step.client.has_hung_up()
}

/// Ends the connection in the middle of an answer: the server may be busy with it for long.
fn give_up(step: &mut Step<'_>) -> Verdict {
    log::info!("connection {}: the client left while its result was read", step.id());
    step.close_server();
    step.go(ConState::Error)
}

fn forward(step: &mut Step<'_>, packet: Packet) {
    step.client.append(packet);
    step.conn.exchange.forwarded = true;
}

/// The answer cannot be followed to its end: an ERR if the client has not seen a part of it, and the connection ends.
pub fn broken(step: &mut Step<'_>, message: &str) -> Verdict {
    let untouched = !step.conn.exchange.forwarded && !step.conn.exchange.answered;
    step.close_server();
    if untouched && step.client.send_queue_is_empty() {
        step.refuse(&Reply::proxy_error(message))
    } else {
        Verdict::Error
    }
}

/// The server wants a file for LOAD DATA LOCAL.
fn request_file(step: &mut Step<'_>, packet: Packet) -> Verdict {
    step.con.set_resultset_is_finished(true);
    if step.conn.exchange.answered {
        // The client is not waiting for anything any more: the server gets an empty file.
        step.with_server(|server| server.append_payload(&[]));
        step.con.set_local_file_data_is_finished(true);
        return step.go(ConState::SendLocalInfileData);
    }
    forward(step, packet);
    step.conn.exchange.infile = Infile::Requested;
    step.go(ConState::SendQueryResult)
}

/// COM_CHANGE_USER takes rounds, like a login.
fn change_user_round(step: &mut Step<'_>, packet: Packet) -> Verdict {
    if step.conn.exchange.injection.take().is_some() {
        let asked = step.session().command == Some(Command::CHANGE_USER.0);
        if !asked || step.conn.exchange.answered {
            let id = step.id();
            log::error!("connection {id}: a queued COM_CHANGE_USER needs the client's password");
            return broken(step, "a queued COM_CHANGE_USER cannot be followed");
        }
        // It stands for the client's own: the client answers, and what is queued behind it is not run.
        step.session().queries.clear();
    }
    let Effect::Login(login) = std::mem::take(&mut step.conn.exchange.effect) else {
        return broken(step, "cannot read the COM_CHANGE_USER of the client");
    };
    let mut rounds = LoginRounds {
        reason: LoginReason::ChangeUser,
        method: login.auth_plugin.clone().unwrap_or_default(),
        sent: Some(*login),
        ..LoginRounds::default()
    };
    rounds.told = rounds.judge(packet.payload()).ok();
    forward(step, packet);
    step.conn.login = rounds;
    step.con.set_resultset_is_finished(true);
    step.go(ConState::SendAuthResult)
}

/// Learns from the last packet of an answer what the server is in now.
pub fn note_changes(step: &mut Step<'_>, payload: &[u8]) {
    if let Some(injection) = step.conn.exchange.injection.as_mut().filter(|_| is_err(payload)) {
        injection.error = Some(payload.to_vec());
    }
    let status = step.conn.tracker.reported_status();
    let opens_cursor = std::mem::take(&mut step.conn.exchange.opens_cursor);
    if let Some(server) = step.session().server.as_mut() {
        server.busy = false;
        if let Some(status) = status {
            server.reported(status);
        }
        if opens_cursor {
            server.cursors.done(status.unwrap_or_default());
        }
    }
    note_database(step, payload);
}

/// Learns from an OK packet, which may be one of several in an answer, who the user is and which the default database.
/// The first packet of the answer decides about the effect that its command was expected to have.
fn note_database(step: &mut Step<'_>, payload: &[u8]) {
    let effect = std::mem::take(&mut step.conn.exchange.effect);
    let status = step.conn.tracker.summary().status;
    if effect == Effect::None && status & StatusFlags::SESSION_STATE_CHANGED == 0 {
        return;
    }
    let accepted = is_ok(payload);
    let injected = step.conn.exchange.injection.is_some();
    let mut session = step.session();
    let session = &mut *session;
    // What a script queues changes the server only, unless it queued what the client itself asked for.
    let asked = session.command == Some(step.conn.tracker.command().0);
    let Some(server) = session.server.as_mut() else { return };
    let expected = match effect {
        Effect::DefaultDb(database) if accepted => Some(database),
        Effect::Login(login) if accepted => {
            let database = login.database.clone().unwrap_or_default();
            let login = Arc::new(*login);
            server.login = Some(Arc::clone(&login));
            if asked {
                session.client.server_user = Some(login.username.clone());
                session.client.login = Some(login);
            }
            Some(database)
        }
        _ => None,
    };
    // The server knows best, where it tells.
    let told = OkPacket::parse(payload, server.capabilities())
        .and_then(|ok| ok.schema_change())
        .ok()
        .flatten()
        .map(<[u8]>::to_vec);
    if let Some(database) = told.or(expected) {
        if !injected || asked {
            session.client.default_db.clone_from(&database);
        }
        server.default_db = database;
    }
}

/// The answer is complete: asks the script about a queued query's result and goes on in `next`, which writes to the
/// client.
pub fn finish(step: &mut Step<'_>, next: ConState) -> Verdict {
    step.con.set_resultset_is_finished(true);
    step.with_server(|server| server.reset_packet_ids());
    match step.conn.exchange.injection.take() {
        None => step.conn.exchange.answered = true,
        Some(mut injection) => {
            injection.summary = step.conn.tracker.summary();
            injection.last_packet_at = Some(Instant::now());
            finish_injection(step, injection);
        }
    }
    if !step.conn.exchange.answered && !step.has_server() {
        step.session().queries.clear();
    }
    if !step.conn.exchange.answered && step.session().queries.is_empty() {
        step.send_to_client(&Reply::proxy_error("no result was left for this command"));
        step.conn.exchange.answered = true;
    }
    if step.conn.exchange.answered {
        step.client.reset_packet_ids();
    }
    step.go(next)
}

fn finish_injection(step: &mut Step<'_>, injection: Injection) {
    let needed = injection.query.resultset_is_needed;
    let query_id = injection.query.id;
    step.session().result_status = injection.summary.status;
    if injection.bound.is_passed() {
        return refuse_large(step);
    }
    let slot = Slot::new(injection);
    let outcome = match step.conn.script.as_mut() {
        Some(script) => script.read_query_result(step.call, &slot),
        None => Outcome::Proceed,
    };
    step.sync_server();
    let Some(injection) = slot.take(step.call) else { return };
    if needed {
        deliver(step, injection, outcome);
        return;
    }
    step.conn.exchange.answered = true;
    if matches!(outcome, Outcome::SendResult(_) | Outcome::IgnoreResult) {
        log::warn!(
            "connection {}: the result of query {query_id} was sent already: it can be replaced or dropped only with \
             resultset_is_needed",
            step.id()
        );
    }
}

/// The result was too large to be kept: the script is not asked about it.
fn refuse_large(step: &mut Step<'_>) {
    if !step.conn.exchange.answered {
        let limit = step.ctx.shared.max_kept_bytes;
        let message = format!("the result is larger than pyproxy-max-kept-bytes={limit}");
        step.send_to_client(&Reply::proxy_error(&message));
        step.conn.exchange.answered = true;
    }
}

/// Sends a kept result, what the script wants instead, or nothing.
fn deliver(step: &mut Step<'_>, injection: Injection, outcome: Outcome) {
    let answered = step.conn.exchange.answered;
    match outcome {
        Outcome::IgnoreResult => {}
        // The failure is in the log, and the client has its answer.
        Outcome::Failed if answered => {}
        _ if answered => {
            log::warn!(
                "connection {}: the result of query {} is dropped: the client has its result already",
                step.id(),
                injection.query.id
            );
        }
        Outcome::SendResult(reply) => {
            step.send_to_client(&reply);
            step.conn.exchange.answered = true;
        }
        Outcome::Failed if step.rejects_on_script_error() => {
            step.send_to_client(&Reply::proxy_error(&hook_failed(Hook::ReadQueryResult)));
            step.conn.exchange.answered = true;
        }
        _ => {
            for payload in injection.packets.iter() {
                step.client.append_packet(payload);
            }
            step.conn.exchange.answered = true;
        }
    }
}
