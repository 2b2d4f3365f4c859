//! The script, and its hooks.

use std::time::UNIX_EPOCH;

use engine::{Hook, HookStats};
use metrics::{Exposition, Kind};

use crate::drive::Context;

pub fn collect(ctx: &Context, out: &mut Exposition) {
    let stats = &ctx.shared.stats;
    let mut count = |name, help, count: &dyn Fn(&HookStats) -> u64| {
        let mut samples = out.family(Kind::Counter, name, help);
        for hook in Hook::ALL {
            samples.number(&[("hook", hook.name())], count(stats.hook(hook)));
        }
    };
    count("pyproxy_hook_calls", "Calls of the script's hooks.", &|hook| hook.calls.get());
    count("pyproxy_hook_errors", "Calls that were script errors.", &|hook| hook.errors.get());
    let mut time = |name, help, nanos: &dyn Fn(&HookStats) -> u64| {
        let mut samples = out.family(Kind::Counter, name, help);
        for hook in Hook::ALL {
            samples.time(&[("hook", hook.name())], nanos(stats.hook(hook)));
        }
    };
    time("pyproxy_hook_run_seconds", "Time in which hooks ran.", &|hook| hook.time.nanos());
    time("pyproxy_hook_wait_seconds", "Time in which hooks awaited something.", &|hook| {
        hook.waiting.nanos()
    });
    let help = "Time that hooks waited for Python before they ran.";
    out.family(Kind::Counter, "pyproxy_python_wait_seconds", help)
        .time(&[], stats.python_wait.nanos());
    let help = "Memory of results that are kept for the script.";
    let kept = u64::try_from(wire::result::kept_memory()).unwrap_or(u64::MAX);
    out.family(Kind::Gauge, "pyproxy_kept_bytes", help).number(&[], kept);
    script(ctx, out);
}

fn script(ctx: &Context, out: &mut Exposition) {
    let Some(scripts) = &ctx.scripts else { return };
    let versions = scripts.versions();
    let help = "The version of the script that new clients get: 1 at the start, one more with each reload.";
    out.family(Kind::Gauge, "pyproxy_script_version", help).number(&[], versions.current);
    let at = versions.loaded_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let help = "When that version was loaded, as Unix time.";
    out.family(Kind::Gauge, "pyproxy_script_loaded_time_seconds", help)
        .time(&[], u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
    let help = "Reloads of the script, by their result.";
    out.family(Kind::Counter, "pyproxy_script_reloads", help)
        .number(&[("result", "loaded")], versions.current.saturating_sub(1))
        .number(&[("result", "failed")], versions.failed);
}
