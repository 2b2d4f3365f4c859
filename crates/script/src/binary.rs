//! Cells of the binary protocol as Python objects.
//!
//! Types that Python has no value for (the date of zeros, days that are not in the calendar) become the text that the
//! text protocol has for them, and that text is taken back.

use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyString};
use wire::binary::{BinaryValue, DateTime};

use crate::column::Column;
use crate::values;

/// Most digits of a fraction of a second. More in a column's `decimals` means "not fixed".
const MAX_FRACTION: u8 = 6;

/// Loads Python's `datetime`. Later a script may have put something else in its place, and rows are decoded at moments
/// when no Python code may run.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    PyDelta::new(py, 0, 0, 0, false).map(drop)
}

/// A cell for the script.
pub fn decode<'py>(
    py: Python<'py>,
    value: BinaryValue<'_>,
    column: &Column,
) -> PyResult<Bound<'py, PyAny>> {
    let moment = match value {
        BinaryValue::Bytes(bytes) => return column.codec.decode(py, bytes),
        BinaryValue::DateTime(moment) => moment,
        _ => return values::decode(py, value),
    };
    let decoded = values::decode(py, value)?;
    if decoded.is_instance_of::<PyString>() {
        return Ok(PyString::new(py, &date_time_text(moment, column.decimals)).into_any());
    }
    Ok(decoded)
}

/// The text protocol shows as many digits of the fraction as the column has, zeros too.
fn date_time_text(value: DateTime, decimals: u8) -> String {
    let text = value.to_string();
    if value.micros != 0 || !(1..=MAX_FRACTION).contains(&decimals) {
        return text;
    }
    format!("{text}.{:0width$}", 0, width = decimals.into())
}
