//! The hooks of the script.

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
}
