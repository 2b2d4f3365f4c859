//! `proxy.connection`: both sides of a connection, and the state a script keeps with it.

use std::sync::Arc;
use std::time::Instant;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use super::backend::Backend;
use super::sessions::ClientSession;
use super::socket::Socket;
use super::{access, attributes};
use crate::waiting;
use engine::{Session, Shared, Slot, Switched};

/// A client connection.
///
/// Attributes that a script sets live as long as the connection.
#[pyclass(frozen, dict, weakref, module = "pyproxy")]
#[derive(Debug)]
pub struct Connection {
    session: Slot<Session>,
    shared: Arc<Shared>,
}

impl Connection {
    /// The connection of `session`.
    pub fn new(session: Slot<Session>, shared: Arc<Shared>) -> Self {
        Self { session, shared }
    }

    fn read<R>(&self, f: impl FnOnce(&Session) -> R) -> PyResult<R> {
        access::read(&self.session, "the connection", f)
    }

    /// A script that takes what it does not get does so for each command.
    fn warn_of_no_match(&self, id: u64, ndx: usize) {
        let Some(unsaid) = self.shared.unfit.may_say(ndx, Instant::now()) else { return };
        let more = if unsaid > 0 {
            format!(" (and {unsaid} times more since this was said last)")
        } else {
            String::new()
        };
        log::warn!(
            "connection {id}: no idle connection of backend {ndx} fits this client, backend_ndx stays as it is{more}"
        );
    }
}

#[pymethods]
impl Connection {
    /// The number that names the connection in the log; counts up from 1 in this process.
    #[getter]
    fn id(&self) -> PyResult<u64> {
        self.read(|session| session.id)
    }

    /// The client's side.
    #[getter]
    fn client(&self) -> PyResult<Socket> {
        access::alive(&self.session)?;
        Ok(Socket::client(&self.session))
    }

    /// The server's side; None while no server connection is attached.
    #[getter]
    fn server(&self) -> PyResult<Option<Socket>> {
        Socket::server(&self.session)
    }

    /// What the client expects to find on whatever server connection its next command runs on.
    #[getter]
    fn client_session(&self) -> PyResult<ClientSession> {
        access::alive(&self.session)?;
        Ok(ClientSession::new(self.session.clone()))
    }

    /// Index of the backend in `proxy.globals.backends`; -1 for none.
    ///
    /// Setting -1 parks the server connection in the pool. Setting n takes a fitting idle connection of backend n
    /// from the pool, or, before a server is connected, chooses where to connect. If none fits, the index stays as
    /// it is.
    #[getter]
    fn backend_ndx(&self) -> PyResult<i64> {
        let ndx = self.read(Session::backend_ndx)?;
        Ok(ndx.and_then(|ndx| i64::try_from(ndx).ok()).unwrap_or(-1))
    }

    #[setter]
    fn set_backend_ndx(&self, ndx: i64) -> PyResult<()> {
        let wanted = match ndx {
            -1 => None,
            _ => Some(usize::try_from(ndx).map_err(|_| {
                PyValueError::new_err("backend_ndx is the index of a backend, or -1 for none")
            })?),
        };
        let (id, outcome) = access::change(&self.session, |session| {
            (session.id, session.set_backend(&self.shared, wanted, Instant::now()))
        })?;
        waiting::moved(&self.session);
        let outcome = outcome.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        if outcome == Switched::NoMatch {
            self.warn_of_no_match(id, wanted.unwrap_or_default());
        }
        Ok(())
    }

    /// The backend of `backend_ndx`; None for none.
    #[getter]
    fn backend(&self) -> PyResult<Option<Backend>> {
        Ok(self.read(Session::backend_ndx)?.map(|ndx| Backend::new(Arc::clone(&self.shared), ndx)))
    }

    /// How many idle connections backend n has that this client may have for its commands: those of its own user, with the same
    /// capabilities, that nothing ties to anybody. 0 before the login has come, and of a backend that does not exist.
    ///
    /// In `read_auth` one out of the pool that the client was greeted from counts as well.
    #[pyo3(signature = (backend_ndx, /))]
    fn idle_connections(&self, backend_ndx: usize) -> PyResult<usize> {
        if backend_ndx >= self.shared.backends.len() {
            access::alive(&self.session)?;
            return Ok(0);
        }
        self.read(|session| session.idle_count(&self.shared, backend_ndx, Instant::now()))
    }

    /// Whether the client's login could go to backend n, as far as is known, if `read_auth` chose it: the backend is UP, it offered
    /// what the client was offered and uses when it greeted last, and the client can be asked for its password once more.
    #[pyo3(signature = (backend_ndx, /))]
    fn can_log_in_to(&self, backend_ndx: usize) -> PyResult<bool> {
        self.read(|session| session.can_log_in_to(&self.shared, backend_ndx))
    }

    /// Waits until one of these backends has an idle connection that this client may have, and gives its index.
    ///
    /// The connection is kept for the client until it is taken, by setting `backend_ndx`, or the hook ends. Who waits first gets one
    /// first. In a hook that is an `async def`.
    #[pyo3(signature = (backends, /))]
    fn wait_for_backend<'py>(
        &self,
        py: Python<'py>,
        backends: Vec<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        access::alive(&self.session)?;
        waiting::wait_for_backend(py, &self.session, &self.shared, &backends)
    }

    /// Whether the client's connection is closed after the result in progress.
    #[getter]
    fn connection_close(&self) -> PyResult<bool> {
        self.read(|session| session.close_after_result)
    }

    #[setter]
    fn set_connection_close(&self, close: &Bound<'_, PyInt>) -> PyResult<()> {
        // A bool is an int to Python, and older scripts say 1.
        let close = close.is_truthy()?;
        access::change(&self.session, |session| session.close_after_result = close)
    }

    /// What a script set is guarded like everything else: not from other threads, not after the connection.
    fn __getattribute__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
        if !name.to_string_lossy().starts_with("__") {
            access::alive(&slf.get().session)?;
        }
        attributes::get(slf.as_any(), name).map(Bound::unbind)
    }

    /// A connection that has ended keeps nothing any more.
    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        access::alive(&slf.get().session)?;
        attributes::set(slf.as_any(), name, Some(value))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        access::alive(&slf.get().session)?;
        attributes::set(slf.as_any(), name, None)
    }

    fn __repr__(&self) -> String {
        match self.read(|session| (session.id, session.client.src.name.clone())) {
            Ok((id, peer)) => format!("<pyproxy.Connection {id} of {peer}>"),
            Err(_) => "<pyproxy.Connection (gone)>".to_owned(),
        }
    }
}
