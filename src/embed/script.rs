//! One loaded version of the script.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::bootstrap::Bootstrap;
use engine::HookSet;
use script::{EventLoop, Globals, Guest, Hooks, Permission, Proxy, function, is_coroutine};

use super::{deadline, threads};

/// What all versions of the script share.
#[derive(Debug)]
pub struct Environment {
    /// Our Python code.
    pub bootstrap: Bootstrap,
    /// `proxy.globals`.
    pub globals: Py<Globals>,
    /// The `proxy` of no connection.
    pub proxy: Py<Proxy>,
    /// The driver lets hooks wait.
    pub may_wait: bool,
}

/// A loaded version of the script: its hooks, looked up once.
#[derive(Debug)]
pub struct Script {
    environment: Arc<Environment>,
    hooks: Hooks,
    shutdown: Option<Py<PyAny>>,
    ended: AtomicBool,
}

impl Script {
    /// Runs the script at `path`, then its `init(proxy)`. The error is the traceback.
    pub fn load(
        py: Python<'_>,
        environment: &Arc<Environment>,
        path: &Path,
    ) -> Result<Self, String> {
        // While it is loaded, a script may look at the backends.
        let _permission = Permission::enter();
        Self::try_load(py, environment, path)
            .map_err(|error| environment.bootstrap.describe(py, &error))
    }

    fn try_load(py: Python<'_>, environment: &Arc<Environment>, path: &Path) -> PyResult<Self> {
        environment.bootstrap.load(py, path, |module| {
            let hooks = Hooks::of(module)?;
            let shutdown = function(module, "shutdown", &["proxy"])?.map(Bound::unbind);
            let init = function(module, "init", &["proxy"])?;
            if hooks.defined() == HookSet::default() && init.is_none() && shutdown.is_none() {
                log::warn!("{}: there is no hook in this script, it does nothing", path.display());
            }
            if hooks.first_async().is_some() {
                environment.check_waiting(&hooks)?;
                EventLoop::get(py)?;
            }
            if let Some(init) = init {
                run(&init.call1((environment.proxy.bind(py),))?)?;
            }
            environment.bootstrap.check_settings(py)?;
            log::info!("{}: hooks: {}", path.display(), hooks.names());
            let environment = Arc::clone(environment);
            Ok(Self { environment, hooks, shutdown, ended: AtomicBool::new(false) })
        })
    }

    /// Calls `shutdown(proxy)`, once.
    pub(super) fn end(&self, py: Python<'_>) {
        if let Some(shutdown) = self.shutdown.as_ref().filter(|_| self.ends_now()) {
            self.environment.call_shutdown(py, shutdown);
        }
    }

    /// Whether nobody asked before.
    fn ends_now(&self) -> bool {
        !self.ended.swap(true, Ordering::Relaxed)
    }
}

impl Guest for Script {
    #[inline]
    fn attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
        threads::with_python(f)
    }

    fn attach_loop<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
        threads::with_python_to_the_end(f)
    }

    #[inline]
    fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    fn globals(&self) -> &Py<Globals> {
        &self.environment.globals
    }

    fn describe(&self, py: Python<'_>, error: &PyErr) -> String {
        self.environment.bootstrap.describe(py, error)
    }
}

/// If `init` or `shutdown` is a coroutine function, has what it returned run to its end.
fn run(returned: &Bound<'_, PyAny>) -> PyResult<()> {
    if is_coroutine(returned) {
        EventLoop::run(returned.py(), returned)?;
    }
    Ok(())
}

impl Environment {
    /// Whether hooks can wait at all.
    fn check_waiting(&self, hooks: &Hooks) -> PyResult<()> {
        match hooks.first_async().filter(|_| !self.may_wait) {
            None => Ok(()),
            Some(hook) => Err(PyTypeError::new_err(format!(
                "{} is an async def, which needs pyproxy-event-loop=own",
                hook.name()
            ))),
        }
    }

    /// What `shutdown` raises is logged.
    fn call_shutdown(&self, py: Python<'_>, shutdown: &Py<PyAny>) {
        let ended = shutdown.bind(py).call1((self.proxy.bind(py),));
        if let Err(error) = ended.and_then(|returned| run(&returned)) {
            log::error!("shutdown failed:\n{}", self.bootstrap.describe(py, &error));
        }
    }
}

impl Drop for Script {
    /// The last connection of a replaced version is gone. At the end of the process the objects are left alone.
    fn drop(&mut self) {
        let hooks = std::mem::take(&mut self.hooks);
        let shutdown = self.shutdown.take();
        if threads::is_closing() {
            return std::mem::forget((hooks, shutdown));
        }
        let release = |py: Python<'_>, shutdown: Option<Py<PyAny>>| {
            hooks.release(py);
            if let Some(shutdown) = shutdown {
                shutdown.drop_ref(py);
            }
        };
        match shutdown {
            // All of the host waits meanwhile, as it does for every hook: but not for ever.
            Some(shutdown) if self.ends_now() => {
                let environment = Arc::clone(&self.environment);
                deadline::shut_down("a replaced version of the script", move |py| {
                    environment.call_shutdown(py, &shutdown);
                    release(py, Some(shutdown));
                });
            }
            shutdown => {
                threads::with_python(|py| {
                    // Finalisers are code of the script, too.
                    let _permission = Permission::enter();
                    release(py, shutdown);
                });
            }
        }
    }
}
