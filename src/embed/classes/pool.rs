//! `backend.pool`: the idle server connections of a backend.

use pyo3::prelude::*;

use super::{Users, access};
use crate::boundary::HostCall;
use crate::session::Shared;
use crate::session::pool::BackendPool;

/// The idle server connections of a backend.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Pool {
    shared: &'static Shared,
    ndx: usize,
}

impl Pool {
    /// The pool of backend `ndx`.
    pub fn new(shared: &'static Shared, ndx: usize) -> Self {
        Self { shared, ndx }
    }

    fn with<R>(&self, f: impl FnOnce(&mut BackendPool, &HostCall) -> R) -> PyResult<R> {
        with_pool(self.shared, self.ndx, f)
    }
}

/// Runs `f` on the pool of backend `ndx`, if there is such a backend.
pub fn with_pool<R>(
    shared: &'static Shared,
    ndx: usize,
    f: impl FnOnce(&mut BackendPool, &HostCall) -> R,
) -> PyResult<R> {
    access::in_hook(|call| {
        if ndx >= shared.backends.len() {
            return Err(access::gone("the backend"));
        }
        let mut pool = shared.pool.try_borrow_mut(call).map_err(|_| access::gone("the pool"))?;
        Ok(f(pool.of(ndx), call))
    })
}

#[pymethods]
impl Pool {
    /// The queues of idle connections, by user name.
    #[getter]
    fn users(&self) -> Users {
        Users::new(self.shared, self.ndx)
    }

    /// For scripts: how many idle connections to keep at least.
    #[getter]
    fn min_idle_connections(&self) -> PyResult<u32> {
        self.with(|pool, _| pool.min_idle_connections)
    }

    #[setter]
    fn set_min_idle_connections(&self, count: u32) -> PyResult<()> {
        self.with(|pool, _| pool.min_idle_connections = count)
    }

    /// For scripts: how many idle connections to keep at most.
    #[getter]
    fn max_idle_connections(&self) -> PyResult<u32> {
        self.with(|pool, _| pool.max_idle_connections)
    }

    #[setter]
    fn set_max_idle_connections(&self, count: u32) -> PyResult<()> {
        self.with(|pool, _| pool.max_idle_connections = count)
    }

    fn __repr__(&self) -> String {
        match self.with(|pool, call| pool.idle_count(call, None)) {
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
