//! `con_connect_server`: choose a backend and reach it (host contract 2.2).

use std::sync::Arc;

use wire::connect::Handshake;

use super::connection::LoginReason;
use super::step::{Step, hook_failed};
use crate::chassis::backend::BackendState;
use crate::chassis::socket::Connect;
use crate::chassis::{ConState, Verdict};
use crate::embed::Outcome;
use crate::session::{Hook, Reply, Server};

/// A script that calls every backend UP again and again would keep the host in a loop: more attempts than this per
/// backend end the client's connection.
const ATTEMPTS_PER_BACKEND: usize = 4;

/// Entered without a server (first try and every retry), or with one whose connect came to an end.
pub fn connect_server(step: &mut Step<'_>) -> Verdict {
    if step.has_server() {
        return finish(step);
    }
    let backends = step.ctx.shared.backends;
    backends.recheck();
    if step.conn.login.reason == LoginReason::Reconnect {
        return connect(step);
    }
    step.session().choice = None;
    let outcome = match step.conn.script.as_mut() {
        Some(script) => script.connect_server(step.call),
        None => Outcome::Proceed,
    };
    let use_pooled = match outcome {
        Outcome::SendResult(reply) => return answer(step, &reply),
        Outcome::Failed if step.rejects_on_script_error() => {
            return refuse(step, &hook_failed(Hook::ConnectServer));
        }
        Outcome::IgnoreResult => true,
        _ => false,
    };
    if step.has_server() {
        if use_pooled && !attached_backend_is_down(step) {
            return greet_from_pool(step);
        }
        // The index the script chose stays, the pooled connection goes back.
        let choice = step.session().choice;
        let mut session = step.session();
        session.park_server(step.call, step.ctx.shared);
        session.choice = choice;
    }
    connect(step)
}

fn attached_backend_is_down(step: &Step<'_>) -> bool {
    let ndx = step.session().server.as_ref().map(|server| server.backend);
    ndx.and_then(|ndx| step.ctx.shared.backends.get(ndx))
        .is_none_or(|backend| backend.state(step.call) == BackendState::Down)
}

/// Starts a connect to the chosen backend, or to the one with the shortest queue.
fn connect(step: &mut Step<'_>) -> Verdict {
    let backends = step.ctx.shared.backends;
    step.conn.connect_attempts += 1;
    if step.conn.connect_attempts > ATTEMPTS_PER_BACKEND * backends.len().max(1) {
        log::error!("connection {}: too many failed connects, giving up", step.id());
        return all_down(step);
    }
    let choice = step.session().choice.take();
    let ndx = match choice {
        Some(ndx) => match backends.get(ndx) {
            None => return all_down(step),
            Some(backend) if backend.state(step.call) == BackendState::Down => None,
            Some(_) => Some(ndx),
        },
        None => None,
    };
    let Some(ndx) = ndx.or_else(|| backends.shortest_queue(step.call)) else {
        return all_down(step);
    };
    let Some(backend) = backends.get(ndx) else { return all_down(step) };
    let Some(socket) = backend.new_socket(step.call) else { return all_down(step) };
    match socket.connect() {
        Connect::Done => {
            step.session().server = Some(Server::new(socket, ndx));
            connected(step)
        }
        Connect::InProgress => {
            step.session().server = Some(Server::new(socket, ndx));
            step.sync_server();
            Verdict::Retry
        }
        Connect::Failed => {
            mark_down(step, ndx);
            Verdict::Retry
        }
    }
}

/// The socket became writable.
fn finish(step: &mut Step<'_>) -> Verdict {
    let done = step.session().server.as_ref().map(|server| server.socket.finish_connect());
    if done == Some(Connect::Done) {
        return connected(step);
    }
    give_up_backend(step);
    Verdict::Retry
}

/// Whether the connect in progress came to an end that nobody has looked at yet.
pub fn has_ended(step: &mut Step<'_>) -> bool {
    step.session().server.as_ref().is_some_and(|server| server.socket.connect_has_ended())
}

/// The connect in progress failed: the backend is DOWN, another one is tried.
pub fn give_up_backend(step: &mut Step<'_>) {
    let ndx = step.session().server.as_ref().map(|server| server.backend);
    if let Some(ndx) = ndx {
        mark_down(step, ndx);
    }
    step.close_server();
}

fn mark_down(step: &Step<'_>, ndx: usize) {
    let Some(backend) = step.ctx.shared.backends.get(ndx) else { return };
    backend.set_state(step.call, BackendState::Down);
    log::warn!(
        "connection {}: backend {} is not reachable, marked DOWN",
        step.id(),
        backend.address(step.call).name
    );
}

fn connected(step: &mut Step<'_>) -> Verdict {
    let backends = step.ctx.shared.backends;
    if let Some(server) = step.session().server.as_mut() {
        server.connected(step.call);
        server.count(step.call, &backends);
        if let Some(backend) = backends.get(server.backend) {
            backend.set_state(step.call, BackendState::Up);
        }
    }
    step.sync_server();
    step.go(ConState::ReadHandshake)
}

/// A pooled connection needs no server round: the client gets the handshake that the server once sent.
fn greet_from_pool(step: &mut Step<'_>) -> Verdict {
    let (payload, handshake) = {
        let session = step.session();
        let Some(server) = session.server.as_ref() else { return Verdict::Error };
        (server.handshake_payload.clone(), server.handshake.clone())
    };
    step.client.append_payload(&payload);
    {
        let mut session = step.session();
        session.client.handshake = handshake;
        session.choice = None;
    }
    step.sync_server();
    step.go(ConState::SendHandshake)
}

/// The script answers in place of any server: a handshake makes the proxy itself the server, anything else ends the
/// connection.
fn answer(step: &mut Step<'_>, reply: &Reply) -> Verdict {
    {
        let mut session = step.session();
        session.park_server(step.call, step.ctx.shared);
        session.choice = None;
    }
    step.sync_server();
    step.send_to_client(reply);
    if reply.is_error() {
        return Verdict::Error;
    }
    match reply.packets().first().map(|payload| Handshake::parse(payload)) {
        Some(Ok(handshake)) => {
            step.session().client.handshake = Some(Arc::new(handshake));
            Verdict::Success
        }
        _ => Verdict::Error,
    }
}

fn all_down(step: &mut Step<'_>) -> Verdict {
    step.send_to_client(&step.login_error("(proxy) all backends are down"));
    Verdict::Error
}

fn refuse(step: &mut Step<'_>, message: &str) -> Verdict {
    step.session().park_server(step.call, step.ctx.shared);
    step.sync_server();
    step.send_to_client(&step.login_error(&format!("pyproxy: {message}")));
    Verdict::Error
}
