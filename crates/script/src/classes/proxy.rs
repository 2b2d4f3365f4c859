//! `proxy`: the first argument of every hook.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyReferenceError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::access;
use super::command::Command;
use super::connection::Connection;
use super::globals::Globals;
use super::queries::Queries;
use super::response::Response;
use crate::reply::{Context, RowForm};
use crate::{packet, waiting};
use engine::{Injection, Session, Shared, Slot};
use wire::Command as CommandByte;

/// What a hook works with. One object per connection, the same in all its hooks.
///
/// The `proxy` that `init` and `shutdown` get, and the builtin of that name, belong to no connection: they have the
/// constants and `globals` only, the rest is None.
#[pyclass(frozen, dict, weakref, module = "pyproxy")]
pub struct Proxy {
    globals: Py<Globals>,
    own: Option<Own>,
}

/// What belongs to one connection.
struct Own {
    connection: Py<Connection>,
    queries: Py<Queries>,
    response: Py<Response>,
    session: Slot<Session>,
    shared: Arc<Shared>,
    current: Mutex<Current>,
}

/// The client's command in progress.
#[derive(Default)]
struct Current {
    /// As the script got it.
    packet: Option<Py<PyBytes>>,
    /// What it was shown as, if the script looked.
    shown: Option<Py<Command>>,
}

impl Own {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn get(&self, py: Python<'_>) -> (Option<Py<PyBytes>>, Option<Py<Command>>) {
        let packet = self.packet.as_ref().map(|packet| packet.clone_ref(py));
        (packet, self.shown.as_ref().map(|shown| shown.clone_ref(py)))
    }

    fn release(self, py: Python<'_>) {
        if let Some(packet) = self.packet {
            packet.drop_ref(py);
        }
        if let Some(shown) = self.shown {
            shown.drop_ref(py);
        }
    }
}

impl Proxy {
    /// Of no connection.
    pub fn of_process(globals: Py<Globals>) -> Self {
        Self { globals, own: None }
    }

    /// Of one connection.
    pub fn of_connection(
        py: Python<'_>,
        globals: Py<Globals>,
        session: &Slot<Session>,
        shared: Arc<Shared>,
    ) -> PyResult<Self> {
        let own = Own {
            connection: Py::new(py, Connection::new(session.clone(), Arc::clone(&shared)))?,
            queries: Py::new(py, Queries::new(session.clone()))?,
            response: Py::new(py, Response::new(py, session.clone()))?,
            session: session.clone(),
            shared,
            current: Mutex::default(),
        };
        Ok(Self { globals, own: Some(own) })
    }

    /// The client's command is this, as scripts see it.
    pub fn begin_command(&self, py: Python<'_>, packet: Option<Py<PyBytes>>) {
        let Some(own) = &self.own else { return };
        // What was there is released behind the lock.
        let before = std::mem::replace(&mut *own.current(), Current { packet, shown: None });
        before.release(py);
    }

    /// The script is not asked about the client's command any more: a long one is not kept.
    pub fn command_over(&self, py: Python<'_>) {
        /// Of this many bytes and more.
        const LONG: usize = 64 << 10;
        let is_long = self.own.as_ref().is_some_and(|own| {
            own.current().packet.as_ref().is_some_and(|packet| packet.as_bytes(py).len() >= LONG)
        });
        if is_long {
            self.begin_command(py, None);
        }
    }

    /// The response to read, if this is the proxy of a connection.
    pub fn own_response(&self) -> Option<&Response> {
        self.own.as_ref().map(|own| own.response.get())
    }

    /// What an answer to this client's command depends on, in the hook that runs.
    pub fn context(&self) -> PyResult<Context> {
        let own = self.own.as_ref().ok_or_else(of_no_connection)?;
        let limit = own.shared.max_kept_bytes;
        access::change(&own.session, |session| {
            session.hook.map(|hook| Context::of(session, limit, hook))
        })?
        .ok_or_else(|| access::gone("the hook"))
    }

    /// Whether the client can read this result as the answer to its command.
    pub fn check_answer(&self, result: &Slot<Injection>) -> PyResult<()> {
        let own = self.own.as_ref().ok_or_else(of_no_connection)?;
        let command = access::read(&own.session, "the connection", |session| session.command)?;
        Self::check_answer_to(command, result)
    }

    /// Whether who sent this command can read this result as the answer to it.
    pub fn check_answer_to(command: Option<u8>, result: &Slot<Injection>) -> PyResult<()> {
        let (answered, has_rows, is_kept) = access::read(result, "the result", |result| {
            let answered = result.query.packet.first().copied();
            (answered, result.summary.has_resultset, !result.packets.is_empty())
        })?;
        if !is_kept {
            return Err(not_kept());
        }
        let form = |command: Option<u8>| {
            let is_prepare = command == Some(CommandByte::STMT_PREPARE.0);
            (is_prepare, has_rows.then(|| RowForm::of(command)))
        };
        if form(command) == form(answered) {
            return Ok(());
        }
        let name = |command: Option<u8>| {
            command.and_then(|command| CommandByte(command).name()).unwrap_or("an unknown command")
        };
        Err(PyValueError::new_err(format!(
            "the result of {} is none for {}",
            name(answered),
            name(command)
        )))
    }

    /// Another command on this connection, as a script sees it that stands behind the one which made it.
    pub fn other_command(&self, packet: &Bound<'_, PyBytes>) -> PyResult<Command> {
        let own = self.own.as_ref().ok_or_else(of_no_connection)?;
        access::read(&own.session, "the connection", |session| Command::other(session, packet))
    }

