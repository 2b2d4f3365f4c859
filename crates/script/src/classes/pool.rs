//! `backend.pool`: the idle server connections of a backend.

use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;

use super::idle::with_pool;
use super::users::Users;
use engine::{BackendPool, Shared};

/// The idle server connections of a backend.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    ndx: usize,
}

impl Pool {
    /// The pool of backend `ndx`.
    pub fn new(shared: Arc<Shared>, ndx: usize) -> Self {
        Self { shared, ndx }
    }

    fn with<R>(&self, f: impl FnOnce(&mut BackendPool) -> R) -> PyResult<R> {
        with_pool(&self.shared, self.ndx, f)
    }
}

#[pymethods]
impl Pool {
    /// The queues of idle connections, by user name.
    #[getter]
    fn users(&self) -> Users {
        Users::new(Arc::clone(&self.shared), self.ndx)
    }

    /// For scripts: how many idle connections to keep at least. A login that takes an idle connection leaves so many.
    #[getter]
    fn min_idle_connections(&self) -> PyResult<u32> {
        self.with(|pool| pool.min_idle_connections)
    }

    #[setter]
    fn set_min_idle_connections(&self, count: u32) -> PyResult<()> {
        self.with(|pool| pool.min_idle_connections = count)
    }

    /// For scripts: how many idle connections to keep at most.
    #[getter]
    fn max_idle_connections(&self) -> PyResult<u32> {
        self.with(|pool| pool.max_idle_connections)
    }

    #[setter]
    fn set_max_idle_connections(&self, count: u32) -> PyResult<()> {
        self.with(|pool| pool.max_idle_connections = count)
    }

    fn __repr__(&self) -> String {
        match self.with(|pool| pool.idle_count(None, Instant::now())) {
            Ok(idle) => format!("<pyproxy.Pool of backend {}, {idle} idle>", self.ndx),
            Err(_) => format!("<pyproxy.Pool of backend {}>", self.ndx),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().ndx == self.ndx)
    }

    fn __hash__(&self) -> usize {
        self.ndx
    }
}
