//! What every callback can reach: the settings, the backends, the scripts.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::embed::Scripts;
use crate::session::Shared;

/// What happens to a query whose hook failed (`pyproxy-on-script-error`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnScriptError {
    /// The client gets an ERR.
    #[default]
    Reject,
    /// As if the hook had said nothing.
    Forward,
}

/// The options that matter while connections are served.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How long a connect may take; `None`: the host's default of 2 s.
    pub connect_timeout: Option<Duration>,
    /// How long to wait for data; `None`: the host's default of 8 h.
    pub read_timeout: Option<Duration>,
    /// How long a write may block; `None`: the host's default of 8 h.
    pub write_timeout: Option<Duration>,
    /// What to do when a hook fails.
    pub on_script_error: OnScriptError,
    /// FALSE: `read_query` and `read_query_result` are not called.
    pub profiling: bool,
}

/// The running plugin.
#[derive(Debug)]
pub struct Context {
    /// Backends, pool and counters.
    pub shared: &'static Shared,
    /// The script, if one is configured.
    pub scripts: Option<Scripts>,
    /// The options.
    pub settings: Settings,
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
