//! `connection.client_session` and `connection.server.session`: what a client's session consists of, and what a server connection has of it.

use std::collections::BTreeMap;

use engine::{Server, Session, SessionState, Slot};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet};

use super::access;
use crate::text;

/// System variables by name, with their values as SQL.
type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// Such values, as scripts see them.
fn settings<'py>(py: Python<'py>, values: &Values) -> PyResult<Bound<'py, PyDict>> {
    let settings = PyDict::new(py);
    for (name, value) in values {
        settings.set_item(text::to_str(py, name)?, text::to_str(py, value)?)?;
    }
    Ok(settings)
}

fn role<'py>(py: Python<'py>, state: &SessionState) -> PyResult<Option<Bound<'py, PyAny>>> {
    state.role.as_ref().map(|role| text::to_str(py, role)).transpose()
}

/// What a script says of a session.
fn state_of(
    settings: Option<&Bound<'_, PyDict>>,
    role: Option<&Bound<'_, PyAny>>,
    insert_id: Option<u64>,
    inherited: Option<&Bound<'_, PyDict>>,
) -> PyResult<SessionState> {
    Ok(SessionState {
        settings: values_of(settings)?,
        inherited: values_of(inherited)?,
        role: role.map(|role| text::to_bytes(role, "role")).transpose()?,
        insert_id,
    })
}

fn values_of(settings: Option<&Bound<'_, PyDict>>) -> PyResult<Values> {
    let mut values = Values::new();
    for (name, value) in settings.into_iter().flat_map(|settings| settings.iter()) {
        let name = text::to_bytes(&name, "the name of a setting")?.to_ascii_lowercase();
        values.insert(name, text::to_bytes(&value, "the value of a setting")?);
    }
    Ok(values)
}

/// What a client expects to find on whatever server connection its next command runs on.
///
/// A connection that comes out of the pool is given all of it, if sessions are tracked (`globals.track_sessions`). The default
/// database is `connection.client.default_db`.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct ClientSession(Slot<Session>);

impl ClientSession {
    /// Of a connection.
    pub fn new(session: Slot<Session>) -> Self {
        Self(session)
    }

    fn state(&self) -> PyResult<SessionState> {
        access::read(&self.0, "the connection", |session| session.state.clone())
    }
}

#[pymethods]
impl ClientSession {
    /// The system variables that were learned, by name in lower case, with their values as SQL.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        settings(py, &self.state()?.settings)
    }

    /// The system variables that the session began with, where servers may begin with something else by now.
    #[getter]
    fn inherited<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        settings(py, &self.state()?.inherited)
    }

    /// What `SET ROLE` takes; None: the role of the login.
    #[getter]
    fn role<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        role(py, &self.state()?)
    }

    /// LAST_INSERT_ID(), as far as it was learned; None: another connection need not have it.
    #[getter]
    fn insert_id(&self) -> PyResult<Option<u64>> {
        Ok(self.state()?.insert_id)
    }

    /// Notes what the attached server connection has now, or, without one, what the next one shall be given. Values are SQL: numbers as
    /// they are, text in quotes. What is `inherited` is set where a server lets the user.
    #[pyo3(signature = (settings = None, *, role = None, insert_id = None, inherited = None))]
    fn learn(
        &self,
        settings: Option<&Bound<'_, PyDict>>,
        role: Option<&Bound<'_, PyAny>>,
        insert_id: Option<u64>,
        inherited: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let learned = state_of(settings, role, insert_id, inherited)?;
        access::change(&self.0, |session| {
            session.state.update(&learned);
            if let Some(server) = session.server.as_mut() {
                server.session.state.update(&learned);
            }
        })
    }

    /// Notes what the next command shall find, on whatever connection: it is given what it has not. The arguments are those of
    /// `learn`.
    #[pyo3(signature = (settings = None, *, role = None, insert_id = None, inherited = None))]
    fn expect(
        &self,
        settings: Option<&Bound<'_, PyDict>>,
        role: Option<&Bound<'_, PyAny>>,
        insert_id: Option<u64>,
        inherited: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let expected = state_of(settings, role, insert_id, inherited)?;
        access::change(&self.0, |session| session.state.update(&expected))
    }

    /// From the next command on, and until its session begins anew, the client gets its server's reports as they are, since it says
    /// itself which it wants. What the proxy wanted is taken back.
    fn pass_reports(&self) -> PyResult<()> {
        access::change(&self.0, Session::pass_reports)
    }

    fn __repr__(&self) -> String {
        match self.state() {
            Ok(state) => {
                let names = state.settings.keys().map(|name| String::from_utf8_lossy(name));
                format!("<pyproxy.ClientSession settings={:?}>", names.collect::<Vec<_>>())
            }
            Err(_) => "<pyproxy.ClientSession (gone)>".to_owned(),
        }
    }
}

