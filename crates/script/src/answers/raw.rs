//! `pyproxy.Raw`.

use pyo3::prelude::*;

use super::check_iterable;
use crate::reply::{self, Context};
use crate::text;
use engine::Reply;

/// Payloads that the client gets as they are, for a hook to return: one, or an iterable of them.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Raw(Py<PyAny>);

impl Raw {
    /// Within the limit of `context`.
    pub fn encode(&self, py: Python<'_>, context: Context) -> PyResult<Reply> {
        reply::raw(self.0.bind(py), "packets", context.max_bytes)
    }
}

#[pymethods]
impl Raw {
    #[new]
    #[pyo3(signature = (packets))]
    fn new(packets: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !text::is_data(packets) {
            check_iterable(packets, "packets", "a payload or an iterable of payloads")?;
        }
        Ok(Self(packets.clone().unbind()))
    }

    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("packets",)
    }

    /// The payloads as they were given.
    #[getter]
    fn packets(&self, py: Python<'_>) -> Py<PyAny> {
        self.0.clone_ref(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        self.0.bind(other.py()).eq(&other.get().0)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("pyproxy.Raw({})", self.0.bind(py).repr()?.to_string_lossy()))
    }
}
