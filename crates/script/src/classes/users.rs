//! `pool.users`: queues of idle connections by user name.

use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use super::idle::with_pool;
use super::queue::Queue;
use crate::text;
use engine::Shared;

/// A mapping from user name to the queue of that user's idle connections.
///
/// `users[""]` means any user. A user without idle connections has an empty queue, and is not `in` the mapping.
#[pyclass(frozen, mapping, module = "pyproxy")]
#[derive(Debug)]
pub struct Users {
    shared: Arc<Shared>,
    ndx: usize,
}

impl Users {
    /// Of the pool of backend `ndx`.
    pub fn new(shared: Arc<Shared>, ndx: usize) -> Self {
        Self { shared, ndx }
    }

    fn names(&self) -> PyResult<Vec<Vec<u8>>> {
        with_pool(&self.shared, self.ndx, |pool| pool.users(Instant::now()))
    }
}

#[pymethods]
impl Users {
    fn __getitem__(&self, name: &Bound<'_, PyAny>) -> PyResult<Queue> {
        Ok(Queue::new(Arc::clone(&self.shared), self.ndx, text::to_bytes(name, "a user name")?))
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        let name = text::to_bytes(name, "a user name")?;
        Ok(Queue::new(Arc::clone(&self.shared), self.ndx, name).count()? > 0)
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.names()?.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.keys(py)?.try_iter()
    }

    /// The user names, sorted.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let names = self.names()?;
        let list = PyList::empty(py);
        for name in names {
            list.append(text::to_str(py, &name)?)?;
        }
        Ok(list)
    }

    /// The queues, in the order of the names.
    fn values(&self) -> PyResult<Vec<Queue>> {
        let names = self.names()?;
        Ok(names
            .into_iter()
            .map(|name| Queue::new(Arc::clone(&self.shared), self.ndx, name))
            .collect())
    }

    /// Pairs of name and queue.
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyAny>, Queue)>> {
        let names = self.names()?;
        let pair = |name: Vec<u8>| {
            Ok((text::to_str(py, &name)?, Queue::new(Arc::clone(&self.shared), self.ndx, name)))
        };
        names.into_iter().map(pair).collect()
    }

    fn __repr__(&self) -> String {
        let names = self.names().unwrap_or_default();
        let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
        format!("<pyproxy.Users {names:?}>")
    }
}
