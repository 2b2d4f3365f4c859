//! What can be changed: by POST, with the token. Each change has a line in the log, with who asked for it.

use engine::BackendState;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::queries;
use crate::boundary::guard;
use crate::chassis::with_mutex;
use crate::drive::Context;

/// A change that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The connection with this number ends.
    Kill(u64),
    /// The backend with this index is in another state.
    State(usize),
    /// New connections get the script as it is in its file now.
    Reload,
    /// The log has messages down to another level.
    LogLevel,
    /// Statements are counted from now on.
    ResetQueries,
}

/// What became of it.
pub type Outcome = Result<Value, (StatusCode, &'static str)>;

impl Change {
    /// What a POST to `path`, which is the part behind [`ROOT`](super::ROOT), is for.
    pub fn at(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.split('/').collect();
        match parts.as_slice() {
            ["connections", id, "kill"] => id.parse().ok().map(Self::Kill),
            ["backends", ndx, "state"] => ndx.parse().ok().map(Self::State),
            ["script", "reload"] => Some(Self::Reload),
            ["log"] => Some(Self::LogLevel),
            ["queries", "reset"] => Some(Self::ResetQueries),
            _ => None,
        }
    }

    /// Makes it. `peer` is who asks, `body` what came with the request. May take long: a reload waits for Python.
    pub fn make(self, ctx: &Context, body: &[u8], peer: &str) -> Outcome {
        match self {
            Self::Kill(id) => kill(ctx, id, peer),
            Self::State(ndx) => set_state(ctx, ndx, body, peer),
            Self::Reload => reload(ctx, peer),
            Self::LogLevel => set_log_level(ctx, body, peer),
            Self::ResetQueries => queries::reset(ctx, peer),
        }
    }
}

fn kill(ctx: &Context, id: u64, peer: &str) -> Outcome {
    match ctx.shared.live.end(id) {
        None => Err((StatusCode::NOT_FOUND, "there is no such connection")),
        Some(false) => Err((StatusCode::NOT_IMPLEMENTED, "this needs pyproxy-event-loop=own")),
        Some(true) => {
            log::info!("connection {id}: is ended, as {peer} asked over HTTP");
            Ok(json!({ "killed": id }))
        }
    }
}

fn set_state(ctx: &Context, ndx: usize, body: &[u8], peer: &str) -> Outcome {
    let missing = (StatusCode::NOT_FOUND, "there is no such backend");
    let backend = ctx.backends.get(ndx).ok_or(missing)?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let wanted = body.get("state").and_then(Value::as_str).unwrap_or_default();
    let state = BackendState::ALL.into_iter().find(|state| state.name() == wanted);
    let wrong = "expected {\"state\": \"up\"}, \"down\", \"unknown\", \"drain\" or \"maint\"";
    let state = state.ok_or((StatusCode::BAD_REQUEST, wrong))?;
    ctx.shared.set_backend_state(ndx, state);
    let name = backend.address().name;
    log::info!("backend {name}: marked {}, as {peer} asked over HTTP", wanted.to_uppercase());
    Ok(json!({ "backend": name, "state": wanted }))
}

fn reload(ctx: &Context, peer: &str) -> Outcome {
    let none = (StatusCode::NOT_FOUND, "there is no script");
    let scripts = ctx.scripts.as_ref().ok_or(none)?;
    log::info!("the script is loaded again, as {peer} asked over HTTP");
    let is_loaded = guard(|| with_mutex(|_| scripts.reload(), |_| false), || false);
    if is_loaded {
        Ok(json!({ "version": scripts.versions().current }))
    } else {
        Err((
            StatusCode::CONFLICT,
            "the script does not load, see the proxy log: the old one stays",
        ))
    }
}

fn set_log_level(ctx: &Context, body: &[u8], peer: &str) -> Outcome {
    let level = ctx.log_level.ok_or((StatusCode::NOT_IMPLEMENTED, "the host has no log"))?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let wanted = body.get("level").and_then(Value::as_str).unwrap_or_default();
    let before = level.name();
    if !level.set(wanted) {
        let wrong = "expected {\"level\": \"error\"}, \"critical\", \"warning\", \"message\", \"info\" or \"debug\"";
        return Err((StatusCode::BAD_REQUEST, wrong));
    }
    // In every log that has errors of ours.
    log::error!("log-level was {before} and is {wanted}, as {peer} asked over HTTP");
    Ok(json!({ "level": wanted, "before": before }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(Change::at("connections/17/kill"), Some(Change::Kill(17)));
        assert_eq!(Change::at("backends/0/state"), Some(Change::State(0)));
        assert_eq!(Change::at("script/reload"), Some(Change::Reload));
        assert_eq!(Change::at("log"), Some(Change::LogLevel));
        assert_eq!(Change::at("queries/reset"), Some(Change::ResetQueries));
        for other in [
            "",
            "status",
            "connections/-1/kill",
            "connections/1",
            "backends//state",
            "/script/reload",
        ] {
            assert_eq!(Change::at(other), None, "{other}");
        }
    }
}
