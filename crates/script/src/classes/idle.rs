//! The idle connections of a backend, for the objects that show them.

use pyo3::prelude::*;

use super::access;
use engine::{BackendPool, Shared};

/// Runs `f` on the pool of backend `ndx`, if there is such a backend.
pub fn with_pool<R>(
    shared: &Shared,
    ndx: usize,
    f: impl FnOnce(&mut BackendPool) -> R,
) -> PyResult<R> {
    access::of_all(shared, || {
        if ndx >= shared.backends.len() {
            return Err(access::gone("the backend"));
        }
        Ok(f(shared.pool().of(ndx)))
    })
}
