//! `backend`: one of `proxy.globals.backends`.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::access;
use super::address::Address;
use super::pool::Pool;
use crate::{constants, text};
use engine::{BackendKind, BackendState, Backends, Shared};

/// A MySQL server that the proxy can connect to.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Backend {
    shared: Arc<Shared>,
    ndx: usize,
}

impl Backend {
    /// Its index, if it is one of these backends.
    pub(super) fn index_in(&self, shared: &Arc<Shared>) -> Option<usize> {
        Arc::ptr_eq(&self.shared, shared).then_some(self.ndx)
    }

    /// The backend at `ndx`, which need not exist.
    pub fn new(shared: Arc<Shared>, ndx: usize) -> Self {
        Self { shared, ndx }
    }

    /// What `f` says of the backend, if it exists.
    fn with<R>(&self, f: impl FnOnce(&dyn Backends, usize) -> Option<R>) -> PyResult<R> {
        access::of_all(&self.shared, || {
            f(&*self.shared.backends, self.ndx).ok_or_else(|| access::gone("the backend"))
        })
    }

    fn change(&self, f: impl FnOnce(&dyn Backends, usize)) -> PyResult<()> {
        self.with(|backends, ndx| (ndx < backends.len()).then(|| f(backends, ndx)))
    }
}

#[pymethods]
impl Backend {
    /// The configured address.
    #[getter]
    fn dst(&self) -> PyResult<Option<Address>> {
        self.with(|backends, ndx| Some(Address::known(&backends.address(ndx)?)))
    }

    /// `BACKEND_STATE_UNKNOWN`, `_UP` or `_DOWN`: what connects tell; `_DRAIN` or `_MAINT`: what somebody wants; `_REMOVED`.
    #[getter]
    fn state(&self) -> PyResult<u8> {
        self.with(|backends, ndx| Some(backends.state(ndx)?.number()))
    }

    #[setter]
    fn set_state(&self, state: i64) -> PyResult<()> {
        let state = u8::try_from(state).ok().and_then(BackendState::of_number);
        let state = state.filter(|state| *state != BackendState::Removed);
        let wrong = || PyValueError::new_err("state must be one of proxy.BACKEND_STATE_*");
        let state = state.ok_or_else(wrong)?;
        if self.state()? == BackendState::Removed.number() {
            return Err(PyValueError::new_err("the backend was removed"));
        }
        self.change(|backends, ndx| {
            if backends.state(ndx) != Some(state) {
                let name = backends.address(ndx).unwrap_or_default().name;
                log::info!("backend {name}: marked {}, by the script", state.name().to_uppercase());
            }
            self.shared.set_backend_state(ndx, state);
        })
    }

    /// Whether clients may be taken there: it is UP, or nothing is known of it.
    #[getter]
    fn takes_clients(&self) -> PyResult<bool> {
        self.with(|backends, ndx| Some(backends.state(ndx)?.takes_clients()))
    }

    /// `BACKEND_TYPE_RW` or `_RO`.
    #[getter]
    fn r#type(&self) -> PyResult<i64> {
        self.with(|backends, ndx| {
            Some(match backends.kind(ndx)? {
                BackendKind::ReadWrite => constants::BACKEND_TYPE_RW,
                BackendKind::ReadOnly => constants::BACKEND_TYPE_RO,
            })
        })
    }

    /// Client connections that use this backend now. Idle pooled connections are not counted.
    #[getter]
    fn connected_clients(&self) -> PyResult<u32> {
        self.with(|backends, ndx| backends.connected_clients(ndx))
    }

    /// The most connections to it, idle ones as well; 0: any number. Who comes when there are as many waits for one.
    #[getter]
    fn max_connections(&self) -> PyResult<usize> {
        self.with(|backends, ndx| (ndx < backends.len()).then(|| self.shared.capacity.limit(ndx)))
    }

    #[setter]
    fn set_max_connections(&self, limit: usize) -> PyResult<()> {
        self.change(|_, ndx| self.shared.capacity.set_limit(ndx, limit))
    }

    /// Connections to it, idle ones and those that are being made as well.
    #[getter]
    fn open_connections(&self) -> PyResult<usize> {
        self.with(|backends, ndx| (ndx < backends.len()).then(|| self.shared.capacity.open(ndx)))
    }

    /// A text for scripts; None if empty.
    #[getter]
    fn uuid<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let uuid = self.with(|backends, ndx| backends.uuid(ndx))?;
        (!uuid.is_empty()).then(|| text::to_str(py, &uuid)).transpose()
    }

    #[setter]
    fn set_uuid(&self, uuid: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let uuid = uuid.map(|uuid| text::to_bytes(uuid, "uuid")).transpose()?.unwrap_or_default();
        self.change(|backends, ndx| backends.set_uuid(ndx, &uuid))
    }

    /// The idle server connections.
    #[getter]
    fn pool(&self) -> Pool {
        Pool::new(Arc::clone(&self.shared), self.ndx)
    }

    /// Index in `proxy.globals.backends`.
    #[getter]
    fn ndx(&self) -> usize {
        self.ndx
    }

    fn __repr__(&self) -> String {
        match self.with(|backends, ndx| Some((backends.address(ndx)?.name, backends.state(ndx)?))) {
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
