//! `/api/v1/status`: the whole in a few numbers.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use engine::{Side, Source};
use serde_json::{Map, Value, json};
use wire::Command;

use super::seconds;
use crate::chassis::host_log::LogLevel;
use crate::drive::Context;
use crate::http::collect::started_at;

/// All of it.
pub fn status(ctx: &Context) -> Value {
    let stats = &ctx.shared.stats;
    let closed = stats.closed_connections.get();
    let accepted = stats.connections.get();
    let script = ctx.scripts.as_ref().map(|scripts| {
        let versions = scripts.versions();
        let at = versions.loaded_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        json!({
            "version": versions.current,
            "loaded_at": at.as_secs_f64(),
            "failed_reloads": versions.failed,
        })
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "event_loop": if ctx.has_own_loop { "own" } else { "chassis" },
        "started_at": seconds(started_at()),
        "log_level": ctx.log_level.map(LogLevel::name),
        "script": script,
        "connections": { "open": accepted.saturating_sub(closed), "accepted": accepted },
        "refused": {
            "max_connections": stats.refused_connections.get()
                .saturating_sub(stats.refused_addresses.get()),
            "max_connections_per_address": stats.refused_addresses.get(),
            "max_connections_per_user": stats.refused_users.get(),
            "backend_max_connections": stats.full_backends.get(),
        },
        "commands": commands(ctx),
        "errors": errors(ctx),
        "bytes": ctx.has_own_loop.then(|| bytes(ctx)),
    })
}

/// Those that came, by kind.
fn commands(ctx: &Context) -> Value {
    let commands = &ctx.shared.stats.commands;
    let mut counts = Map::new();
    let mut known = 0;
    for command in Command::ALL {
        let count = commands.of(*command);
        known += count;
        if count > 0 {
            counts.insert(command.word(), count.into());
        }
    }
    let other = commands.all().saturating_sub(known);
    if other > 0 {
        counts.insert("other".to_owned(), other.into());
    }
    Value::Object(counts)
}

/// Those that clients got: who made them, and by number.
fn errors(ctx: &Context) -> Value {
    let mut counts = BTreeMap::<&str, Map<String, Value>>::new();
    for (source, code, count) in ctx.shared.stats.errors.all() {
        let source = match source {
            Source::Server => "server",
            Source::Proxy => "proxy",
        };
        let code = code.map_or_else(|| "other".to_owned(), |code| code.to_string());
        counts.entry(source).or_default().insert(code, count.into());
    }
    json!(counts)
}

fn bytes(ctx: &Context) -> Value {
    let of = |side| {
        let (read, written) = ctx.counts.bytes(side);
        json!({ "read": read, "written": written })
    };
    json!({ "client": of(Side::Client), "server": of(Side::Server) })
}
