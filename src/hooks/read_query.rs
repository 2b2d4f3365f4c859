//! `con_read_query`: a command arrived (host contract 2.9).

use std::time::{Duration, Instant};

use wire::connect::{ChangeUser, Login};
use wire::{Capabilities, Command, compressed};

use super::connection::{Effect, Exchange};
use super::login_rounds::OUT_OF_ORDER;
use super::step::{Step, hook_failed};
use super::{answer, injections, use_statement};
use crate::chassis::{CommandPackets, ConState, Verdict};
use crate::embed::Outcome;
use crate::session::{Hook, Reply};

/// ER_MALFORMED_PACKET.
const MALFORMED: u16 = 1835;
/// ER_NOT_SUPPORTED_YET.
const NOT_SUPPORTED: u16 = 1235;
/// A server connection without a command for longer is looked at before the next one is entrusted to it.
const SUSPICIOUS_IDLE: Duration = Duration::from_secs(1);

/// Asks the script and sends the command, or what the script wants instead.
pub fn read_query(step: &mut Step<'_>) -> Verdict {
    step.ctx.shared.stats.queries.increment();
    let Some(packets) = step.client.take_command() else { return Verdict::Error };
    if std::mem::take(&mut step.conn.may_compress) && compressed::is_frame(packets.first.payload())
    {
        return refuse_compression(step);
    }
    if packets.first.id() != 0 {
        return step.refuse(&Reply::error(OUT_OF_ORDER, b"08S01", "Got packets out of order"));
    }
    let Some(&command) = packets.first.payload().first() else {
        return step.refuse(&Reply::error(MALFORMED, b"HY000", "Malformed communication packet"));
    };
    step.conn.exchange = Exchange::of(Command(command));
    {
        let mut session = step.session();
        session.command = Some(command);
        session.queries.clear();
    }
    match ask_script(step, &packets) {
        Outcome::SendResult(reply) => {
            script_answered(step, &packets, &reply);
            answer::answer(step, &reply)
        }
        Outcome::SendQuery if !step.session().queries.is_empty() => run_queue(step),
        Outcome::Failed => {
            step.session().queries.clear();
            if step.rejects_on_script_error() {
                answer::fail(step, &hook_failed(Hook::ReadQuery))
            } else {
                forward(step, packets)
            }
        }
        outcome => {
            warn_about_queue(step, &outcome);
            forward(step, packets)
        }
    }
}

/// The client compresses although nobody offered it: it gets an ERR in the only framing it reads, and no more.
fn refuse_compression(step: &mut Step<'_>) -> Verdict {
    let message = "pyproxy: compression is not supported by this proxy, connect without it";
    log::warn!("connection {}: the client compresses unasked, it is refused", step.id());
    for payload in Reply::error(NOT_SUPPORTED, b"42000", message).packets() {
        step.client.append_foreign(&compressed::answer_frame(payload));
    }
    step.go(ConState::SendError)
}

fn ask_script(step: &mut Step<'_>, packets: &CommandPackets) -> Outcome {
    if !step.ctx.settings.profiling {
        return Outcome::Proceed;
    }
    let Some(script) = step.conn.script.as_mut().filter(|script| script.has(Hook::ReadQuery))
    else {
        return Outcome::Proceed;
    };
    let outcome = script.read_query(step.call, &packets.payload());
    step.sync_server();
    outcome
}

fn warn_about_queue(step: &Step<'_>, outcome: &Outcome) {
    let mut session = step.session();
    let id = session.id;
    if *outcome == Outcome::SendQuery {
        log::warn!(
            "connection {id}: read_query returned PROXY_SEND_QUERY but queued nothing: the command is forwarded"
        );
    } else if !session.queries.is_empty() {
        session.queries.clear();
        log::warn!(
            "connection {id}: read_query queued queries but did not return PROXY_SEND_QUERY: they are discarded"
        );
    }
}

/// The script's own OK to COM_INIT_DB changes what the client believes; the server knows nothing of it.
fn script_answered(step: &Step<'_>, packets: &CommandPackets, reply: &Reply) {
    if reply.first_byte() == Some(0)
        && let Effect::DefaultDb(database) = effect_of(packets, step)
    {
        step.session().client.default_db = database;
    }
}

