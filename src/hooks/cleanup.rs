//! `con_cleanup`: the connection ends, for whatever reason and in whatever state; also every listener at the end.

use super::connection::Connection;
use super::context::Context;
use crate::chassis::Con;

/// Tells the script, lets go of the server connection and of the state.
pub fn cleanup(con: Con<'_>, ctx: &'static Context) {
    let call = con.call();
    // SAFETY: init stored a Connection, and no Step exists in this callback.
    let Some(mut conn) = (unsafe { con.take_plugin_state::<Connection>() }) else { return };
    // The server's socket is ours to close, whatever happens below (INV-4).
    con.set_server(None);
    if let Some(script) = conn.script.as_mut() {
        script.disconnect_client(call);
    }
    if let Some(mut session) = conn.session.take(call) {
        session.close_server(call, ctx.shared);
    }
}
