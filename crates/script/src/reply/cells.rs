//! One cell of a row in the text protocol, which is also where cells of the binary protocol start from.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::codec::Codec;
use crate::text;
use crate::values::append_scalar;

/// What a cell is in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None: NULL.
    Null,
    /// `str`.
    Text,
    /// `bytes` and its like.
    Bytes,
    /// Anything else: its text has ASCII characters only, or is what its `str()` is.
    Other,
}

/// Appends the text of `value` to `out`; nothing for NULL.
pub fn encode(value: &Bound<'_, PyAny>, codec: Codec, out: &mut Vec<u8>) -> PyResult<Kind> {
    if let Ok(string) = value.cast::<PyString>() {
        codec.encode(string, out)?;
        return Ok(Kind::Text);
    }
    if value.is_none() {
        return Ok(Kind::Null);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        out.extend_from_slice(bytes.as_bytes());
        return Ok(Kind::Bytes);
    }
    if append_scalar(value, out)? {
        return Ok(Kind::Other);
    }
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        out.extend_from_slice(&text::to_bytes(value, "a cell")?);
        return Ok(Kind::Bytes);
    }
    codec.encode(&value.str()?, out)?;
    Ok(Kind::Text)
}
