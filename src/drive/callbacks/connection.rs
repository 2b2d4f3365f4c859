//! The plugin's own state of one connection (`con->plugin_con_state`).

use std::sync::atomic::Ordering;

use engine::{Awaits, Client, Engine, Session, Slot};
use script::Asked;

use crate::chassis::{Con, ConState, Retval, fork};
use crate::drive::Context;

/// Everything kept between the callbacks of one connection.
#[derive(Debug)]
pub struct Connection {
    /// The rules.
    pub engine: Engine,
    /// The script, if there is one.
    pub script: Option<Box<dyn Asked>>,
    /// What the engine awaits once the host has written what is queued for the client.
    pub next: Awaits,
}

/// `con_init`: makes the state of a client that was accepted, and goes on to choosing a backend.
pub fn init(con: Con<'_>, ctx: &'static Context) -> Retval {
    if ctx.closing.load(Ordering::Relaxed) {
        return Retval::Error;
    }
    let Some(client) = con.client() else { return Retval::Error };
    fork::remember(client.fd());
    let (src, dst) = client.addresses();
    let id = ctx.shared.stats.connections.increment();
    let session = Slot::new(Session::new(id, Client { src, dst, ..Client::default() }));
    let scripts = ctx.scripts.as_ref();
    let script = scripts.map(|scripts| scripts.bind(session.clone(), &ctx.shared, None));
    let hooks = script.as_ref().map(|script| script.hooks()).unwrap_or_default();
    let engine = Engine::new(session, ctx.shared.clone(), ctx.settings, hooks);
    con.set_plugin_state(Box::new(Connection { engine, script, next: Awaits::Retry }));
    let limits = &ctx.time_limits;
    con.set_timeouts(limits.connect.given, limits.read.given, limits.write.given);
    con.set_state(ConState::ConnectServer);
    Retval::Success
}
