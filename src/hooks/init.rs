//! `con_init`: a client was accepted.

use std::sync::atomic::Ordering;

use super::connection::Connection;
use super::context::Context;
use crate::chassis::{Con, ConState, Verdict};
use crate::embed::Binding;
use crate::session::{Client, Session, Slot};

/// Makes the per-connection state and goes on to choosing a backend.
pub fn init(con: Con<'_>, ctx: &'static Context) -> Verdict {
    if ctx.closing.load(Ordering::Relaxed) {
        return Verdict::Error;
    }
    let Some(client) = con.client() else { return Verdict::Error };
    let (src, dst) = client.addresses();
    let id = ctx.shared.stats.connections.increment();
    let session = Slot::new(Session::new(id, Client { src, dst, ..Client::default() }));
    let script = ctx
        .scripts
        .as_ref()
        .map(|scripts| Binding::new(scripts.current(con.call()), session.clone(), ctx.shared));
    con.set_plugin_state(Box::new(Connection::new(session, script)));
    let settings = &ctx.settings;
    con.set_timeouts(settings.connect_timeout, settings.read_timeout, settings.write_timeout);
    con.set_state(ConState::ConnectServer);
    Verdict::Success
}
