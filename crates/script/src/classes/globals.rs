//! `proxy.globals`: what all connections share.

use std::sync::Arc;

use pyo3::prelude::*;

use super::backends::Backends;
use super::config::Config;
use engine::Shared;

/// What all connections share: the backends, the configuration, and whatever a script sets.
#[pyclass(frozen, dict, weakref, module = "pyproxy")]
#[derive(Debug)]
pub struct Globals {
    backends: Py<Backends>,
    config: Py<Config>,
}

impl Globals {
    /// The one object of the process.
    pub fn new(py: Python<'_>, shared: Arc<Shared>, config: Py<Config>) -> PyResult<Self> {
        Ok(Self { backends: Py::new(py, Backends::new(shared))?, config })
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

    fn __repr__(&self) -> &'static str {
        "<pyproxy.Globals>"
    }
}