    /// The command that a script gives as `what`, to be run in place of this one, or of the client's.
    pub fn encode_command(
        &self,
        what: &Bound<'_, PyAny>,
        command: Option<u8>,
    ) -> PyResult<Vec<u8>> {
        let own = self.own.as_ref().ok_or_else(of_no_connection)?;
        let (clients, codec) = access::read(&own.session, "the connection", |session| {
            (session.command, packet::client_codec(session))
        })?;
        let command = command.or(clients);
        let packet = packet::encode(what, "what", codec)?;
        if command != packet.first().copied() {
            packet::check_command(&packet)?;
        }
        let is_other = matches!(RowForm::of(command), RowForm::Binary | RowForm::Cursor)
            || command == Some(CommandByte::STMT_PREPARE.0);
        if packet::is_sql(what)? && is_other {
            return Err(PyValueError::new_err(
                "text is a COM_QUERY, whose answer is none to a command of a prepared statement: give bytes with the \
                 command byte in front",
            ));
        }
        Ok(packet)
    }

    /// The packet that `query(what)` would run now. What forbids it is raised.
    pub fn checked_query(&self, what: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let (session, packet) = self.encode_query(what)?;
        waiting::checked(what.py(), session, packet.clone())?;
        Ok(packet)
    }

    fn encode_query(&self, what: &Bound<'_, PyAny>) -> PyResult<(&Slot<Session>, Vec<u8>)> {
        let own = self.own.as_ref().ok_or_else(of_no_connection)?;
        let codec = access::read(&own.session, "the connection", packet::client_codec)?;
        let packet = packet::encode(what, "what", codec)?;
        packet::check_command(&packet)?;
        Ok((&own.session, packet))
    }

    /// Releases everything that a script attached to this object, its connection and its response: such objects may
    /// refer to each other, and would keep each other alive after the connection.
    pub fn clear(slf: &Bound<'_, Self>) {
        let py = slf.py();
        let mut owners = vec![slf.as_any().clone()];
        if let Some(own) = &slf.get().own {
            own.response.get().reset(py);
            slf.get().begin_command(py, None);
            owners.push(own.connection.bind(py).as_any().clone());
        }
        for owner in owners {
            let attributes = owner.getattr(pyo3::intern!(py, "__dict__"));
            if let Ok(Ok(attributes)) = attributes.map(Bound::cast_into::<PyDict>) {
                attributes.clear();
            }
        }
    }
}

#[pymethods]
impl Proxy {
    /// The client connection, with its two sides.
    #[getter]
    fn connection(&self, py: Python<'_>) -> Option<Py<Connection>> {
        self.own.as_ref().map(|own| own.connection.clone_ref(py))
    }

    /// What all connections share.
    #[getter]
    fn globals(&self, py: Python<'_>) -> Py<Globals> {
        self.globals.clone_ref(py)
    }

    /// What the client asks for: its last command, once that has its answer. None before the first. One of 64 KiB and more has
    /// its text only as long as the script is asked about it.
    #[getter]
    fn command(&self, py: Python<'_>) -> PyResult<Option<Py<Command>>> {
        let Some(own) = &self.own else { return Ok(None) };
        let byte = access::read(&own.session, "the connection", |session| session.command)?;
        let Some(byte) = byte else { return Ok(None) };
        let (packet, shown) = own.current().get(py);
        if shown.is_some() {
            return Ok(shown);
        }
        let packet = packet.filter(|packet| packet.as_bytes(py).first() == Some(&byte));
        let command = access::read(&own.session, "the connection", |session| {
            Command::new(session, byte, packet)
        })?;
        let shown = Py::new(py, command)?;
        own.current().shown = Some(shown.clone_ref(py));
        Ok(Some(shown))
    }

    /// The packets to run instead of the client's command.
    #[getter]
    fn queries(&self, py: Python<'_>) -> Option<Py<Queries>> {
        self.own.as_ref().map(|own| own.queries.clone_ref(py))
    }

    /// Runs a query on the server of this connection, now, and gives its result: to be awaited in a hook that is an `async def`.
    ///
    /// `what` is SQL as text, or a packet as bytes. Several at once run one behind the other. An ERR of the server is
    /// `result.error`. Raises ServerLost if there is no server, or it goes; ResultTooLarge. Of a command that no server
    /// answers the result is None.
    #[pyo3(signature = (what, /))]
    fn query<'py>(&self, py: Python<'py>, what: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (session, packet) = self.encode_query(what)?;
        waiting::query(py, session, packet)
    }

    /// The answer to send for `PROXY_SEND_RESULT`. Assign a mapping, or set its attributes.
    #[getter]
    fn response(&self, py: Python<'_>) -> Option<Py<Response>> {
        self.own.as_ref().map(|own| own.response.clone_ref(py))
    }

    #[setter]
    fn set_response(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match &self.own {
            Some(own) => own.response.get().assign(value),
            None => Err(of_no_connection()),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        match &self.own {
            Some(own) => {
                let connection = own.connection.bind(py).repr()?;
                Ok(format!("<pyproxy.Proxy {}>", connection.to_string_lossy()))
            }
            None => Ok("<pyproxy.Proxy>".to_owned()),
        }
    }
}

/// For a result of which only the counters are there.
pub fn not_kept() -> PyErr {
    PyValueError::new_err("it was not kept: queue its query with resultset_is_needed")
}

fn of_no_connection() -> PyErr {
    PyReferenceError::new_err("this proxy belongs to no connection")
}
