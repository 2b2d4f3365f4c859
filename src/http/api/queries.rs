//! `/api/v1/queries`: the statements that took the most time.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use metrics::top::Entry;
use serde_json::{Value, json};

use super::changes::Outcome;
use super::{Refusal, backends, text};
use crate::drive::Context;

/// Those that are counted, or the first of them: `limit`.
pub fn list(ctx: &Context, query: &str) -> Result<Value, Refusal> {
    let limit = match query.strip_prefix("limit=") {
        Some(limit) => limit.parse().map_err(|_| Refusal::Parameter("limit is not a number"))?,
        None if query.is_empty() => usize::MAX,
        None => return Err(Refusal::Parameter("only limit can be given")),
    };
    let Some(queries) = &ctx.shared.queries else {
        return Ok(json!({ "counted": 0, "since": null, "total": null, "queries": [] }));
    };
    let report = queries.report();
    let totals = report.totals;
    let all = totals.time;
    let shown: Vec<_> =
        report.top.iter().take(limit).map(|entry| show(entry, all, ctx.shows_queries)).collect();
    Ok(json!({
        "counted": queries.most(),
        "since": report.since.as_secs(),
        "total": {
            "calls": totals.calls,
            "errors": totals.errors,
            "rows": totals.rows,
            "bytes": totals.bytes,
            "seconds": totals.time.as_secs_f64(),
            "forgotten": totals.forgotten,
        },
        "queries": shown,
    }))
}

fn show(entry: &Entry, all: Duration, shows_queries: bool) -> Value {
    let share = entry.time.as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE);
    let texts = &entry.texts;
    json!({
        "digest": digest(entry),
        "fingerprint": text(&texts.fingerprint),
        "calls": entry.calls,
        "errors": entry.errors,
        "rows": entry.rows,
        "bytes": entry.bytes,
        "seconds": entry.time.as_secs_f64(),
        "share": share,
        "min_seconds": entry.shortest().as_secs_f64(),
        "max_seconds": entry.max.as_secs_f64(),
        "times": backends::distribution(&entry.times),
        "first_seen": entry.first_at.as_secs(),
        "last_seen": entry.last_at.as_secs(),
        "example": shows_queries.then(|| text(&texts.example)),
        "example_is_cut": shows_queries.then_some(texts.is_cut),
    })
}

/// The number of a statement, as it is shown everywhere.
pub fn digest(entry: &Entry) -> String {
    format!("{:016x}", entry.digest)
}

/// Forgets all of them, as `peer` asks.
pub fn reset(ctx: &Context, peer: &str) -> Outcome {
    let none = (StatusCode::NOT_FOUND, "this needs pyproxy-query-stats");
    let queries = ctx.shared.queries.as_ref().ok_or(none)?;
    queries.reset(Instant::now());
    log::info!("query statistics begin anew, as {peer} asked over HTTP");
    Ok(json!({ "reset": true }))
}
