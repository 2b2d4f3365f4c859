//! `proxy.globals`: what all connections share.

use std::sync::Arc;

use pyo3::prelude::*;

use super::access;
use super::backends::Backends;
use super::config::Config;
use super::query_stats::QueryStats;
use engine::Shared;

/// What all connections share: the backends, the configuration, and whatever a script sets.
#[pyclass(frozen, dict, weakref, module = "pyproxy")]
#[derive(Debug)]
pub struct Globals {
    backends: Py<Backends>,
    config: Py<Config>,
    shared: Arc<Shared>,
}

impl Globals {
    /// The one object of the process.
    pub fn new(py: Python<'_>, shared: Arc<Shared>, config: Py<Config>) -> PyResult<Self> {
        let backends = Py::new(py, Backends::new(Arc::clone(&shared)))?;
        Ok(Self { backends, config, shared })
    }
}

#[pymethods]
impl Globals {
    /// The backends.
    #[getter]
    fn backends(&self, py: Python<'_>) -> Py<Backends> {
        self.backends.clone_ref(py)
    }

    /// The effective options.
    #[getter]
    fn config(&self, py: Python<'_>) -> Py<Config> {
        self.config.clone_ref(py)
    }

    /// What statements take, and which take the most; None without the option `pyproxy-query-stats`.
    #[getter]
    fn query_stats(&self) -> Option<QueryStats> {
        QueryStats::new(Arc::clone(&self.shared))
    }

    /// Whether servers report what changes in their sessions (`resultset.session_changes`), and a connection out of the pool is
    /// made its client's own before it runs anything: reset, if others had it, and given what is in `connection.client_session`.
    ///
    /// From the next server connection on, for all connections, until the process ends. Off unless a script turns it on, in
    /// `init`.
    #[getter]
    fn track_sessions(&self) -> PyResult<bool> {
        access::of_all(&self.shared, || Ok(self.shared.tracks_sessions()))
    }

    #[setter]
    fn set_track_sessions(&self, on: bool) -> PyResult<()> {
        access::of_all(&self.shared, || {
            self.shared.track_sessions(on);
            Ok(())
        })
    }

    fn __repr__(&self) -> &'static str {
        "<pyproxy.Globals>"
    }
}
