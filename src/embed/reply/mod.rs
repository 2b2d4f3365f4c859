//! `proxy.response` on its way to the wire.
//!
//! Everything a script can get wrong is a Python exception here, which becomes a script error; nothing is guessed
//! and nothing half encoded leaves (scripting API 5, object model 11).

mod cells;
mod columns;
mod members;
mod rows;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};
use wire::reply::{ErrPacket, OkPacket, StatusFlags};
use wire::{Capabilities, Command};

use super::text;
use engine::ER_UNKNOWN_ERROR;
use engine::{Hook, Reply, Session};

/// Values of `response.type`.
const OK: i64 = 0;
const RAW: i64 = 250;
const ERR: i64 = 255;

/// What an ERR says if the script says nothing.
const DEFAULT_MESSAGE: &[u8] = b"(pyproxy) proxy.response.errmsg is None";
const DEFAULT_STATE: [u8; 5] = *b"07000";

/// What the encoding depends on, besides the response: read from the session before any Python code runs.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// What the client and the proxy agreed on.
    pub capabilities: Capabilities,
    /// The client has not seen a handshake: an ERR has no SQL state then.
    pub before_handshake: bool,
    /// What the client expects of a result set.
    pub rows: RowForm,
    /// `server_status` of a response that has none.
    pub status: u16,
    /// The most bytes that the answer may take (`pyproxy-max-kept-bytes`).
    pub max_bytes: usize,
}

/// How a result set answers a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowForm {
    /// Columns and rows of text.
    Text,
    /// Columns and binary rows: COM_STMT_EXECUTE and COM_STMT_BULK_EXECUTE.
    Binary,
    /// Binary rows of a cursor, whose columns the client has: COM_STMT_FETCH.
    Cursor,
}

impl RowForm {
    fn of(command: Option<u8>) -> Self {
        match command.map(Command) {
            Some(Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE) => Self::Binary,
            Some(Command::STMT_FETCH) => Self::Cursor,
            _ => Self::Text,
        }
    }
}

impl Context {
    /// For an answer of `hook`.
    pub fn of(session: &Session, max_bytes: usize, hook: Hook) -> Self {
        let in_command = matches!(hook, Hook::ReadQuery | Hook::ReadQueryResult);
        let command = session.command.filter(|_| in_command);
        Self {
            capabilities: session.client.capabilities(),
            before_handshake: matches!(hook, Hook::ConnectServer | Hook::ReadHandshake),
            rows: RowForm::of(command),
            status: session.status() | cursor_status(session, command, hook),
            max_bytes,
        }
    }
}

/// A client fetches until it is told that the last row was sent: as the server said of the result that is replaced, and
/// with the first answer if there is none.
fn cursor_status(session: &Session, command: Option<u8>, hook: Hook) -> u16 {
    const END: u16 = StatusFlags::CURSOR_EXISTS | StatusFlags::LAST_ROW_SENT;
    match (RowForm::of(command), hook) {
        (RowForm::Cursor, Hook::ReadQueryResult) => session.result_status & END,
        (RowForm::Cursor, _) => END,
        _ => 0,
    }
}

/// Encodes what is set in `fields`.
pub fn encode(fields: &Bound<'_, PyDict>, context: Context) -> PyResult<Reply> {
    let Some(kind) = members::get(fields, "type")? else {
        return Err(PyTypeError::new_err("proxy.response.type is not set"));
    };
    match members::integer::<i64>(&kind, "type")? {
        OK => match members::get(fields, "resultset")? {
            Some(resultset) => rows::encode(&resultset, fields, context),
            None => ok(fields, context),
        },
        ERR => err(fields, context.before_handshake),
        RAW => raw(fields, context.max_bytes),
        other => Err(PyValueError::new_err(format!(
            "proxy.response.type is {other}, not one of MYSQLD_PACKET_OK, _ERR, _RAW"
        ))),
    }
}

fn ok(fields: &Bound<'_, PyDict>, context: Context) -> PyResult<Reply> {
    let (status, warnings) = status_and_warnings(fields, context)?;
    let packet = OkPacket {
        affected_rows: members::integer_or(fields, "affected_rows", 0)?,
        insert_id: members::integer_or(fields, "insert_id", 0)?,
        status,
        warnings,
        ..OkPacket::default()
    };
    one(packet.encode(context.capabilities))
}

/// `server_status` and `warnings`, for OK and for the end of a result set.
fn status_and_warnings(fields: &Bound<'_, PyDict>, context: Context) -> PyResult<(u16, u16)> {
    let status = members::integer_or(fields, "server_status", context.status)?;
    if status & StatusFlags::MORE_RESULTS_EXISTS != 0 {
        return Err(PyValueError::new_err(
            "proxy.response.server_status announces another result: there is none",
        ));
    }
    Ok((status, members::integer_or(fields, "warnings", 0)?))
}

fn err(fields: &Bound<'_, PyDict>, before_handshake: bool) -> PyResult<Reply> {
    let message = match members::get(fields, "errmsg")? {
        Some(message) => text::to_bytes(&message, "proxy.response.errmsg")?,
        None => DEFAULT_MESSAGE.to_vec(),
    };
    let code = members::integer_or(fields, "errcode", ER_UNKNOWN_ERROR)?;
    if code == 0 {
        return Err(PyValueError::new_err("proxy.response.errcode must be from 1 to 65535"));
    }
    let state = match members::get(fields, "sqlstate")? {
        Some(state) => text::to_bytes(&state, "proxy.response.sqlstate")?
            .try_into()
            .map_err(|_| PyValueError::new_err("proxy.response.sqlstate must have 5 characters"))?,
        None => DEFAULT_STATE,
    };
    let sqlstate = (!before_handshake).then_some(state);
    one(ErrPacket { code, sqlstate, message: &message }.encode())
}

fn raw(fields: &Bound<'_, PyDict>, max_bytes: usize) -> PyResult<Reply> {
    let Some(packets) = members::get(fields, "packets")? else {
        return Err(PyTypeError::new_err("proxy.response.packets is not set"));
    };
    if is_data(&packets) {
        return one(text::to_bytes(&packets, "proxy.response.packets")?);
    }
    let mut budget = Budget(max_bytes);
    let mut payloads = Vec::new();
    for packet in packets.try_iter()? {
        let payload = text::to_bytes(&packet?, "a packet of proxy.response.packets")?;
        budget.spend(payload.len())?;
        payloads.push(payload);
    }
    Reply::from_packets(payloads)
        .ok_or_else(|| PyValueError::new_err("proxy.response.packets is empty"))
}

/// What is left of the memory that an answer may take. A generator may have no end.
struct Budget(usize);

impl Budget {
    /// What a packet takes besides its bytes.
    const OVERHEAD: usize = 48;

    fn spend(&mut self, bytes: usize) -> PyResult<()> {
        match self.0.checked_sub(bytes.saturating_add(Self::OVERHEAD)) {
            Some(left) => self.0 = left,
            None => {
                return Err(PyValueError::new_err(
                    "the answer is larger than pyproxy-max-kept-bytes",
                ));
            }
        }
        Ok(())
    }
}

/// Whether `value` is one piece of text or data rather than a collection.
fn is_data(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>()
}

fn one(payload: Vec<u8>) -> PyResult<Reply> {
    Reply::from_packets(vec![payload]).ok_or_else(|| PyValueError::new_err("the response is empty"))
}
