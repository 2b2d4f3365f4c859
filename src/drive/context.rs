//! What every callback can reach: the settings, the backends, the scripts.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::{Settings, Shared};
use script::Scripts;
use transport::proxy_protocol::Version;

use super::Tls;
use super::lane::{Counts, Limits, Networks};
use crate::chassis::Backends;
use crate::chassis::host_log::LogLevel;

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimit {
    /// What the user wants; `None`: nothing was said.
    pub given: Option<Duration>,
    /// What holds then; the host does it by itself.
    pub default: Duration,
}

impl TimeLimit {
    /// What holds.
    pub fn value(&self) -> Duration {
        self.given.unwrap_or(self.default)
    }
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// For a connect.
    pub connect: TimeLimit,
    /// For data.
    pub read: TimeLimit,
    /// For a write.
    pub write: TimeLimit,
    /// For a login, from accept to its end.
    pub login: TimeLimit,
    /// For a server's answer, if it is not [`TimeLimits::read`].
    pub query: Option<Duration>,
    /// For a client's next command, if it is not [`TimeLimits::read`].
    pub idle: Option<Duration>,
}

impl TimeLimits {
    /// For a server's answer.
    pub fn query(&self) -> Duration {
        self.query.unwrap_or(self.read.value())
    }

    /// For a client's next command.
    pub fn idle(&self) -> Duration {
        self.idle.unwrap_or(self.read.value())
    }
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
    /// Certificates and keys.
    pub tls: Tls,
    /// How long to wait.
    pub time_limits: TimeLimits,
    /// How many clients there may be.
    pub limits: Arc<Limits>,
    /// Clients are served by threads of our own.
    pub has_own_loop: bool,
    /// What these threads count of themselves.
    pub counts: Counts,
    /// Clients of these networks begin with a PROXY header.
    pub proxies: Networks,
    /// Servers get such a header of this version, about the client.
    pub names_clients: Option<Version>,
    /// What the host's log drops.
    pub log_level: Option<LogLevel>,
    /// The texts of queries are shown over HTTP.
    pub shows_queries: bool,
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
