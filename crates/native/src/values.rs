//! Cells and parameters as the codecs take and give them.

use pyo3::prelude::*;
use script::values::append_scalar;
use wire::binary::ValueType;
use wire::result::ColumnType;

use crate::data::Data;

pub use script::values::decode;

/// A type as Python gives it: its byte, and whether integers are unsigned.
pub type TypePair = (u8, bool);

/// The type that the pair means.
pub fn value_type((column_type, unsigned): TypePair) -> ValueType {
    ValueType { column_type: ColumnType(column_type), unsigned }
}

/// The text of a cell; `None` for NULL. What is no number, date or time must be text or bytes-like.
pub fn text_of(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if value.is_none() {
        return Ok(None);
    }
    let mut text = Vec::new();
    if append_scalar(value, &mut text)?.is_none() {
        text.extend_from_slice(value.extract::<Data<'_>>()?.as_bytes());
    }
    Ok(Some(text))
}
