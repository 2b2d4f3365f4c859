//! `proxy.queries`: what runs instead of the client's command.

use std::time::Instant;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyIterator, PyList, PyMapping};

use super::access;
use crate::{packet, text};
use engine::{Hook, Query, Session, Slot};

/// The packets that run instead of the client's command, if `read_query` returns `PROXY_SEND_QUERY`.
///
/// Iterating gives tuples `(id, packet, resultset_is_needed)`.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Queries(Slot<Session>);

impl Queries {
    /// The queue of a connection.
    pub fn new(session: Slot<Session>) -> Self {
        Self(session)
    }

    fn add(
        &self,
        id: i64,
        packet: &Bound<'_, PyAny>,
        needed: Option<&Bound<'_, PyAny>>,
        failure_is_needed: bool,
        put: fn(&mut engine::Queries, Query),
    ) -> PyResult<()> {
        let needed = needed.map(is_needed).transpose()?.unwrap_or(false);
        let (hook, command, codec) = access::change(&self.0, |session| {
            (session.hook, session.command, packet::client_codec(session))
        })?;
        let packet = if hook.is_some_and(queues_commands) {
            let encoded = packet::encode(packet, "packet", codec)?;
            // What the client itself sent may be queued, whatever it is.
            if command != encoded.first().copied() {
                packet::check_command(&encoded)?;
            }
            encoded
        } else {
            text::to_bytes(packet, "packet")?
        };
        let query = Query::new(id, packet, needed, Instant::now())
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let query = Query { failure_is_needed: failure_is_needed && !needed, ..query };
        access::change(&self.0, |session| put(&mut session.queries, query))
    }

    fn count(&self) -> PyResult<usize> {
        access::read(&self.0, "the connection", |session| session.queries.len())
    }

    /// What is queued, in order.
    pub fn queued(&self) -> PyResult<engine::Queries> {
        access::read(&self.0, "the connection", |session| session.queries.clone())
    }
}

#[pymethods]
impl Queries {
    /// Queues a packet behind the others.
    ///
    /// `id` comes back as `inj.id`. `packet` starts with the command byte, or is the text of a query. With `resultset_is_needed` (a bool, or a
    /// mapping with that key) the whole result is kept for `read_query_result`, which can then read, replace or
    /// drop it. With `failure_is_needed` that is so if it is an error in place of the first row; else it passes.
    #[pyo3(signature = (id, packet, resultset_is_needed = None, *, failure_is_needed = false))]
    fn append(
        &self,
        id: i64,
        packet: &Bound<'_, PyAny>,
        resultset_is_needed: Option<&Bound<'_, PyAny>>,
        failure_is_needed: bool,
    ) -> PyResult<()> {
        self.add(id, packet, resultset_is_needed, failure_is_needed, engine::Queries::push_back)
    }

    /// Queues a packet in front of the others; the arguments are those of `append`.
    #[pyo3(signature = (id, packet, resultset_is_needed = None, *, failure_is_needed = false))]
    fn prepend(
        &self,
        id: i64,
        packet: &Bound<'_, PyAny>,
        resultset_is_needed: Option<&Bound<'_, PyAny>>,
        failure_is_needed: bool,
    ) -> PyResult<()> {
        self.add(id, packet, resultset_is_needed, failure_is_needed, engine::Queries::push_front)
    }

    /// Empties the queue.
    fn reset(&self) -> PyResult<()> {
        access::change(&self.0, |session| session.queries.clear())
    }

    /// Number of packets in the queue; the same as `len(queries)`.
    fn len(&self) -> PyResult<usize> {
        self.count()
    }

    fn __len__(&self) -> PyResult<usize> {
        self.count()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let list = PyList::empty(py);
        for query in self.queued()? {
            let packet = PyBytes::new(py, &query.packet);
            list.append((query.id, packet, query.resultset_is_needed))?;
        }
        list.try_iter()
    }

    fn __repr__(&self) -> String {
        match self.count() {
            Ok(count) => format!("<pyproxy.Queries, {count} queued>"),
            Err(_) => "<pyproxy.Queries (gone)>".to_owned(),
        }
    }
}

/// Whether what `hook` queues is commands. Before the login it is a login.
fn queues_commands(hook: Hook) -> bool {
    !matches!(hook, Hook::ConnectServer | Hook::ReadHandshake | Hook::ReadAuth)
}

/// The third argument: a truth value, or a mapping that may have it under its own name.
fn is_needed(argument: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Some(flag) = flag(argument) {
        return flag;
    }
    let Ok(options) = argument.cast::<PyMapping>() else { return Err(not_a_flag(argument)) };
    if !options.contains("resultset_is_needed")? {
        return Ok(false);
    }
    let value = options.get_item("resultset_is_needed")?;
    flag(&value).unwrap_or_else(|| Err(not_a_flag(&value)))
}

fn flag(value: &Bound<'_, PyAny>) -> Option<PyResult<bool>> {
    let plain = value.is_instance_of::<PyBool>() || value.is_instance_of::<PyInt>();
    (plain || value.is_none()).then(|| value.is_truthy())
}

fn not_a_flag(value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    PyTypeError::new_err(format!(
        "resultset_is_needed must be a bool or a mapping with that key, not {kind}"
    ))
}
