//! What the host itself reads from packets: the command that goes to the server and the answer to a login.
//!
//! Facts: `docs/internals/states.md#what-the-host-reads-in-a-login`,
//! `docs/internals/states.md#what-the-host-reads-of-a-command`. The data of a tracked command is allocated as in the
//! original; it only advances when a plugin parses results with the original's helpers, which this host does not offer.

use std::ffi::{c_int, c_void};
use std::ptr;

use chassis_sys::{network_mysqld_con, network_mysqld_con_parse};
use glib_sys::GString;
use wire::{Command, marker};

use super::check;
use super::object::{Con, NO_COMMAND, Side};
use super::state::State;
use crate::exports::export;
use crate::glib;
use crate::packet;

/// The method that needs more understanding of its data than this host has.
pub const WINDOWS_METHOD: &[u8] = b"authentication_windows_client";

/// `state` of a [`QueryResult`] whose next packets come from the client.
const LOCAL_INFILE_DATA: c_int = 3;

/// The tracker of a result set.
#[repr(C)]
struct QueryResult {
    state: c_int,
    server_status: u16,
    warning_count: u16,
    affected_rows: u64,
    insert_id: u64,
    was_resultset: c_int,
    binary_encoded: c_int,
    rows: u64,
    bytes: u64,
    query_status: u8,
}

/// The tracker of a prepare.
#[repr(C)]
struct PrepareResult {
    first_packet: c_int,
    want_eofs: c_int,
}

/// The tracker of a change of the default database.
#[repr(C)]
struct InitDbResult {
    db_name: *mut GString,
}

unsafe extern "C" fn free_plain(data: *mut c_void) {
    // SAFETY: memory of `new_parse`.
    unsafe { glib::free(data) };
}

unsafe extern "C" fn free_init_db(data: *mut c_void) {
    // SAFETY: an InitDbResult of `new_parse`.
    unsafe {
        glib::free_string((*data.cast::<InitDbResult>()).db_name);
        glib::free(data);
    }
}

/// The tracker for a command with this payload behind the command byte.
fn new_parse(command: u8, rest: &[u8]) -> network_mysqld_con_parse {
    type Free = unsafe extern "C" fn(*mut c_void);
    let (data, data_free): (*mut c_void, Option<Free>) = match Command(command) {
        Command::QUERY | Command::PROCESS_INFO | Command::STMT_EXECUTE => {
            (glib::alloc_zeroed::<QueryResult>().cast(), Some(free_plain))
        }
        Command::STMT_PREPARE => {
            let result: *mut PrepareResult = glib::alloc_zeroed();
            // SAFETY: fresh memory.
            unsafe { (*result).first_packet = glib_sys::GTRUE };
            (result.cast(), Some(free_plain))
        }
        Command::INIT_DB => {
            let result: *mut InitDbResult = glib::alloc_zeroed();
            // SAFETY: fresh memory.
            unsafe { (*result).db_name = glib::new_string(rest) };
            (result.cast(), Some(free_init_db))
        }
        _ => (ptr::null_mut(), None),
    };
    network_mysqld_con_parse { command: command.into(), data, data_free }
}

/// Starts to track the command in `packet` (with header). False for a packet without payload.
fn track_command(con: &mut Con, packet: &[u8]) -> bool {
    let Some((&command, rest)) = packet::payload(packet).and_then(<[u8]>::split_first) else {
        return false;
    };
    let parse = new_parse(command, rest);
    let members = con.raw_mut();
    if parse.data_free.is_some() {
        members.parse = parse;
    } else {
        members.parse.command = parse.command;
    }
    if command == Command::QUIT.0 {
        members.com_quit_seen = glib_sys::GTRUE;
    }
    true
}

/// Starts to track the command that the server's send queue starts with. False when there is none.
pub fn track_queued_command(con: &mut Con) -> bool {
    let packet =
        con.side(Side::Server).and_then(|server| server.to_send().first().map(<[u8]>::to_vec));
    packet.is_some_and(|packet| track_command(con, &packet))
}

/// Whether the server sends no answer to the tracked command.
pub fn expects_no_answer(con: &Con) -> bool {
    let silent = [Command::STMT_SEND_LONG_DATA, Command::STMT_CLOSE];
    silent.iter().any(|command| con.parse().command == c_int::from(command.0))
}

