//! `/api/v1/backends`: each backend, with its times and its pool.

use engine::BackendKind;
use metrics::{BOUNDS, Distribution};
use serde_json::{Value, json};

use super::seconds;
use crate::drive::Context;

/// All of them, by index.
pub fn all(ctx: &Context) -> Vec<Value> {
    (0..ctx.backends.len()).filter_map(|ndx| one(ctx, ndx)).collect()
}

fn one(ctx: &Context, ndx: usize) -> Option<Value> {
    let backend = ctx.backends.get(ndx).filter(|_| ctx.shared.is_listed(ndx))?;
    let (idle, closed) = {
        let mut pool = ctx.shared.pool();
        let of = pool.of(ndx);
        (of.len(), of.closed)
    };
    let stats = ctx.shared.stats.backends.get(ndx);
    let times = stats.map(|stats| {
        let mut answers = Distribution::default();
        stats.answers.all().for_each(|own| own.add_to(&mut answers));
        (distribution(&answers), distribution(&stats.connects.read()))
    });
    let (commands, connects) = times.unzip();
    Some(json!({
        "index": ndx,
        "address": backend.address().name,
        "kind": match backend.kind() {
            BackendKind::ReadWrite => "rw",
            BackendKind::ReadOnly => "ro",
        },
        "state": backend.state().name(),
        "clients": backend.connected_clients(),
        "connections": ctx.shared.capacity.open(ndx),
        "max_connections": ctx.shared.capacity.limit(ndx),
        "commands": commands,
        "connects": connects,
        "connect_failures": stats.map(|stats| stats.failures.get()),
        "pool": {
            "idle": idle,
            "hits": stats.map(|stats| stats.pool_hits.get()),
            "misses": stats.map(|stats| stats.pool_misses.get()),
            "closed": {
                "server": closed.by_server,
                "certificates": closed.by_certificates,
                "room": closed.for_others,
                "backend": closed.by_state,
                "state": stats.map(|stats| stats.unpoolable.get()),
            },
        },
    }))
}

/// How many there were, the sum, and how many took how long: `le` is the upper bound in seconds, and `null` for the last bucket.
pub fn distribution(times: &Distribution) -> Value {
    let bounds = BOUNDS.iter().map(|bound| Some(seconds(*bound))).chain([None]);
    let buckets: Vec<_> = bounds
        .zip(times.buckets)
        .map(|(bound, count)| json!({ "le": bound, "count": count }))
        .collect();
    json!({ "count": times.count(), "seconds": seconds(times.nanos), "buckets": buckets })
}
