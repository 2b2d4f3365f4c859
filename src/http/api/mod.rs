//! `/api/v1/...`: what the proxy knows, as JSON. `docs/http-api.md` has all of it.
//!
//! Names are public. Texts of others (users, databases, queries) are values of JSON and nothing else; bytes that are no UTF-8 become
//! U+FFFD.

mod backends;
pub mod changes;
mod connections;
mod hooks;
mod status;

use serde_json::{Value, json};

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
pub fn get(ctx: &Context, path: &str, query: &str) -> Result<Value, Refusal> {
    match path {
        "status" => Ok(status::status(ctx)),
        "backends" => Ok(json!({ "backends": backends::all(ctx) })),
        "connections" => connections::list(ctx, query),
        "hooks" => Ok(hooks::hooks(ctx)),
        _ => Err(Refusal::NoPath),
    }
}

/// Nanoseconds as seconds.
fn seconds(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}

/// Bytes of others as text.
fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}
