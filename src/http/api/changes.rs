//! What can be changed: by POST, with the token. Each change has a line in the log, with who asked for it.

use engine::{AddBackendError, BackendKind, BackendState};
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
    /// There is one more backend.
    AddBackend,
    /// The backend with this index is removed.
    RemoveBackend(usize),
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
            ["backends", "add"] => Some(Self::AddBackend),
            ["backends", ndx, "state"] => ndx.parse().ok().map(Self::State),
            ["backends", ndx, "remove"] => ndx.parse().ok().map(Self::RemoveBackend),
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
            Self::AddBackend => add_backend(ctx, body, peer),
            Self::RemoveBackend(ndx) => remove_backend(ctx, ndx, peer),
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
    let name = backend_name(ctx, ndx)?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let wanted = body.get("state").and_then(Value::as_str).unwrap_or_default();
    let state = BackendState::SETTABLE.into_iter().find(|state| state.name() == wanted);
    let wrong = "expected {\"state\": \"up\"}, \"down\", \"unknown\", \"drain\" or \"maint\"";
    let state = state.ok_or((StatusCode::BAD_REQUEST, wrong))?;
    ctx.shared.set_backend_state(ndx, state);
    log::info!("backend {name}: marked {}, as {peer} asked over HTTP", wanted.to_uppercase());
    Ok(json!({ "backend": name, "state": wanted }))
}

fn backend_name(ctx: &Context, ndx: usize) -> Result<String, (StatusCode, &'static str)> {
    let backend = ctx.backends.get(ndx).filter(|_| ctx.shared.has_backend(ndx));
    let missing = (StatusCode::NOT_FOUND, "there is no such backend");
    Ok(backend.ok_or(missing)?.address().name)
}

fn add_backend(ctx: &Context, body: &[u8], peer: &str) -> Outcome {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = match body.get("kind").map_or(Some("rw"), Value::as_str) {
        Some("rw") => Some(BackendKind::ReadWrite),
        Some("ro") => Some(BackendKind::ReadOnly),
        _ => None,
    };
    let wrong = "expected {\"address\": \"host:port\", \"kind\": \"rw\"}, or \"ro\"";
    let address = body.get("address").and_then(Value::as_str);
    let (address, kind) = address.zip(kind).ok_or((StatusCode::BAD_REQUEST, wrong))?;
    let ndx = ctx.shared.backends.add(address, kind).map_err(|e| {
        log::info!("backend {address:?} is not added, as {peer} asked over HTTP: {e}");
        match e {
            AddBackendError::Address(_) => {
                (StatusCode::BAD_REQUEST, "the address cannot be used, see the proxy log")
            }
            AddBackendError::Listed(_) => (StatusCode::CONFLICT, "it is a backend already"),
        }
    })?;
    let name = backend_name(ctx, ndx)?;
    log::info!("backend {name}: added, as {peer} asked over HTTP");
    Ok(json!({ "backend": name, "index": ndx }))
}

fn remove_backend(ctx: &Context, ndx: usize, peer: &str) -> Outcome {
    let name = backend_name(ctx, ndx)?;
    ctx.shared.remove_backend(ndx);
    log::info!("backend {name}: removed, as {peer} asked over HTTP");
    Ok(json!({ "backend": name, "index": ndx }))
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
        assert_eq!(Change::at("backends/1/remove"), Some(Change::RemoveBackend(1)));
        assert_eq!(Change::at("backends/add"), Some(Change::AddBackend));
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
