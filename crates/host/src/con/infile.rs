//! The states of LOAD DATA LOCAL INFILE.
//!
//! Facts: `docs/internals/states.md#a-local-file`.

use super::hook::{self, Answer};
use super::machine::{Entry, Flow, check_entry, read, write};
use super::object::{Con, Side};
use super::state::State;

pub fn read_data(con: &mut Con) -> Flow {
    let state = State::ReadLocalInfileData;
    let slot = con.hooks().con_read_local_infile_data;
    while con.state() == state {
        if let Some(flow) = read(con, state, Side::Client) {
            return flow;
        }
        match hook::call(con, slot) {
            Some(Answer::Success) => {
                if !con.local_file_data_is_finished() && con.side(Side::Server).is_some() {
                    con.set_state(State::SendLocalInfileData);
                }
            }
            answer => hook::fail(con, state, answer.unwrap_or(Answer::Error), State::Error),
        }
    }
    Flow::Next
}

pub fn send_data(con: &mut Con, entry: Entry) -> Flow {
    if let Some(flow) = write(con, State::SendLocalInfileData, Side::Server, entry) {
        return flow;
    }
    con.set_state(if con.local_file_data_is_finished() {
        State::ReadLocalInfileResult
    } else {
        State::ReadLocalInfileData
    });
    Flow::Next
}

pub fn read_result(con: &mut Con, entry: Entry) -> Flow {
    let state = State::ReadLocalInfileResult;
    check_entry(con, state, Side::Server, entry);
    if let Some(flow) = read(con, state, Side::Server) {
        return flow;
    }
    let slot = con.hooks().con_read_local_infile_result;
    hook::step(con, state, slot, |con| con.set_state(State::Error));
    Flow::Next
}

pub fn send_result(con: &mut Con, entry: Entry) -> Flow {
    let state = State::SendLocalInfileResult;
    if let Some(flow) = write(con, state, Side::Client, entry) {
        return flow;
    }
    let slot = con.hooks().con_send_local_infile_result;
    hook::step(con, state, slot, |con| con.set_state(State::ReadQuery));
    Flow::Next
}
