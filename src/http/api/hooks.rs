//! `/api/v1/hooks`: the hooks of the script, and what they take.

use engine::Hook;
use serde_json::{Value, json};

use super::seconds;
use crate::drive::Context;

/// All of them, in the order of a connection's life.
pub fn hooks(ctx: &Context) -> Value {
    let stats = &ctx.shared.stats;
    let of = |hook: Hook| {
        let own = stats.hook(hook);
        json!({
            "hook": hook.name(),
            "calls": own.calls.get(),
            "errors": own.errors.get(),
            "run_seconds": seconds(own.time.nanos()),
            "wait_seconds": seconds(own.waiting.nanos()),
        })
    };
    json!({
        "hooks": Hook::ALL.map(of),
        "python_wait_seconds": seconds(stats.python_wait.nanos()),
    })
}