fn run_queue(step: &mut Step<'_>) -> Verdict {
    if !step.has_server() {
        step.session().queries.clear();
        return answer::fail(step, "no server connection is attached");
    }
    match injections::start_next(step) {
        Some(verdict) => verdict,
        None => answer::fail(step, "the queued queries have no result"),
    }
}

/// Sends the client's command to the server as it is.
fn forward(step: &mut Step<'_>, packets: CommandPackets) -> Verdict {
    if !step.has_server() {
        return answer::fail(step, "no server connection is attached");
    }
    if is_suspicious(step) && step.with_server(|server| server.is_readable()) == Some(true) {
        step.close_server();
        return step.refuse(&Reply::proxy_error("the server closed the connection"));
    }
    step.conn.exchange.effect = effect_of(&packets, step);
    step.conn.exchange.opens_cursor = note_cursor(step, packets.first.payload());
    let command = Command(step.session().command.unwrap_or_default());
    let capabilities = {
        let mut session = step.session();
        session.server.as_mut().map(|server| {
            // After COM_QUIT the server is on its way out, though it says nothing.
            server.busy = command.has_reply() || command == Command::QUIT;
            server.capabilities()
        })
    };
    step.conn.tracker.start(command.0, capabilities.unwrap_or_default());
    step.con.set_resultset_is_needed(false);
    step.con.set_resultset_is_finished(false);
    step.with_server(|server| {
        server.reset_packet_ids();
        server.append_command(packets);
    });
    step.go(ConState::SendQuery)
}

/// Tells the memory of cursors that a command is sent; gives whether it wants the answer. Without a script that reads
/// results there is none.
pub fn note_cursor(step: &Step<'_>, payload: &[u8]) -> bool {
    let reads_results =
        step.conn.script.as_ref().is_some_and(|script| script.has(Hook::ReadQueryResult));
    reads_results
        && step.session().server.as_mut().is_some_and(|server| server.cursors.command(payload))
}

/// Whether the server had time to change its mind about this connection since the last command.
fn is_suspicious(step: &Step<'_>) -> bool {
    let now = Instant::now();
    step.session().server.as_mut().is_some_and(|server| {
        let last = std::mem::replace(&mut server.last_command_at, now);
        now.saturating_duration_since(last) > SUSPICIOUS_IDLE
    })
}

/// What `packets` change if the server says OK. No command that changes anything is longer than a packet.
fn effect_of(packets: &CommandPackets, step: &Step<'_>) -> Effect {
    effect_of_command(packets.first.payload(), step.session().client.login.as_deref())
}

/// What the command in `payload` changes if the server says OK. `login` is the client's present one.
pub fn effect_of_command(payload: &[u8], login: Option<&Login>) -> Effect {
    match payload {
        [command, database @ ..] if Command(*command) == Command::INIT_DB => {
            Effect::DefaultDb(database.to_vec())
        }
        [command, sql @ ..] if Command(*command) == Command::QUERY => {
            use_statement::database(sql).map_or(Effect::None, Effect::DefaultDb)
        }
        [command, ..] if Command(*command) == Command::CHANGE_USER => {
            let capabilities = login.map_or(Capabilities::NONE, |login| login.capabilities);
            let Ok(change) = ChangeUser::parse(payload, capabilities) else { return Effect::None };
            Effect::Login(Box::new(Login {
                capabilities,
                max_packet_size: login.map(|login| login.max_packet_size).unwrap_or_default(),
                charset: change
                    .charset
                    .map(|charset| charset.to_le_bytes()[0])
                    .or(login.map(|login| login.charset))
                    .unwrap_or_default(),
                username: change.username,
                auth_response: change.auth_response,
                database: Some(change.database).filter(|database| !database.is_empty()),
                auth_plugin: change.auth_plugin,
                attributes: change.attributes,
                zstd_level: None,
            }))
        }
        _ => Effect::None,
    }
}
