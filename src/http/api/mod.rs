//! `/api/v1/...`: what the proxy knows, as JSON. `docs/http-api.md` has all of it.
//!
//! Names are public. Texts of others (users, databases, queries) are values of JSON and nothing else; bytes that are no UTF-8 become
//! U+FFFD.

mod backends;
pub mod changes;
mod connections;
mod hooks;
mod queries;
mod status;

use serde_json::{Value, json};

pub use self::queries::digest;

use super::history::History;
use crate::drive::Context;

/// What all paths begin with.
pub const ROOT: &str = "/api/v1/";

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such path.
    NoPath,
    /// What stands behind the `?` cannot be used.
    Parameter(&'static str),
}

/// What is at `path`, which is the part behind [`ROOT`].
pub fn get(ctx: &Context, history: &History, path: &str, query: &str) -> Result<Value, Refusal> {
    match path {
        "status" => Ok(status::status(ctx)),
        "backends" => Ok(json!({ "backends": backends::all(ctx) })),
        "connections" => connections::list(ctx, query),
        "queries" => queries::list(ctx, query),
        "hooks" => Ok(hooks::hooks(ctx)),
        "history" => Ok(history.after(after(query)?)),
        _ => Err(Refusal::NoPath),
    }
}

/// The time in `after=...`; without it that of the first sample.
fn after(query: &str) -> Result<f64, Refusal> {
    if query.is_empty() {
        return Ok(0.0);
    }
    let time = query.strip_prefix("after=").and_then(|time| time.parse().ok());
    time.ok_or(Refusal::Parameter("expected after=SECONDS"))
}

/// Nanoseconds as seconds.
fn seconds(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}

/// Bytes of others as text.
fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}
