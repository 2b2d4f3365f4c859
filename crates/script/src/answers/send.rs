//! `pyproxy.Send`.

use pyo3::prelude::*;

use crate::packet;

/// What is forwarded in place of the client's command, for `read_query` to return. The answer goes to the client, and
/// `read_query_result` is not asked about it.
///
/// `bytes` are a packet with its command byte; text that begins with a printable character is SQL, a COM_QUERY.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Send(Py<PyAny>);

impl Send {
    /// What was given: `str` or `bytes`.
    pub fn what<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.0.bind(py)
    }
}

#[pymethods]
impl Send {
    #[new]
    #[pyo3(signature = (what))]
    fn new(what: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(packet::frozen(what, "what")?.unbind()))
    }

    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("what",)
    }

    /// What is forwarded, as it was given.
    #[getter(what)]
    fn get_what(&self, py: Python<'_>) -> Py<PyAny> {
        self.0.clone_ref(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        self.0.bind(other.py()).eq(&other.get().0)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.0.bind(py).hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("pyproxy.Send({})", self.0.bind(py).repr()?.to_string_lossy()))
    }
}
