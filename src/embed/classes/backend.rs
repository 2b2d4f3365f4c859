//! `backend`: one of `proxy.globals.backends`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::{Address, Pool, access};
use crate::boundary::HostCall;
use crate::chassis::backend::{self, BackendState, BackendType};
use crate::embed::text;
use crate::session::Shared;

/// A MySQL server that the proxy can connect to.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Backend {
    shared: &'static Shared,
    ndx: usize,
}

impl Backend {
    /// The backend at `ndx`, which need not exist.
    pub fn new(shared: &'static Shared, ndx: usize) -> Self {
        Self { shared, ndx }
    }

    fn with<R>(&self, f: impl FnOnce(&backend::Backend, &HostCall) -> R) -> PyResult<R> {
        access::in_hook(|call| {
            let backend = self.shared.backends.get(self.ndx);
            let backend = backend.ok_or_else(|| access::gone("the backend"))?;
            Ok(f(&backend, call))
        })
    }
}

#[pymethods]
impl Backend {
    /// The configured address.
    #[getter]
    fn dst(&self) -> PyResult<Option<Address>> {
        self.with(|backend, call| Address::known(&backend.address(call)))
    }

    /// `BACKEND_STATE_UNKNOWN`, `_UP` or `_DOWN`.
    #[getter]
    fn state(&self) -> PyResult<u8> {
        self.with(|backend, call| match backend.state(call) {
            BackendState::Unknown => 0,
            BackendState::Up => 1,
            BackendState::Down => 2,
        })
    }

    #[setter]
    fn set_state(&self, state: i64) -> PyResult<()> {
        let state = match state {
            0 => BackendState::Unknown,
            1 => BackendState::Up,
            2 => BackendState::Down,
            _ => return Err(PyValueError::new_err("state must be one of proxy.BACKEND_STATE_*")),
        };
        self.with(|backend, call| backend.set_state(call, state))
    }

    /// `BACKEND_TYPE_RW` or `_RO`.
    #[getter]
    fn r#type(&self) -> PyResult<u8> {
        self.with(|backend, call| match backend.kind(call) {
            BackendType::ReadWrite => 1,
            BackendType::ReadOnly => 2,
        })
    }

    /// Client connections that use this backend now. Idle pooled connections are not counted.
    #[getter]
    fn connected_clients(&self) -> PyResult<u32> {
        self.with(|backend, call| backend.connected_clients(call))
    }

    /// A text for scripts; None if empty.
    #[getter]
    fn uuid<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let uuid = self.with(|backend, call| backend.uuid(call))?;
        (!uuid.is_empty()).then(|| text::to_str(py, &uuid)).transpose()
    }

    #[setter]
    fn set_uuid(&self, uuid: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let uuid = uuid.map(|uuid| text::to_bytes(uuid, "uuid")).transpose()?.unwrap_or_default();
        self.with(|backend, call| backend.set_uuid(call, &uuid))
    }

    /// The idle server connections.
    #[getter]
    fn pool(&self) -> Pool {
        Pool::new(self.shared, self.ndx)
    }

    /// Index in `proxy.globals.backends`.
    #[getter]
    fn ndx(&self) -> usize {
        self.ndx
    }

    fn __repr__(&self) -> String {
        match self.with(|backend, call| (backend.address(call).name, backend.state(call))) {
            Ok((name, state)) => format!("<pyproxy.Backend {} {name} {state:?}>", self.ndx),
            Err(_) => format!("<pyproxy.Backend {}>", self.ndx),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().ndx == self.ndx)
    }

    fn __hash__(&self) -> usize {
        self.ndx
    }
}
