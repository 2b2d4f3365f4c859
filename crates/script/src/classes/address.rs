//! `address`: one end of a socket.

use pyo3::prelude::*;

use super::hashing::hash_of;

/// One end of a socket: a value, safe to keep.
///
/// `str(address)` is its name.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Address(engine::Address);

impl Address {
    /// `None` for an end that is not known (yet).
    pub fn known(address: &engine::Address) -> Option<Self> {
        (!address.name.is_empty() || address.address.is_some()).then(|| Self(address.clone()))
    }
}

#[pymethods]
impl Address {
    /// `ip:port`, `[ip6]:port`, or the path of a unix socket.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The numeric IP address, or the path.
    #[getter]
    fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The port; None for a unix socket.
    #[getter]
    fn port(&self) -> Option<u16> {
        self.0.port
    }

    /// The address family: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`.
    #[getter]
    fn r#type(&self) -> u16 {
        self.0.family
    }

    fn __str__(&self) -> &str {
        &self.0.name
    }

    fn __repr__(&self) -> String {
        format!("<pyproxy.Address {}>", self.0.name)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        hash_of(&self.0.name)
    }
}
