//! `con_cleanup`: the connection ends, for whatever reason and in whatever state; also every listener at the end.

use super::connection::Connection;
use super::context::Context;
use crate::chassis::Con;

/// Tells the script, lets go of the server connection and of the state.
pub fn cleanup(con: Con<'_>, ctx: &'static Context) {
    let call = con.call();
    // SAFETY: init stored a Connection, and no Step exists in this callback.
    let Some(mut conn) = (unsafe { con.take_plugin_state::<Connection>() }) else { return };
    if let Some(script) = conn.script.as_mut() {
        // The pool hands out only what is clean; a connection parked here must not look busy because of a half-read
        // answer, nor clean in spite of one: `Server::busy` decides.
        script.disconnect_client(call);
    }
    con.set_server(None);
    if let Some(mut session) = conn.session.take(call) {
        session.close_server(call, ctx.shared);
    }
}