/// The session on a server connection, which the connection keeps in the pool.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct ServerSession {
    session: Slot<Session>,
    /// The number of the server connection.
    id: u64,
}

impl ServerSession {
    /// Of the server connection of this number, while it is attached.
    pub fn new(session: Slot<Session>, id: u64) -> Self {
        Self { session, id }
    }

    fn read<R>(&self, f: impl FnOnce(&Server) -> R) -> PyResult<R> {
        let found = access::read(&self.session, "the connection", |session| {
            session.server.as_ref().filter(|server| server.id == self.id).map(f)
        })?;
        found.ok_or_else(|| access::gone("the server connection"))
    }

    fn change(&self, f: impl FnOnce(&mut engine::ServerSession)) -> PyResult<()> {
        let found = access::change(&self.session, |session| {
            let server = session.server.as_mut().filter(|server| server.id == self.id);
            server.map(|server| f(&mut server.session))
        })?;
        found.ok_or_else(|| access::gone("the server connection"))
    }
}

#[pymethods]
impl ServerSession {
    /// As in `connection.client_session`, on this connection.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        settings(py, &self.read(|server| server.session.state.settings.clone())?)
    }

    /// As in `connection.client_session`, on this connection.
    #[getter]
    fn role<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        role(py, &self.read(|server| server.session.state.clone())?)
    }

    /// Whether the server reports every change: `resultset.session_changes`. Known once a command has run.
    #[getter]
    fn is_tracked(&self) -> PyResult<bool> {
        self.read(Server::is_tracked)
    }

    /// The transaction, as the server reported it last: eight letters, `_` for each thing that is not so. None if it never did.
    #[getter]
    fn transaction<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let transaction = self.read(|server| server.session.transaction.clone())?;
        transaction.map(|letters| text::to_str(py, &letters)).transpose()
    }

    /// The statements that make the next transaction what it is to be, as the server reported them last; empty: a usual one. None if
    /// it never did.
    #[getter]
    fn characteristics<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let characteristics = self.read(|server| server.session.characteristics.clone())?;
        characteristics.map(|text| text::to_str(py, &text)).transpose()
    }

    /// Why no other client may have the connection, and no other connection can take its place, in plain words.
    #[getter]
    fn ties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        let ties = self
            .read(|server| -> Vec<String> { server.session.ties().map(str::to_owned).collect() })?;
        PyFrozenSet::new(py, ties)
    }

    /// Keeps the connection from the pool: parked, it is closed. A reset of the session ends that, but with `lasts`.
    #[pyo3(signature = (why, *, lasts = false))]
    fn tie(&self, why: &str, lasts: bool) -> PyResult<()> {
        self.change(|session| session.tie(why, lasts))
    }

    /// This is no reason any more.
    fn free(&self, why: &str) -> PyResult<()> {
        self.change(|session| session.free(why))
    }

    fn __repr__(&self) -> String {
        match self.read(|server| server.session.ties().map(str::to_owned).collect::<Vec<_>>()) {
            Ok(ties) => format!("<pyproxy.ServerSession ties={ties:?}>"),
            Err(_) => "<pyproxy.ServerSession (gone)>".to_owned(),
        }
    }
}
