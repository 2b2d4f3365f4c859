//! Answers of fake servers, made and read with the code that makes and reads those of scripts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use engine::{Injection, Query, Slot};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use script::Permission;
use script::reply::{Context, RowForm, encode_resultset};
use wire::connect::ChangeUser;
use wire::reply::StatusFlags;
use wire::result::{Part, ResultTracker, Step};
use wire::statement::Cursors;
use wire::{Capabilities, Command};

use super::payloads;
use crate::data::Data;
use crate::error;

/// The form of answers that every client and server has.
const PLAIN: Capabilities = Capabilities::empty();

/// `COM_QUERY`, or `command 0x99`.
#[pyfunction]
#[pyo3(signature = (command, /))]
pub fn command_name(command: u8) -> String {
    let name = Command(command).name().map(str::to_owned);
    name.unwrap_or_else(|| format!("command {command:#04x}"))
}

/// The payloads of a result set, as text or, for a prepared statement, binary.
#[pyfunction]
#[pyo3(signature = (fields, rows, binary, status, warnings, /))]
fn encode_result<'py>(
    fields: &Bound<'py, PyAny>,
    rows: &Bound<'py, PyAny>,
    binary: bool,
    status: u16,
    warnings: u16,
) -> PyResult<Bound<'py, PyList>> {
    let py = fields.py();
    let resultset = PyDict::new(py);
    resultset.set_item("fields", fields)?;
    resultset.set_item("rows", rows)?;
    let status = StatusFlags::from_bits_retain(status);
    let rows = if binary { RowForm::Binary } else { RowForm::Text };
    let context = Context {
        capabilities: PLAIN,
        before_handshake: false,
        rows,
        status,
        is_last: None,
        max_bytes: usize::MAX,
    };
    let reply = encode_resultset(resultset.as_any(), status, warnings, context)?;
    PyList::new(py, reply.packets().iter().map(|payload| PyBytes::new(py, payload)))
}

/// Fields and rows of one result of an answer to `command`, each None if it has none. `cursor` are the columns of rows that
/// COM_STMT_FETCH brought.
#[pyfunction]
#[pyo3(signature = (command, packets, cursor, /))]
fn decode_result<'py>(
    py: Python<'py>,
    command: u8,
    packets: Vec<Bound<'py, PyBytes>>,
    cursor: Option<Vec<Vec<u8>>>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let query = Query::new(0, vec![command], true, Instant::now())
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut injection = Injection::new(query, PLAIN);
    injection.cursor = cursor.map(Arc::new);
    let kept = Arc::make_mut(&mut injection.packets);
    for payload in &packets {
        payloads::packets(payload.as_bytes()).for_each(|packet| kept.push(packet));
    }
    let slot = Slot::new(injection);
    let _permission = Permission::enter();
    let injection = Bound::new(py, script::Injection::new(slot.clone()))?;
    let resultset = injection.getattr("resultset")?;
    let (fields, rows) = (resultset.getattr("fields")?, resultset.getattr("rows")?);
    let rows = if rows.is_none() {
        rows
    } else {
        match rows.try_iter()?.collect::<PyResult<Vec<_>>>() {
            Ok(rows) => PyList::new(py, rows)?.into_any(),
            // A script made the packets, and these are no rows of such columns.
            Err(error) if error.is_instance_of::<PyValueError>(py) => py.None().into_bound(py),
            Err(error) => return Err(error),
        }
    };
    drop(slot.take());
    Ok((fields, rows))
}

/// User name, auth data, database, and the method, empty if the packet names none.
#[pyfunction]
#[pyo3(signature = (packet, capabilities, /))]
fn decode_change_user<'py>(
    py: Python<'py>,
    packet: Data<'py>,
    capabilities: u32,
) -> PyResult<[Bound<'py, PyBytes>; 4]> {
    let capabilities = Capabilities::from_bits_retain(capabilities.into());
    let packet = ChangeUser::parse(packet.as_bytes(), capabilities).map_err(error::packet)?;
    let plugin = packet.auth_plugin.unwrap_or_default();
    let fields = [packet.username, packet.auth_response, packet.database, plugin];
    Ok(fields.map(|field| PyBytes::new(py, &field)))
}

/// Follows the answer to one command.
#[pyclass(frozen, module = "pyproxy._native")]
#[derive(Debug)]
pub struct Tracker {
    command: u8,
    tracker: Mutex<ResultTracker>,
}

impl Tracker {
    fn lock(&self) -> MutexGuard<'_, ResultTracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Tracker {
    #[new]
    #[pyo3(signature = (command, /))]
    fn new(command: u8) -> Self {
        Self { command, tracker: Mutex::new(ResultTracker::new(command, PLAIN)) }
    }

    /// Takes a payload: "more" if others follow, "between" if other results do, "done" at the end of the answer, "file" if
    /// the client is to send one, "auth" if it is to answer. Raises PacketError if the answer cannot be followed.
    #[pyo3(signature = (payload, /))]
    fn feed(&self, payload: Data<'_>) -> PyResult<&'static str> {
        let mut tracker = self.lock();
        let mut step = Step::More;
        for packet in payloads::packets(payload.as_bytes()) {
            let fed = tracker.feed(packet);
            step = fed.map_err(|error| error::PacketError::new_err(error.to_string()))?;
        }
        let is_result = self.command != Command::STMT_PREPARE.0;
        Ok(match (step, tracker.part()) {
            (Step::Done, _) => "done",
            (Step::LocalInfile, _) => "file",
            (Step::Auth(_), _) => "auth",
            (Step::More, Part::Ok | Part::RowsEnd) if is_result => "between",
            (Step::More | Step::Stream, _) => "more",
        })
    }
}

/// The columns of a client's open cursors: rows that COM_STMT_FETCH brings come without them.
#[pyclass(frozen, module = "pyproxy._native", name = "Cursors")]
#[derive(Debug, Default)]
pub struct OpenCursors(Mutex<Cursors>);

impl OpenCursors {
    fn lock(&self) -> MutexGuard<'_, Cursors> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl OpenCursors {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// A command is sent.
    #[pyo3(signature = (packet, /))]
    fn sent(&self, packet: Data<'_>) {
        self.lock().command(packet.as_bytes());
    }

    /// The answer to it is complete.
    #[pyo3(signature = (packets, status, /))]
    fn answered(&self, packets: Vec<Bound<'_, PyBytes>>, status: u16) {
        let mut cursors = self.lock();
        let mut tracker = ResultTracker::new(Command::STMT_EXECUTE.0, PLAIN);
        for packet in &packets {
            if tracker.feed(packet.as_bytes()).is_err() {
                return;
            }
            cursors.answer(tracker.part(), packet.as_bytes());
        }
        cursors.done(StatusFlags::from_bits_retain(status));
    }

    /// Those of the rows that this COM_STMT_FETCH brings; None for any other command.
    #[pyo3(signature = (packet, /))]
    fn columns<'py>(&self, packet: Data<'py>, py: Python<'py>) -> Option<Vec<Bound<'py, PyBytes>>> {
        let cursors = self.lock();
        let columns = cursors.columns(packet.as_bytes())?;
        Some(columns.iter().map(|column| PyBytes::new(py, column)).collect())
    }
}

/// Adds the functions and classes.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(command_name, module)?)?;
    module.add_function(wrap_pyfunction!(encode_result, module)?)?;
    module.add_function(wrap_pyfunction!(decode_result, module)?)?;
    module.add_function(wrap_pyfunction!(decode_change_user, module)?)?;
    module.add_class::<Tracker>()?;
    module.add_class::<OpenCursors>()
}
