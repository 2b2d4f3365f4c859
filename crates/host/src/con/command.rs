//! The states of commands and their answers.
//!
//! Facts: `docs/internals/states.md#the-states`, states 10 to 13 and 15.

use wire::Command;

use super::check;
use super::hook::{self, Answer};
use super::machine::{Entry, Flow, check_entry, read, write};
use super::object::{Con, Side};
use super::state::State;
use super::track::{self, network_mysqld_con_reset_command_response_state};
use crate::packet::{self, HEADER_LEN, MAX_PAYLOAD};
use crate::{answer, log};

/// A result that the plugin does not collect is sent on when more than this is queued, in bytes.
const FLUSH_LIMIT: usize = 64 * 1024;
/// Servers that answer COM_CHANGE_USER with two ERR packets.
const BROKEN_CHANGE_USER: std::ops::RangeInclusive<u32> = 50114..=50117;

/// Whether the client sent a COM_CHANGE_USER that its server cannot handle.
fn is_broken_change_user(con: &Con) -> bool {
    let broken = con
        .side(Side::Server)
        .and_then(|server| server.server_version())
        .is_some_and(|version| BROKEN_CHANGE_USER.contains(&version));
    broken
        && con.side(Side::Client).is_some_and(|client| {
            client.received().first().and_then(packet::payload).and_then(<[u8]>::first)
                == Some(&Command::CHANGE_USER.0)
        })
}

pub fn read_query(con: &mut Con, entry: Entry) -> Flow {
    let state = State::ReadQuery;
    check_entry(con, state, Side::Client, entry);
    loop {
        if let Some(flow) = read(con, state, Side::Client) {
            return flow;
        }
        let last =
            con.side(Side::Client).and_then(|client| client.received().last().map(<[u8]>::len));
        if last != Some(HEADER_LEN + MAX_PAYLOAD) {
            break;
        }
    }
    if is_broken_change_user(con) {
        if let Some(mut client) = con.side(Side::Client) {
            let text = "COM_CHANGE_USER is broken on 5.1.14-.17, please upgrade the MySQL Server";
            answer::send_error(&mut client, text);
        }
        con.set_state(State::SendQueryResult);
        return Flow::Next;
    }
    let slot = con.hooks().con_read_query;
    hook::step(con, state, slot, |_| {});
    let next = con.state();
    if matches!(next, State::SendQuery | State::SendQueryResult | State::ReadQuery) {
        check::received_is_empty(con, state, Side::Client, "after con_read_query");
    }
    if next == State::SendQuery {
        // SAFETY: INV-1.
        unsafe { network_mysqld_con_reset_command_response_state(con.as_ptr()) };
    }
    Flow::Next
}

pub fn send_query(con: &mut Con, entry: Entry) -> Flow {
    let state = State::SendQuery;
    check::has_side(con, state, Side::Server);
    let (nothing_queued, sent_in_part) = con.side(Side::Server).map_or((true, false), |server| {
        (server.to_send().is_empty(), server.to_send().offset() > 0)
    });
    if nothing_queued {
        check::violation(Some(state), "on entry", "the Server send queue is empty");
    }
    if entry.is_none() {
        check::received_is_empty(con, state, Side::Server, "on entry");
    }
    if !sent_in_part && !track::track_queued_command(con) {
        log::debug("a command without a first byte cannot be tracked");
        con.set_state(State::Error);
        return Flow::Next;
    }
    if let Some(flow) = write(con, state, Side::Server, entry) {
        return flow;
    }
    if track::expects_no_answer(con) {
        for side in [Side::Client, Side::Server] {
            if let Some(mut socket) = con.side(side) {
                socket.reset_numbering();
            }
        }
        con.set_state(State::ReadQuery);
    } else {
        con.set_state(State::ReadQueryResult);
    }
    Flow::Next
}

pub fn read_query_result(con: &mut Con, mut entry: Entry) -> Flow {
    let state = State::ReadQueryResult;
    let slot = con.hooks().con_read_query_result;
    if slot.is_none() {
        check::violation(
            Some(state),
            "on entry",
            "without con_read_query_result the answer is swallowed",
        );
    }
    while con.state() == state {
        check_entry(con, state, Side::Server, entry.take());
        if let Some(flow) = read(con, state, Side::Server) {
            return flow;
        }
        match hook::call(con, slot) {
            None | Some(Answer::Success) => {
                let queued = con.side(Side::Client).map_or(0, |client| client.to_send().len());
                if !con.resultset_is_finished()
                    && !con.resultset_is_needed()
                    && queued > FLUSH_LIMIT
                {
                    con.set_state(State::SendQueryResult);
                }
            }
            Some(answer) => hook::fail(con, state, answer, State::Error),
        }
    }
    Flow::Next
}

pub fn send_query_result(con: &mut Con, entry: Entry) -> Flow {
    let state = State::SendQueryResult;
    if let Some(flow) = write(con, state, Side::Client, entry) {
        return flow;
    }
    if !con.resultset_is_finished() && con.side(Side::Server).is_some() {
        con.set_state(State::ReadQueryResult);
        return Flow::Next;
    }
    let slot = con.hooks().con_send_query_result;
    hook::step(con, state, slot, |con| con.set_state(State::ReadQuery));
    if con.state() != State::Error && track::asks_for_local_file(con) {
        con.set_state(State::ReadLocalInfileData);
    }
    Flow::Next
}

pub fn send_error(con: &mut Con, entry: Entry) -> Flow {
    if let Some(flow) = write(con, State::SendError, Side::Client, entry) {
        return flow;
    }
    con.set_state(State::CloseClient);
    Flow::Next
}
