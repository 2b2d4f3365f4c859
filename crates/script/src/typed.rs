//! Cells of the text protocol as the values that they are, for `rows.typed()`.
//!
//! What Python has no value for (the date of zeros, text that is not of its column's type) stays the text that it is.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use wire::binary::{BinaryValue, ValueType};
use wire::result::ColumnType;

use crate::binary;
use crate::column::Column;

/// A cell of a text row as a value.
pub fn from_text<'py>(
    py: Python<'py>,
    text: &[u8],
    column: &Column,
) -> PyResult<Bound<'py, PyAny>> {
    let value_type = match column.column_type {
        ColumnType::DECIMAL | ColumnType::NEWDECIMAL => return decimal(py, text, column),
        // All the digits that the text has.
        ColumnType::FLOAT => ValueType::new(ColumnType::DOUBLE),
        _ => column.value_type(),
    };
    match BinaryValue::from_text(text, value_type) {
        Ok(BinaryValue::Bytes(_)) | Err(_) => column.codec.decode(py, text),
        Ok(value) => binary::decode(py, value, column),
    }
}

/// A cell of a binary row: only decimals come as text.
pub fn from_binary<'py>(
    py: Python<'py>,
    value: BinaryValue<'_>,
    column: &Column,
) -> PyResult<Bound<'py, PyAny>> {
    match (value, column.column_type) {
        (BinaryValue::Bytes(text), ColumnType::DECIMAL | ColumnType::NEWDECIMAL) => {
            decimal(py, text, column)
        }
        _ => binary::decode(py, value, column),
    }
}

fn decimal<'py>(py: Python<'py>, text: &[u8], column: &Column) -> PyResult<Bound<'py, PyAny>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let text = column.codec.decode(py, text)?;
    let made = DECIMAL.import(py, "decimal", "Decimal")?.call1((&text,));
    Ok(made.unwrap_or(text))
}
