//! What the connections of a proxy in memory share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use engine::{BackendKind, Clock, OnScriptError, QueryStats, Settings, Shared};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use script::{Config, EventLoop, Globals, Permission, Proxy, function, is_coroutine};

use super::backends::List;
use super::host::{Entry, Host};
use super::log;
use super::script::Script;

/// A proxy in memory: its options, backends, log and script.
#[pyclass(frozen, module = "pyproxy._native")]
#[derive(Debug)]
pub struct Process {
    /// Backends, pool and counters.
    pub shared: Arc<Shared>,
    /// The options that the rules depend on.
    pub settings: Settings,
    /// The log, and what the script asks for.
    pub host: Arc<Host>,
    globals: Py<Globals>,
    proxy: Py<Proxy>,
    script: Mutex<Option<Arc<Script>>>,
}

impl Process {
    /// The script, once it is loaded.
    pub fn script(&self) -> Option<Arc<Script>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[pymethods]
impl Process {
    /// `reject` says what happens to a query whose hook failed. `hook_timeout` is in seconds, without a limit if it is 0.
    #[new]
    #[pyo3(signature = (
        reject, profiling, pool_change_user, max_kept_bytes, hook_timeout, query_stats, /
    ))]
    fn new(
        py: Python<'_>,
        reject: bool,
        profiling: bool,
        pool_change_user: bool,
        max_kept_bytes: usize,
        hook_timeout: f64,
        query_stats: usize,
    ) -> PyResult<Self> {
        let on_script_error = if reject { OnScriptError::Reject } else { OnScriptError::Forward };
        let backends = Box::new(List::default());
        let mut shared = Shared::new(backends, pool_change_user, max_kept_bytes);
        let limit = Duration::try_from_secs_f64(hook_timeout)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        shared.hook_timeout = Some(limit).filter(|limit| !limit.is_zero());
        if query_stats > 0 {
            let clock = Clock::new(Instant::now(), SystemTime::now());
            shared.queries = Some(QueryStats::new(query_stats, clock));
            shared.notes_queries = true;
        }
        let shared = Arc::new(shared);
        let config = Config::with_options(py, &[])?.unbind();
        let globals = Py::new(py, Globals::new(py, Arc::clone(&shared), config)?)?;
        Ok(Self {
            proxy: Py::new(py, Proxy::of_process(globals.clone_ref(py)))?,
            globals,
            host: Host::new(Arc::clone(&shared)),
            shared,
            settings: Settings { on_script_error, profiling, ..Settings::default() },
            script: Mutex::default(),
        })
    }

    /// `proxy.globals`.
    #[getter]
    fn globals(&self, py: Python<'_>) -> Py<Globals> {
        self.globals.clone_ref(py)
    }

    /// The `proxy` of no connection.
    #[getter]
    fn proxy(&self, py: Python<'_>) -> Py<Proxy> {
        self.proxy.clone_ref(py)
    }

    /// Whether the script called `chassis.set_shutdown()`.
    #[getter]
    fn shutdown_requested(&self) -> bool {
        self.host.shutdown_requested()
    }

    /// How many backends there are.
    #[getter]
    fn backend_count(&self) -> usize {
        self.shared.backends.len()
    }

    /// Lists a backend.
    #[pyo3(signature = (address, is_read_only, /))]
    fn add_backend(&self, address: &str, is_read_only: bool) -> PyResult<()> {
        let kind = if is_read_only { BackendKind::ReadOnly } else { BackendKind::ReadWrite };
        let added = self.shared.backends.add(address, kind);
        added.map(drop).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Takes the functions of `module` as the script's, and calls `init(proxy)`: gives a future if that waits. `describe` gives
    /// the text of an exception.
    #[pyo3(signature = (module, describe, /))]
    fn load<'py>(
        &self,
        py: Python<'py>,
        module: &Bound<'py, PyAny>,
        describe: Py<PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let script = Script::new(module, self.globals.clone_ref(py), describe)?;
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(script));
        match function(module, "init", &["proxy"])? {
            Some(init) => run(&init.call1((self.proxy.bind(py),))?),
            None => Ok(None),
        }
    }

    /// Calls the script's `shutdown(proxy)`: gives a future if that waits.
    fn shutdown<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.script().as_ref().and_then(|script| script.shutdown.as_ref()) {
            Some(shutdown) => run(&shutdown.bind(py).call1((self.proxy.bind(py),))?),
            None => Ok(None),
        }
    }

    /// Its script runs from now on.
    fn enter(&self) {
        self.host.enter();
    }

    /// It does not run any more, as often as it was entered.
    fn leave(&self) {
        self.host.leave();
    }

    /// Adds a line to the log.
    #[pyo3(signature = (level, text, /))]
    fn write_log(&self, level: &str, text: String) -> PyResult<()> {
        let level = log::named(level)
            .ok_or_else(|| PyValueError::new_err(format!("there is no log level {level:?}")))?;
        self.host.write(level, text);
        Ok(())
    }

    /// The lines of the log that were written since the last call: level and text.
    fn take_log(&self) -> Vec<Entry> {
        self.host.take_entries()
    }
}

/// If `init` or `shutdown` is a coroutine function, has what it returned run.
fn run<'py>(returned: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    is_coroutine(returned).then(|| EventLoop::submit(returned.py(), returned)).transpose()
}

/// Lets this thread use objects of the proxy inside a `with` block.
#[pyclass(unsendable, module = "pyproxy._native", name = "Permission")]
#[derive(Debug, Default)]
pub struct Permit(Vec<Permission>);

#[pymethods]
impl Permit {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn __enter__(&mut self) {
        self.0.push(Permission::enter());
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&mut self, _exception: &Bound<'_, PyAny>) {
        self.0.pop();
    }
}
