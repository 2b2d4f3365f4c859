//! `con_cleanup`: the connection ends, for whatever reason and in whatever state; also every listener at the end.

use super::connection::Connection;
use super::context::Context;
use crate::boundary::panic_on_purpose;
use crate::chassis::Con;

/// Tells the script, then lets go of everything.
pub fn cleanup(con: Con<'_>, ctx: &'static Context) {
    // SAFETY: init stored a Connection, and no Step exists in this callback.
    if let Some(conn) = unsafe { con.plugin_state::<Connection>() } {
        // The server's socket is ours to close, whatever the script does (INV-4).
        con.set_server(None);
        panic_on_purpose("disconnect_client");
        if let Some(script) = conn.script.as_mut() {
            script.disconnect_client(con.call());
        }
    }
    let_go(con, ctx);
}

/// Lets go of the server connection and of the state, unless that was done already. Asks no script, so this is also what
/// is left to do after a panic in [`cleanup`].
pub fn let_go(con: Con<'_>, ctx: &'static Context) {
    // SAFETY: as above; the reference in `cleanup` is not used any more.
    let Some(conn) = (unsafe { con.take_plugin_state::<Connection>() }) else { return };
    con.set_server(None);
    if let Some(mut session) = conn.session.take(con.call()) {
        session.close_server(con.call(), ctx.shared);
    }
}
