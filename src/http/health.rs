//! Whether the proxy is alive, and whether it is ready for clients.

use engine::{BackendKind, BackendState};
use hyper::StatusCode;

use super::probe::Probe;
use crate::chassis::signals;
use crate::drive::Context;

/// What `/health/live` says: whoever can ask is answered.
pub const ALIVE: &str = "alive\n";

/// What `/health/ready` says, with the reasons.
pub async fn ready(ctx: &Context, listens: bool, probe: &Probe) -> (StatusCode, String) {
    let listens = listens && !signals::is_asked_to_end();
    let has_backend = has_backend(ctx, probe).await;
    let is_ready = listens && has_backend;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |good| if good { "yes" } else { "no" };
    let script = if ctx.scripts.is_some() { "loaded" } else { "none" };
    let text = format!(
        "ready: {}\nlistening: {}\nscript: {script}\nread-write backend up: {}\n",
        word(is_ready),
        word(listens),
        word(has_backend),
    );
    (status, text)
}

/// Whether a read-write backend is UP. As only connects tell, those are tried of which nothing is known.
async fn has_backend(ctx: &Context, probe: &Probe) -> bool {
    let in_state = |state| {
        let is_meant = move |ndx: &usize| {
            ctx.backends.get(*ndx).is_some_and(|backend| {
                backend.kind() == BackendKind::ReadWrite && backend.state() == state
            })
        };
        (0..ctx.backends.len()).find(is_meant)
    };
    if ctx.backends.are_checked() {
        return in_state(BackendState::Up).is_some();
    }
    ctx.backends.recheck();
    let _turn = if in_state(BackendState::Up).is_none() { Some(probe.turn().await) } else { None };
    loop {
        if in_state(BackendState::Up).is_some() {
            return true;
        }
        let Some(ndx) = in_state(BackendState::Unknown) else { return false };
        probe.try_backend(ctx, ndx).await;
    }
}
