//! Answers on their way to the wire: `proxy.response`, and what the values of `answers` have in common with it.
//!
//! Everything a script can get wrong is a Python exception here, which becomes a script error; nothing is guessed
//! and nothing half encoded leaves (`docs/scripting.md#answer`).

mod budget;
mod cells;
mod charsets;
mod columns;
mod context;
mod guess;
pub mod members;
mod rows;
mod several;
mod status;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyDict, PyInt, PyString};
use wire::reply::{ErrPacket, OkPacket};

use self::budget::Budget;
pub use self::columns::check as check_columns;
pub use self::context::{Context, RowForm};
pub use self::rows::{encode_resultset, encode_rows};
use self::status::status_and_warnings;
use crate::classes::response::Response;
use crate::{constants, text};
use engine::{ER_UNKNOWN_ERROR, Reply};

/// What an ERR says if the script says nothing.
const DEFAULT_MESSAGE: &[u8] = b"(pyproxy) proxy.response.errmsg is None";
const DEFAULT_STATE: [u8; 5] = *b"07000";

/// Encodes what is set in `fields`.
pub fn encode(fields: &Bound<'_, PyDict>, context: Context) -> PyResult<Reply> {
    members::check_keys(fields, &Response::FIELDS, "proxy.response")?;
    let Some(kind) = members::get(fields, "type")? else {
        return Err(PyTypeError::new_err("proxy.response.type is not set"));
    };
    match members::integer::<i64>(&kind, "type")? {
        constants::MYSQLD_PACKET_OK => match members::get(fields, "resultsets")? {
            Some(results) => several::encode(&results, fields, context),
            None => ok_or_rows(fields, context),
        },
        constants::MYSQLD_PACKET_ERR => err(fields, context.before_handshake),
        constants::MYSQLD_PACKET_RAW => {
            let packets = members::get(fields, "packets")?;
            let packets =
                packets.ok_or_else(|| PyTypeError::new_err("proxy.response.packets is not set"))?;
            raw(&packets, "proxy.response.packets", context.max_bytes)
        }
        other => Err(PyValueError::new_err(format!(
            "proxy.response.type is {other}, not one of MYSQLD_PACKET_OK, _ERR, _RAW"
        ))),
    }
}

/// One result: rows if there is a `resultset`, else OK.
fn ok_or_rows(fields: &Bound<'_, PyDict>, context: Context) -> PyResult<Reply> {
    match members::get(fields, "resultset")? {
        Some(resultset) => rows::encode(&resultset, fields, context),
        None => ok(fields, context),
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

fn err(fields: &Bound<'_, PyDict>, before_handshake: bool) -> PyResult<Reply> {
    let message = match members::get(fields, "errmsg")? {
        Some(message) => text::to_bytes(&message, "proxy.response.errmsg")?,
        None => DEFAULT_MESSAGE.to_vec(),
    };
    let code = match members::get(fields, "errcode")? {
        // As in Lua, where a string of digits is as good as a number.
        Some(code) if code.is_instance_of::<PyString>() => {
            members::integer(&PyInt::type_object(code.py()).call1((code,))?, "errcode")?
        }
        Some(code) => members::integer(&code, "errcode")?,
        None => ER_UNKNOWN_ERROR.number,
    };
    let state = match members::get(fields, "sqlstate")? {
        Some(state) => text::to_bytes(&state, "proxy.response.sqlstate")?
            .try_into()
            .map_err(|_| PyValueError::new_err("proxy.response.sqlstate must have 5 characters"))?,
        None => DEFAULT_STATE,
    };
    let sqlstate = (!before_handshake).then_some(state);
    one(ErrPacket { code, sqlstate, message: &message }.encode())
}

/// One payload, or an iterable of them, which scripts know under this name.
pub fn raw(packets: &Bound<'_, PyAny>, name: &str, max_bytes: usize) -> PyResult<Reply> {
    if text::is_data(packets) {
        return one(text::to_bytes(packets, name)?);
    }
    let mut budget = Budget::new(max_bytes);
    let mut payloads = Vec::new();
    for packet in packets.try_iter()? {
        let payload = text::to_bytes(&packet?, &format!("a member of {name}"))?;
        budget.spend(payload.len())?;
        payloads.push(payload);
    }
    Reply::from_packets(payloads).ok_or_else(|| PyValueError::new_err(format!("{name} is empty")))
}

fn one(payload: Vec<u8>) -> PyResult<Reply> {
    Reply::from_packets(vec![payload]).ok_or_else(|| PyValueError::new_err("the response is empty"))
}
