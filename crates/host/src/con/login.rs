//! The states from an accepted client to a finished login.
//!
//! Facts: `docs/internals/states.md#the-states`, states 0 to 9.

use wire::marker;

use super::check;
use super::hook::{self, Answer};
use super::machine::{Entry, Flow, check_entry, read, write};
use super::object::{Con, Side, Wait};
use super::state::State;
use super::track::{self, WINDOWS_METHOD};
use crate::answer;
use crate::log;

pub fn init(con: &mut Con) -> Flow {
    let slot = con.hooks().con_init;
    hook::step(con, State::Init, slot, |con| con.set_state(State::ConnectServer));
    Flow::Next
}

pub fn connect_server(con: &mut Con) -> Flow {
    let slot = con.hooks().con_connect_server;
    let answer = hook::call(con, slot).unwrap_or_else(|| {
        con.set_state(State::ReadHandshake);
        Answer::Success
    });
    let has_server = con.side(Side::Server).is_some();
    match answer {
        Answer::Success if has_server => {}
        Answer::Success
            if con.side(Side::Client).is_some_and(|client| !client.to_send().is_empty()) =>
        {
            con.set_state(State::SendHandshake);
        }
        Answer::Success => check::violation(
            Some(State::ConnectServer),
            "after con_connect_server",
            "success with neither a server nor bytes for the client",
        ),
        Answer::Retry if has_server => return Flow::Wait(Side::Server, Wait::Connected),
        Answer::Retry => return Flow::Again,
        Answer::Error => con.set_state(State::SendError),
        answer => hook::fail(con, State::ConnectServer, answer, State::Error),
    }
    Flow::Next
}

/// Reads one packet and calls a hook whose error goes to the client.
fn read_and_call(con: &mut Con, state: State, side: Side, entry: Entry) -> Flow {
    check_entry(con, state, side, entry);
    if let Some(flow) = read(con, state, side) {
        return flow;
    }
    let slot = match state {
        State::ReadHandshake => con.hooks().con_read_handshake,
        _ => con.hooks().con_read_auth,
    };
    match hook::call(con, slot) {
        None | Some(Answer::Success) => {}
        Some(Answer::Error) => con.set_state(State::SendError),
        Some(answer) => hook::fail(con, state, answer, State::Error),
    }
    Flow::Next
}

pub fn read_handshake(con: &mut Con, entry: Entry) -> Flow {
    read_and_call(con, State::ReadHandshake, Side::Server, entry)
}

pub fn read_auth(con: &mut Con, entry: Entry) -> Flow {
    read_and_call(con, State::ReadAuth, Side::Client, entry)
}

pub fn send_handshake(con: &mut Con, entry: Entry) -> Flow {
    if let Some(flow) = write(con, State::SendHandshake, Side::Client, entry) {
        return flow;
    }
    let slot = con.hooks().con_send_handshake;
    hook::step(con, State::SendHandshake, slot, |con| con.set_state(State::ReadAuth));
    Flow::Next
}

pub fn send_auth(con: &mut Con, entry: Entry) -> Flow {
    if let Some(flow) = write(con, State::SendAuth, Side::Server, entry) {
        return flow;
    }
    let slot = con.hooks().con_send_auth;
    hook::step(con, State::SendAuth, slot, |con| con.set_state(State::ReadAuthResult));
    Flow::Next
}

pub fn read_auth_result(con: &mut Con, entry: Entry) -> Flow {
    let state = State::ReadAuthResult;
    check_entry(con, state, Side::Server, entry);
    check::received_is_empty(con, state, Side::Server, "on entry");
    if let Some(flow) = read(con, state, Side::Server) {
        return flow;
    }
    if track::track_auth_result(con).is_err() {
        log::debug("the server's answer to the login cannot be followed");
        con.set_state(State::Error);
        return Flow::Next;
    }
    let slot = con.hooks().con_read_auth_result;
    hook::step(con, state, slot, |_| {});
    Flow::Next
}

pub fn send_auth_result(con: &mut Con, entry: Entry) -> Flow {
    if let Some(flow) = write(con, State::SendAuthResult, Side::Client, entry) {
        return flow;
    }
    let slot = con.hooks().con_send_auth_result;
    hook::step(con, State::SendAuthResult, slot, |con| {
        let next = match con.auth_result_state() {
            marker::OK => State::ReadQuery,
            marker::AUTH_MORE_DATA
                if con.auth_method() == WINDOWS_METHOD && con.auth_next_packet_is_from_server() =>
            {
                State::ReadAuthResult
            }
            marker::AUTH_SWITCH | marker::AUTH_MORE_DATA => State::ReadAuthOldPassword,
            marker::ERR => State::Error,
            other => {
                log::debug(&format!("unexpected state for SEND_AUTH_RESULT: {other:02x}"));
                State::Error
            }
        };
        con.set_state(next);
    });
    Flow::Next
}

pub fn read_auth_old_password(con: &mut Con) -> Flow {
    let state = State::ReadAuthOldPassword;
    if let Some(flow) = read(con, state, Side::Client) {
        return flow;
    }
    let slot = con.hooks().con_read_auth_old_password;
    hook::step(con, state, slot, |con| {
        let next = match (con.side(Side::Client), con.side(Side::Server)) {
            (Some(client), Some(mut server)) => {
                server.forward_first(&client);
                State::SendAuthOldPassword
            }
            (Some(mut client), None) => {
                answer::send_error(&mut client, "no server connection for the rest of the login");
                State::SendError
            }
            (None, _) => State::Error,
        };
        con.set_state(next);
    });
    Flow::Next
}

pub fn send_auth_old_password(con: &mut Con, entry: Entry) -> Flow {
    if let Some(flow) = write(con, State::SendAuthOldPassword, Side::Server, entry) {
        return flow;
    }
    con.set_state(State::ReadAuthResult);
    Flow::Next
}
