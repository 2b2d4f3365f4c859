//! The loop that takes a connection from state to state, and the libevent callbacks that enter it.
//!
//! Facts: `docs/internals/states.md#the-loop`.

use std::ffi::{c_int, c_short, c_void};
use std::io;

use chassis_sys::network_mysqld_con;

use super::object::{Con, Side, Wait, network_mysqld_add_connection, network_mysqld_con_new};
use super::state::State;
use super::{check, command, hook, infile, login};
use crate::connect::network_socket_accept;
use crate::exports::export;
use crate::libevent::{EV_READ, EV_TIMEOUT};
use crate::log;
use crate::transfer::Io;

/// A connection that asks this often in a row for another server, without having one, never gets on.
const MAX_RETRIES: u32 = 10_000;

/// How a state body ended.
pub enum Flow {
    /// Look at the state again; it must have changed.
    Next,
    /// Run the same state again at once.
    Again,
    /// The socket of a side has to get ready first.
    Wait(Side, Wait),
}

/// The descriptor whose event the current state body was entered from; none when an earlier body led here.
pub type Entry = Option<c_int>;

/// A state that reads a side must not be entered from an event of the other side.
pub fn check_entry(con: &Con, state: State, side: Side, entry: Entry) {
    check::has_side(con, state, side);
    let fd = con.side(side).map_or(-1, |socket| socket.fd());
    if let Some(fired) = entry.filter(|&fired| fired != fd) {
        check::violation(
            Some(state),
            "on entry",
            &format!("the event was on descriptor {fired}, but the {side:?} has {fd}"),
        );
    }
}

/// Reads one packet. `Some`: the state body ends with it.
pub fn read(con: &mut Con, state: State, side: Side) -> Option<Flow> {
    check::has_side(con, state, side);
    match con.side(side).map_or(Io::Failed, |mut socket| socket.read_packet()) {
        Io::Done => None,
        Io::Block => Some(Flow::Wait(side, Wait::Readable)),
        Io::Failed => {
            log::critical(&format!("reading in {} failed", state.name().to_string_lossy()));
            con.set_state(State::Error);
            Some(Flow::Next)
        }
    }
}

/// Sends the whole queue of a side. `Some`: the state body ends with it.
pub fn write(con: &mut Con, state: State, side: Side, entry: Entry) -> Option<Flow> {
    check::has_side(con, state, side);
    if entry.is_none() {
        check::send_queue(con, state, side);
    }
    match con.side(side).map_or(Io::Failed, |mut socket| socket.write()) {
        Io::Done => None,
        Io::Block => Some(Flow::Wait(side, Wait::Writable)),
        Io::Failed => {
            con.set_state(State::Error);
            Some(Flow::Next)
        }
    }
}

fn run_state(con: &mut Con, state: State, entry: Entry) -> Flow {
    match state {
        State::Init => login::init(con),
        State::ConnectServer => login::connect_server(con),
        State::ReadHandshake => login::read_handshake(con, entry),
        State::SendHandshake => login::send_handshake(con, entry),
        State::ReadAuth => login::read_auth(con, entry),
        State::SendAuth => login::send_auth(con, entry),
        State::ReadAuthResult => login::read_auth_result(con, entry),
        State::SendAuthResult => login::send_auth_result(con, entry),
        State::ReadAuthOldPassword => login::read_auth_old_password(con),
        State::SendAuthOldPassword => login::send_auth_old_password(con, entry),
        State::ReadQuery => command::read_query(con, entry),
        State::SendQuery => command::send_query(con, entry),
        State::ReadQueryResult => command::read_query_result(con, entry),
        State::SendQueryResult => command::send_query_result(con, entry),
        State::SendError => command::send_error(con, entry),
        State::ReadLocalInfileData => infile::read_data(con),
        State::SendLocalInfileData => infile::send_data(con, entry),
        State::ReadLocalInfileResult => infile::read_result(con, entry),
        State::SendLocalInfileResult => infile::send_result(con, entry),
        State::CloseClient | State::CloseServer | State::Error => Flow::Next,
    }
}

/// Drives the connection until it waits or is gone.
fn run(mut con: Con, mut entry: Entry) {
    let mut retries = 0;
    loop {
        let state = con.state();
        if state.is_end() {
            return con.close();
        }
        match run_state(&mut con, state, entry.take()) {
            Flow::Wait(side, wait) => return con.wait(side, wait),
            Flow::Again if retries < MAX_RETRIES => retries += 1,
            Flow::Again => {
                check::violation(Some(state), "after its hook", "endless retries without a server")
            }
            Flow::Next => {
                retries = 0;
                if con.state() == state {
                    check::violation(
                        Some(state),
                        "after its hook",
                        "the state did not change and no event is armed: the connection is dead",
                    );
                }
            }
        }
    }
}

/// Whose descriptor fired.
fn side_of(con: &Con, fd: c_int) -> Option<Side> {
    [Side::Client, Side::Server]
        .into_iter()
        .find(|&side| con.side(side).is_some_and(|socket| socket.fd() == fd))
}

/// A readable socket has data, or its peer is gone.
fn readable(con: &mut Con, fd: c_int) {
    let side = side_of(con, fd);
    let pending = side.and_then(|side| con.side(side)).map(|socket| socket.pending());
    let gone = match side {
        Some(Side::Client) => State::CloseClient,
        Some(Side::Server) if con.com_quit_seen() => State::CloseServer,
        _ => State::Error,
    };
    match pending {
        None => check::violation(
            Some(con.state()),
            "on a readable event",
            &format!("descriptor {fd} is neither the client's nor the server's"),
        ),
        Some(Ok(0)) => con.set_state(gone),
        Some(Ok(count)) => {
            if let Some(mut socket) = side.and_then(|side| con.side(side)) {
                socket.set_to_read(count);
            }
        }
        Some(Err(error)) => {
            if !matches!(error.raw_os_error(), Some(libc::ECONNRESET | libc::EPIPE)) {
                log::critical(&format!("ioctl({fd}, FIONREAD, ...) failed: {error}"));
            }
            let reset =
                matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
            con.set_state(if reset { gone } else { State::Error });
        }
    }
}

export! {
    /// libevent callback of a connection that waited.
    fn network_mysqld_con_handle(fd: c_int, events: c_short, con: *mut c_void) {
        // SAFETY: INV-1: the fired event carries the right to drive its connection.
        let mut con = unsafe { Con::from_raw(con.cast()) };
        match events {
            EV_READ => readable(&mut con, fd),
            EV_TIMEOUT => hook::timeout(&mut con),
            _ => {}
        }
        let entry = (events != 0).then_some(fd);
        run(con, entry);
    }

    /// libevent callback of a listener: accepts one client and starts to drive it.
    fn network_mysqld_con_accept(_fd: c_int, events: c_short, listener: *mut c_void)
    as fn_network_mysqld_con_accept {
        let listener: *mut network_mysqld_con = listener.cast();
        assert!(events == EV_READ, "a listener is armed with EV_READ|EV_PERSIST and no timeout");
        // SAFETY: a live listener of the list (ABI); the new connection is known to this thread only.
        unsafe {
            assert!(!(*listener).server.is_null(), "a listener has a server socket");
            let client = network_socket_accept((*listener).server);
            if client.is_null() {
                return;
            }
            let con = network_mysqld_con_new();
            (*con).client = client;
            (*con).plugins = (*listener).plugins;
            (*con).config = (*listener).config;
            network_mysqld_add_connection((*listener).srv, con);
            run(Con::from_raw(con), None);
        }
    }
}
