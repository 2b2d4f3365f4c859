//! `proxy.globals.backends`.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use super::backend::Backend;
use super::{access, sequence};
use crate::constants;
use engine::{AddBackendError, BackendKind, Shared};

/// The backends: a sequence, read-write ones first, each kind in the order of the options.
#[pyclass(frozen, sequence, module = "pyproxy")]
#[derive(Debug)]
pub struct Backends(Arc<Shared>);

impl Backends {
    /// The backends of the process.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

#[pymethods]
impl Backends {
    fn __len__(&self) -> PyResult<usize> {
        access::of_all(&self.0, || Ok(self.0.backends.len()))
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        sequence::get(index, self.__len__()?, |ndx| Ok(Backend::new(Arc::clone(&self.0), ndx)))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let all: Vec<_> =
            (0..self.__len__()?).map(|ndx| Backend::new(Arc::clone(&self.0), ndx)).collect();
        all.into_pyobject(py)?.try_iter()
    }

    /// Adds a backend and gives it: with its earlier index, if it was removed. A host name is looked up, which blocks the proxy
    /// meanwhile.
    #[pyo3(signature = (address, r#type = 1))]
    fn add(&self, address: &str, r#type: i64) -> PyResult<Backend> {
        let kind = match r#type {
            constants::BACKEND_TYPE_RW => BackendKind::ReadWrite,
            constants::BACKEND_TYPE_RO => BackendKind::ReadOnly,
            _ => {
                return Err(PyValueError::new_err("type must be proxy.BACKEND_TYPE_RW or _RO"));
            }
        };
        access::of_all(&self.0, || {
            let added = self.0.backends.add(address, kind).map_err(|error| match error {
                AddBackendError::Address(why) => {
                    PyValueError::new_err(format!("{address:?}: {why}"))
                }
                listed @ AddBackendError::Listed(_) => PyValueError::new_err(listed.to_string()),
            })?;
            let name = self.0.backends.address(added).unwrap_or_default().name;
            log::info!("backend {name}: added, by the script");
            Ok(Backend::new(Arc::clone(&self.0), added))
        })
    }

    /// Removes a backend. Its index stays, with the state `BACKEND_STATE_REMOVED`, and clients leave it as one that is drained.
    fn remove(&self, backend: &Bound<'_, Backend>) -> PyResult<()> {
        access::of_all(&self.0, || {
            let ndx = backend.get().index_in(&self.0);
            let Some(ndx) = ndx.filter(|ndx| self.0.remove_backend(*ndx)) else {
                return Err(PyValueError::new_err("the backend was removed"));
            };
            let name = self.0.backends.address(ndx).unwrap_or_default().name;
            log::info!("backend {name}: removed, by the script");
            Ok(())
        })
    }

    fn __repr__(&self) -> String {
        match self.__len__() {
            Ok(len) => format!("<pyproxy.Backends, {len} of them>"),
            Err(_) => "<pyproxy.Backends>".to_owned(),
        }
    }
}