/// Whether the tracked query asks the client for a local file.
pub fn asks_for_local_file(con: &Con) -> bool {
    let parse = con.parse();
    if parse.command != c_int::from(Command::QUERY.0) {
        return false;
    }
    if parse.data.is_null() {
        check::violation(
            Some(State::SendQueryResult),
            "after con_send_query_result",
            "parse.command is COM_QUERY, but parse.data is NULL",
        );
    }
    // SAFETY: INV-1: for COM_QUERY the data is a QueryResult.
    unsafe { (*parse.data.cast::<QueryResult>()).state == LOCAL_INFILE_DATA }
}

/// An answer to a login that the host cannot follow.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable;

/// A request to switch the method: its name and data; both empty for the old-password request.
fn parse_auth_switch(rest: &[u8]) -> Result<(&[u8], &[u8]), Unusable> {
    if rest.is_empty() {
        return Ok((&[], &[]));
    }
    let end = rest.iter().position(|&byte| byte == 0).ok_or(Unusable)?;
    Ok((&rest[..end], &rest[end + 1..]))
}

/// Notes what the server answered to the login, from the first received packet.
pub fn track_auth_result(con: &mut Con) -> Result<(), Unusable> {
    let packet = con
        .side(Side::Server)
        .and_then(|server| server.received().first().map(<[u8]>::to_vec))
        .unwrap_or_default();
    let (&status, rest) = packet::payload(&packet).and_then(<[u8]>::split_first).ok_or(Unusable)?;
    con.raw_mut().auth_result_state = status;
    match status {
        marker::AUTH_SWITCH => {
            let (method, data) = parse_auth_switch(rest)?;
            let members = con.raw_mut();
            // SAFETY: INV-1: both strings belong to the connection.
            unsafe {
                glib::assign(members.auth_switch_to_method, method);
                glib::assign(members.auth_switch_to_data, data);
            }
            members.auth_switch_to_round = 0;
            members.auth_next_packet_is_from_server = glib_sys::GFALSE;
            Ok(())
        }
        marker::AUTH_MORE_DATA if con.auth_method() == WINDOWS_METHOD => Err(Unusable),
        _ => Ok(()),
    }
}

export! {
    /// Forgets the tracked command and frees its data.
    fn network_mysqld_con_reset_command_response_state(con: *mut network_mysqld_con)
    as fn_network_mysqld_con_reset_command_response_state {
        // SAFETY: a live connection that this thread drives (ABI).
        let parse = unsafe { &mut (*con).parse };
        parse.command = NO_COMMAND;
        let data = std::mem::replace(&mut parse.data, ptr::null_mut());
        if let Some(free) = parse.data_free.take().filter(|_| !data.is_null()) {
            // SAFETY: the code that set the data also set the function that frees it.
            unsafe { free(data) };
        }
    }

    /// Starts to track the command in a framed packet. -1: there is none.
    fn network_mysqld_con_command_states_init(con: *mut network_mysqld_con, packet: *mut NetworkPacket) -> c_int {
        // SAFETY: a live connection that this thread drives, a cursor over a live GString (ABI).
        let (mut con, bytes) = unsafe { (Con::from_raw(con), glib::bytes((*packet).data)) };
        if track_command(&mut con, bytes) { 0 } else { -1 }
    }
}

/// `network_packet`: a cursor over a framed packet.
#[repr(C)]
pub struct NetworkPacket {
    data: *mut GString,
    offset: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switch_requests_need_a_terminated_method() {
        assert_eq!(parse_auth_switch(b""), Ok((&b""[..], &b""[..])));
        assert_eq!(parse_auth_switch(b"native\0seed"), Ok((&b"native"[..], &b"seed"[..])));
        assert_eq!(parse_auth_switch(b"native"), Err(Unusable));
    }

    #[test]
    fn trackers_have_the_originals_sizes_and_are_freed() {
        assert_eq!(size_of::<QueryResult>(), 56);
        for (command, has_data) in [
            (Command::QUERY, true),
            (Command::STMT_PREPARE, true),
            (Command::INIT_DB, true),
            (Command::PING, false),
        ] {
            let parse = new_parse(command.0, b"db");
            assert_eq!(parse.command, c_int::from(command.0));
            assert_eq!(!parse.data.is_null(), has_data);
            if let Some(free) = parse.data_free {
                // SAFETY: fresh data of new_parse.
                unsafe { free(parse.data) };
            }
        }
    }
}
