//! ERR, OK and EOF.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::Capabilities;
use wire::reply::{EofPacket, ErrPacket, OkPacket, StatusFlags};

use super::{checked, payload};
use crate::data::Data;
use crate::error::{Number, PacketError};

/// Clients and servers in front of which no one has agreed on session tracking.
const PLAIN: Capabilities = Capabilities::empty();

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_err<'py>(
    py: Python<'py>,
    packet: Data<'py>,
) -> PyResult<(u16, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let ErrPacket { code, sqlstate, message } = checked(ErrPacket::parse(packet.as_bytes()))?;
    Ok((code, payload(py, sqlstate.as_ref().map_or(&[][..], |state| state)), payload(py, message)))
}

#[pyfunction]
#[pyo3(signature = (errcode, sqlstate, errmsg, /))]
fn encode_err<'py>(
    py: Python<'py>,
    errcode: Number<u16>,
    sqlstate: Data<'py>,
    errmsg: Data<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let sqlstate = match sqlstate.as_bytes() {
        [] => None,
        state => Some(state.try_into().map_err(|_| {
            PacketError::new_err(format!("an SQLSTATE has 5 bytes, not {}", state.len()))
        })?),
    };
    let err = ErrPacket { code: errcode.0, sqlstate, message: errmsg.as_bytes() };
    Ok(payload(py, err.encode()))
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_ok(packet: Data<'_>) -> PyResult<(u64, u64, u16, u16)> {
    let ok = checked(OkPacket::parse(packet.as_bytes(), PLAIN))?;
    Ok((ok.affected_rows, ok.insert_id, ok.status.bits(), ok.warnings))
}

#[pyfunction]
#[pyo3(signature = (affected_rows, insert_id, server_status, warnings, /))]
fn encode_ok(
    py: Python<'_>,
    affected_rows: Number<u64>,
    insert_id: Number<u64>,
    server_status: Number<u16>,
    warnings: Number<u16>,
) -> Bound<'_, PyBytes> {
    let ok = OkPacket {
        affected_rows: affected_rows.0,
        insert_id: insert_id.0,
        status: StatusFlags::from_bits_retain(server_status.0),
        warnings: warnings.0,
        ..OkPacket::default()
    };
    payload(py, ok.encode(PLAIN))
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_eof(packet: Data<'_>) -> PyResult<(u16, u16)> {
    let EofPacket { warnings, status } = checked(EofPacket::parse(packet.as_bytes()))?;
    Ok((status.bits(), warnings))
}

#[pyfunction]
#[pyo3(signature = (server_status, warnings, /))]
fn encode_eof(
    py: Python<'_>,
    server_status: Number<u16>,
    warnings: Number<u16>,
) -> Bound<'_, PyBytes> {
    let status = StatusFlags::from_bits_retain(server_status.0);
    payload(py, EofPacket { warnings: warnings.0, status }.encode())
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decode_err, module)?)?;
    module.add_function(wrap_pyfunction!(encode_err, module)?)?;
    module.add_function(wrap_pyfunction!(decode_ok, module)?)?;
    module.add_function(wrap_pyfunction!(encode_ok, module)?)?;
    module.add_function(wrap_pyfunction!(decode_eof, module)?)?;
    module.add_function(wrap_pyfunction!(encode_eof, module)?)
}
