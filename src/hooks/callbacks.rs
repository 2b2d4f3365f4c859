//! The functions the host calls, one per slot of `network_mysqld_hooks`, and what a panic in one amounts to.

use chassis_sys as sys;

use super::connection::Connection;
use super::{Context, Step, context};
use crate::boundary::{HostCall, host_call, panic_on_purpose};
use crate::chassis::{Con, ConState, Verdict};
use crate::session::Reply;

/// Runs `handler` for `con`; the callback `name` is known to panic handling and to the test that panics on purpose.
///
/// # Safety
/// Called by the host for a connection of this plugin, with the host's mutex held (INV-1, INV-2).
unsafe fn run(
    name: &'static str,
    con: *mut sys::network_mysqld_con,
    handler: fn(&mut Step<'_>) -> Verdict,
) -> sys::network_socket_retval_t::Type {
    // SAFETY: the caller's promise.
    let verdict = unsafe {
        host_call(
            |call| {
                panic_on_purpose(name);
                let Some(con) = Con::from_raw(con, call) else { return Verdict::Error };
                match step(con, call) {
                    Some(mut step) => handler(&mut step),
                    None => Verdict::Error,
                }
            },
            |call| Con::from_raw(con, call).map_or(Verdict::Error, |con| after_panic(name, con)),
        )
    };
    verdict as sys::network_socket_retval_t::Type
}

/// What handlers work with; `None` for a connection that init never saw, or when the plugin is ending.
fn step<'h>(con: Con<'h>, call: &'h HostCall) -> Option<Step<'h>> {
    let ctx = context()?;
    if ctx.closing.load(std::sync::atomic::Ordering::Relaxed) {
        return None;
    }
    let client = con.client()?;
    // SAFETY: init stored a Connection, and this is the only reference made of it in this callback.
    let conn = unsafe { con.plugin_state::<Connection>() }?;
    Some(Step { ctx, call, con, conn, client })
}

/// The connection on whose behalf we panicked gets an ERR, if it is in a place where one fits, and is closed.
fn after_panic(name: &str, con: Con<'_>) -> Verdict {
    // The panic may have come between a change of the session's server and telling the host of it (INV-4).
    con.set_server(None);
    let Some(client) = con.client() else { return Verdict::Error };
    // After something was written the client has its answer, and expects no other packet.
    let expects_answer = !name.starts_with("con_send_");
    if expects_answer && client.send_queue_is_empty() {
        for payload in Reply::proxy_error("internal error, see the proxy log").packets() {
            client.append_payload(payload);
        }
    }
    if name != "con_connect_server" {
        con.set_state(ConState::SendError);
        return Verdict::Success;
    }
    Verdict::Error
}

macro_rules! callbacks {
    ($($slot:ident: $handler:path,)*) => {
        $(unsafe extern "C" fn $slot(
            _chas: *mut sys::chassis,
            con: *mut sys::network_mysqld_con,
        ) -> sys::network_socket_retval_t::Type {
            // SAFETY: the host keeps this promise for every slot of the table.
            unsafe { run(stringify!($slot), con, $handler) }
        })*

        /// Slots that are driven by a [`Step`]; the rest stay at the host's default.
        const STEPS: sys::network_mysqld_hooks = sys::network_mysqld_hooks {
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
    con_connect_server: super::connect_server::connect_server,
    con_read_handshake: super::read_handshake::read_handshake,
    con_read_auth: super::read_auth::read_auth,
    con_read_auth_result: super::read_auth_result::read_auth_result,
    con_send_auth_result: super::login_rounds::send_auth_result,
    con_read_auth_old_password: super::login_rounds::read_auth_old_password,
    con_read_query: super::read_query::read_query,
    con_read_query_result: super::read_query_result::read_query_result,
    con_send_query_result: super::send_query_result::send_query_result,
    con_read_local_infile_data: super::local_infile::read_local_infile_data,
    con_read_local_infile_result: super::local_infile::read_local_infile_result,
    con_send_local_infile_result: super::send_query_result::send_query_result,
    con_timeout: super::timeout::timeout,
}

unsafe extern "C" fn con_init(
    _chas: *mut sys::chassis,
    con: *mut sys::network_mysqld_con,
) -> sys::network_socket_retval_t::Type {
    // SAFETY: INV-1, INV-2: the host calls this with its mutex held, for a connection it just accepted.
    let verdict = unsafe {
        host_call(
            |call| {
                panic_on_purpose("con_init");
                match (Con::from_raw(con, call), context()) {
                    (Some(con), Some(ctx)) => super::init::init(con, ctx),
                    _ => Verdict::Error,
                }
            },
            |_| Verdict::Error,
        )
    };
    verdict as sys::network_socket_retval_t::Type
}

unsafe extern "C" fn con_cleanup(
    _chas: *mut sys::chassis,
    con: *mut sys::network_mysqld_con,
) -> sys::network_socket_retval_t::Type {
    // SAFETY: INV-1, INV-2; called for listeners too, which have neither client nor state.
    let verdict = unsafe {
        host_call(
            |call| {
                panic_on_purpose("con_cleanup");
                ending(con, call, super::cleanup::cleanup)
            },
            // What the connection holds is let go of in any case: the host frees it next.
            |call| ending(con, call, super::cleanup::let_go),
        )
    };
    verdict as sys::network_socket_retval_t::Type
}

/// # Safety
/// As for [`run`].
unsafe fn ending(
    con: *mut sys::network_mysqld_con,
    call: &HostCall,
    end: fn(Con<'_>, &'static Context),
) -> Verdict {
    // SAFETY: the caller's promise.
    if let (Some(con), Some(ctx)) = (unsafe { Con::from_raw(con, call) }, context()) {
        end(con, ctx);
    }
    Verdict::Success
}

/// The hook table of every connection and listener of this plugin.
pub fn table() -> sys::network_mysqld_hooks {
    STEPS
}
