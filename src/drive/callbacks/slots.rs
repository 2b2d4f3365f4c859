//! The functions the host calls, one per slot of `network_mysqld_hooks`, and what follows from a panic in one.

use std::sync::atomic::Ordering;

use chassis_sys as sys;
use engine::{Event, Reply};

use super::connection::{self, Connection};
use super::host::Host;
use super::run::Turn;
use crate::boundary::{HostCall, host_call, panic_on_purpose};
use crate::chassis::host::is_shutdown;
use crate::chassis::{Con, ConState, Packet, Retval};
use crate::drive::{Context, context};

/// Runs `callback` for `con`; its `name` is known to panic handling and to the test that panics on purpose.
///
/// # Safety
/// Called by the host for a connection of this plugin, with the host's mutex held (INV-1, INV-2).
unsafe fn run(
    name: &'static str,
    con: *mut sys::network_mysqld_con,
    callback: impl FnOnce(&mut Turn<'_>) -> Retval,
) -> sys::network_socket_retval_t::Type {
    // SAFETY: the caller's promise.
    let retval = unsafe {
        host_call(
            |call| {
                panic_on_purpose(name);
                let Some(con) = Con::from_raw(con, call) else { return Retval::Error };
                match turn(con, call) {
                    Some(mut turn) => callback(&mut turn),
                    None => Retval::Error,
                }
            },
            |call| Con::from_raw(con, call).map_or(Retval::Error, |con| after_panic(name, con)),
        )
    };
    retval as sys::network_socket_retval_t::Type
}

/// What callbacks work with; `None` for a connection that init never saw, or when the plugin is ending.
#[inline]
fn turn<'h>(con: Con<'h>, call: &'h HostCall) -> Option<Turn<'h>> {
    let ctx = context().filter(|ctx| !ctx.closing.load(Ordering::Relaxed))?;
    let host = Host::new(call, con, con.client()?, &ctx.backends);
    // SAFETY: init stored a Connection, and this is the only reference made of it in this callback.
    let conn = unsafe { con.plugin_state::<Connection>() }?;
    Some(Turn { host, conn })
}

/// The connection on whose behalf we panicked gets an ERR, if it is in a place where one fits, and is closed.
fn after_panic(name: &str, con: Con<'_>) -> Retval {
    // The panic may have come between a change of the session's server and telling the host of it (INV-4).
    con.set_server(None);
    let Some(client) = con.client() else { return Retval::Error };
    // After something was written the client has its answer, and expects no other packet.
    let expects_answer = !name.starts_with("con_send_");
    if expects_answer && client.send_queue_is_empty() {
        let greeted = !matches!(name, "con_connect_server" | "con_read_handshake");
        let id = if greeted { client.last_packet_id().wrapping_add(1) } else { 0 };
        for payload in Reply::proxy_error("internal error, see the proxy log").packets() {
            client.append(Packet::from_payload(payload, id), id);
        }
    }
    if name != "con_connect_server" {
        con.set_state(ConState::SendError);
        return Retval::Success;
    }
    Retval::Error
}

macro_rules! callbacks {
    ($($slot:ident: $callback:ident,)*) => {
        $(unsafe extern "C" fn $slot(
            _chas: *mut sys::chassis,
            con: *mut sys::network_mysqld_con,
        ) -> sys::network_socket_retval_t::Type {
            // SAFETY: the host keeps this promise for every slot of the table.
            unsafe { run(stringify!($slot), con, |turn| turn.$callback()) }
        })*

        /// Slots that are driven by a [`Turn`]; the rest stay at the host's default.
        const TABLE: sys::network_mysqld_hooks = sys::network_mysqld_hooks {
            con_init: Some(con_init),
            con_cleanup: Some(con_cleanup),
            con_send_handshake: None,
            con_send_auth: None,
            con_timer_elapsed: None,
            con_send_local_infile_data: None,
            con_send_auth_old_password: None,
            $($slot: Some($slot),)*
        };
    };
}

callbacks! {
    con_connect_server: connect_server,
    con_read_handshake: read_server,
    con_read_auth: read_client,
    con_read_auth_result: read_server,
    con_send_auth_result: written,
    con_read_auth_old_password: read_client,
    con_read_query: read_query,
    con_read_query_result: read_answer,
    con_send_query_result: written,
    con_read_local_infile_data: read_client,
    con_read_local_infile_result: read_server,
    con_send_local_infile_result: written,
    con_timeout: timeout,
}

unsafe extern "C" fn con_init(
    _chas: *mut sys::chassis,
    con: *mut sys::network_mysqld_con,
) -> sys::network_socket_retval_t::Type {
    // SAFETY: INV-1, INV-2: the host calls this with its mutex held, for a connection it just accepted.
    let retval = unsafe {
        host_call(
            |call| {
                panic_on_purpose("con_init");
                match (Con::from_raw(con, call), context()) {
                    (Some(con), Some(ctx)) => connection::init(con, ctx),
                    _ => Retval::Error,
                }
            },
            |_| Retval::Error,
        )
    };
    retval as sys::network_socket_retval_t::Type
}

unsafe extern "C" fn con_cleanup(
    _chas: *mut sys::chassis,
    con: *mut sys::network_mysqld_con,
) -> sys::network_socket_retval_t::Type {
    // SAFETY: INV-1, INV-2; called for listeners too, which have neither client nor state.
    let retval = unsafe {
        host_call(
            |call| {
                panic_on_purpose("con_cleanup");
                ending(con, call, cleanup)
            },
            // What the connection holds is released in any case: the host frees the connection next.
            |call| ending(con, call, |con, _| let_go(con)),
        )
    };
    retval as sys::network_socket_retval_t::Type
}

/// # Safety
/// As for [`run`].
unsafe fn ending(
    con: *mut sys::network_mysqld_con,
    call: &HostCall,
    end: fn(Con<'_>, &'static Context),
) -> Retval {
    // SAFETY: the caller's promise.
    if let (Some(con), Some(ctx)) = (unsafe { Con::from_raw(con, call) }, context()) {
        end(con, ctx);
    }
    Retval::Success
}

/// Tells the script, then releases everything.
fn cleanup(con: Con<'_>, ctx: &'static Context) {
    // SAFETY: init stored a Connection, and no Turn exists in this callback.
    let conn = unsafe { con.plugin_state::<Connection>() };
    if let (Some(conn), Some(client)) = (conn, con.client()) {
        panic_on_purpose("disconnect_client");
        let mut turn = Turn { host: Host::new(con.call(), con, client, &ctx.backends), conn };
        if is_shutdown() {
            _ = turn.tell(Event::Stopped);
        } else {
            _ = turn.tell(Event::Closed);
            if !client.send_queue_is_empty() {
                // The host writes nothing more. What the client does not take now it does not get.
                _ = con.write_now(client);
            }
        }
    }
    let_go(con);
}

/// Releases the server connection and the state, unless that was done already. Does not ask the script, so this is also
/// what is left to do after a panic in [`cleanup`].
fn let_go(con: Con<'_>) {
    // SAFETY: as above; the reference in `cleanup` is not used any more.
    let state = unsafe { con.take_plugin_state::<Connection>() };
    // Without a state it is a listener, whose socket is the host's to close.
    let Some(mut conn) = state else { return };
    // The server's socket is ours to close (INV-4).
    con.set_server(None);
    conn.engine.let_go();
}

/// The table of callbacks of every connection and listener of this plugin.
pub fn table() -> sys::network_mysqld_hooks {
    TABLE
}
