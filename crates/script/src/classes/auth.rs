//! `auth`: the argument of `read_auth_result`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The server's answer to the login: a value, safe to keep.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Auth(Py<PyBytes>);

impl Auth {
    /// For this packet.
    pub fn new(py: Python<'_>, packet: &[u8]) -> Self {
        Self(PyBytes::new(py, packet).unbind())
    }
}

#[pymethods]
impl Auth {
    /// The payload; its first byte is 0 for OK, 254 for an authentication switch, 255 for an error.
    #[getter]
    fn packet(&self, py: Python<'_>) -> Py<PyBytes> {
        self.0.clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<pyproxy.Auth packet={}>", self.0.bind(py).repr()?.to_string_lossy()))
    }
}
