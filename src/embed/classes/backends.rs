//! `proxy.globals.backends`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use super::{Backend, access, sequence};
use crate::chassis::address;
use crate::chassis::backend::BackendType;
use crate::session::Shared;

/// The backends: a sequence, read-write ones first, each kind in the order of the options.
#[pyclass(frozen, sequence, module = "pyproxy")]
#[derive(Debug)]
pub struct Backends(&'static Shared);

impl Backends {
    /// The backends of the process.
    pub fn new(shared: &'static Shared) -> Self {
        Self(shared)
    }
}

#[pymethods]
impl Backends {
    fn __len__(&self) -> PyResult<usize> {
        access::in_hook(|_| Ok(self.0.backends.len()))
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        sequence::get(index, self.__len__()?, |ndx| Ok(Backend::new(self.0, ndx)))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let all: Vec<_> = (0..self.__len__()?).map(|ndx| Backend::new(self.0, ndx)).collect();
        all.into_pyobject(py)?.try_iter()
    }

    /// Adds a backend and gives it. A host name is looked up, which blocks the proxy meanwhile.
    #[pyo3(signature = (address, r#type = 1))]
    fn add(&self, address: &str, r#type: i64) -> PyResult<Backend> {
        let kind = match r#type {
            1 => BackendType::ReadWrite,
            2 => BackendType::ReadOnly,
            _ => {
                return Err(PyValueError::new_err("type must be proxy.BACKEND_TYPE_RW or _RO"));
            }
        };
        address::check(address)
            .map_err(|error| PyValueError::new_err(format!("{address:?}: {error}")))?;
        access::in_hook(|_| {
            if self.0.backends.add(address, kind) {
                Ok(Backend::new(self.0, self.0.backends.len().saturating_sub(1)))
            } else {
                Err(PyValueError::new_err(format!("{address:?} is a backend already")))
            }
        })
    }

    fn __repr__(&self) -> String {
        match self.__len__() {
            Ok(len) => format!("<pyproxy.Backends, {len} of them>"),
            Err(_) => "<pyproxy.Backends>".to_owned(),
        }
    }
}
