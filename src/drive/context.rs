//! What every callback can reach: the settings, the backends, the scripts.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::{Settings, Shared};
use script::Scripts;

use crate::chassis::Backends;

/// How long the host waits; `None` keeps its own default.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeLimits {
    /// For a connect (2 s).
    pub connect: Option<Duration>,
    /// For data (8 h).
    pub read: Option<Duration>,
    /// For a write (8 h).
    pub write: Option<Duration>,
}

/// The running plugin.
#[derive(Debug)]
pub struct Context {
    /// Backends, pool and counters.
    pub shared: Arc<Shared>,
    /// The host's list behind the backends.
    pub backends: Backends,
    /// The script, if one is configured.
    pub scripts: Option<Box<dyn Scripts>>,
    /// The options that the rules depend on.
    pub settings: Settings,
    /// How long the host waits.
    pub time_limits: TimeLimits,
    /// The plugin was told to end: callbacks that still come close their connection.
    pub closing: AtomicBool,
}

static CONTEXT: OnceLock<Context> = OnceLock::new();

/// Makes the context known to the callbacks; `Err` gives it back if there is one already.
pub fn install(context: Context) -> Result<&'static Context, Box<Context>> {
    CONTEXT.set(context).map_err(Box::new)?;
    Ok(CONTEXT.get().expect("just set"))
}

/// The context; `None` before the plugin started.
#[inline]
pub fn context() -> Option<&'static Context> {
    CONTEXT.get()
}
