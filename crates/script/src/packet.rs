//! Commands that a script gives: packets, or the text of a query.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use wire::Command;

use crate::codec::Codec;
use crate::text;
use engine::Session;

/// Begin text that has more behind them: as commands they have no argument.
const BLANKS: [char; 3] = ['\t', '\n', '\r'];

/// What can be a packet, as a value that does not change: `str`, or any bytes-like object as `bytes`. Not empty.
pub fn frozen<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let frozen = if value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>() {
        value.clone()
    } else if let Some(bytes) = text::buffer(value)? {
        bytes.into_any()
    } else {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "{name} must be str or a bytes-like object, not {kind}"
        )));
    };
    if frozen.len()? == 0 {
        return Err(PyValueError::new_err(format!(
            "{name} is empty: it must start with a command byte, or be SQL"
        )));
    }
    Ok(frozen)
}

/// Whether `value` is the text of a query, and no packet: it begins with what no command byte is written as.
pub fn is_sql(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Ok(text) = value.cast::<PyString>() else { return Ok(false) };
    let Some(first) = text.to_string_lossy().chars().next() else { return Ok(false) };
    if BLANKS.contains(&first) {
        return Ok(text.len()? > 1);
    }
    Ok(u32::from(first) >= 0x20)
}

/// A command out of what a script gives: text of a query in the client's character set, behind the byte of COM_QUERY; any
/// other text as UTF-8; bytes as they are.
pub fn encode(value: &Bound<'_, PyAny>, name: &str, codec: Codec) -> PyResult<Vec<u8>> {
    if !is_sql(value)? {
        return text::to_bytes(value, name);
    }
    let mut packet = vec![Command::QUERY.0];
    codec.encode(value.cast::<PyString>()?, &mut packet)?;
    Ok(packet)
}

/// The character set of the texts that a client sends: that of its login.
pub fn client_codec(session: &Session) -> Codec {
    let login = session.client.login.as_ref();
    login.map_or(Codec::Utf8, |login| Codec::of_collation(login.charset.into()))
}

/// Refuses what no server would understand: most likely SQL text without its command byte.
pub fn check_command(packet: &[u8]) -> PyResult<()> {
    let Some(&first) = packet.first().filter(|first| Command(**first).name().is_none()) else {
        return Ok(());
    };
    let sql = if first.is_ascii_graphic() {
        ": SQL in bytes needs the byte b\"\\x03\" (proxy.COM_QUERY) in front of it, a str does not"
    } else {
        ""
    };
    Err(PyValueError::new_err(format!(
        "packet begins with {first:#04x}, which is no command of the protocol{sql}"
    )))
}
