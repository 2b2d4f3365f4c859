//! `auth`: the argument of `read_auth_result`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::access;
use engine::{Session, Slot};

/// The server's answer to the login. Usable while the connection lives.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Auth {
    session: Slot<Session>,
    packet: Py<PyBytes>,
}

impl Auth {
    /// For this packet, on this connection.
    pub fn new(py: Python<'_>, session: Slot<Session>, packet: &[u8]) -> Self {
        Self { session, packet: PyBytes::new(py, packet).unbind() }
    }
}

#[pymethods]
impl Auth {
    /// The payload. Its first byte is 0 for OK and 255 for an error, which end the login; 254 for an authentication switch,
    /// 1 for more data and 2 for a further factor, after which this hook is called again.
    #[getter]
    fn packet(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        access::alive(&self.session)?;
        Ok(self.packet.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<pyproxy.Auth packet={}>", self.packet.bind(py).repr()?.to_string_lossy()))
    }
}
