//! One cell of a row in the text protocol, which is also where cells of the binary protocol start from.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::codec::Codec;
use crate::text;
use crate::values::append_scalar;

/// Appends the text of `value` to `out`; `false`, and nothing appended, for NULL.
pub fn encode(value: &Bound<'_, PyAny>, codec: Codec, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(string) = value.cast::<PyString>() {
        codec.encode(string, out)?;
    } else if value.is_none() {
        return Ok(false);
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        out.extend_from_slice(bytes.as_bytes());
    } else if !append_scalar(value, out)? {
        if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
            out.extend_from_slice(&text::to_bytes(value, "a cell")?);
        } else {
            codec.encode(&value.str()?, out)?;
        }
    }
    Ok(true)
}
