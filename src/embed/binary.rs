//! Cells of the binary protocol as Python objects.
//!
//! Types that Python has no value for (the date of zeros, days that are not in the calendar) become the text that the
//! text protocol has for them, and that text is taken back.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDelta, PyString};
use wire::binary::{BinaryValue, Date, DateTime, Time};

use super::column::Column;

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
    match value {
        BinaryValue::Null => Ok(py.None().into_bound(py)),
        BinaryValue::Int(number) => number.into_bound_py_any(py),
        BinaryValue::UInt(number) => number.into_bound_py_any(py),
        BinaryValue::Float(number) => f64::from(number).into_bound_py_any(py),
        BinaryValue::Double(number) => number.into_bound_py_any(py),
        BinaryValue::Bytes(bytes) => column.codec.decode(py, bytes),
        BinaryValue::Date(value) => or_text(py, date(py, value), || value.to_string()),
        BinaryValue::DateTime(value) => {
            or_text(py, date_time(py, value), || date_time_text(value, column.decimals))
        }
        BinaryValue::Time(value) => or_text(py, delta(py, value), || value.to_string()),
    }
}

/// What was made, or the text if the value is none that Python has.
fn or_text<'py, T>(
    py: Python<'py>,
    made: PyResult<Bound<'py, T>>,
    text: impl FnOnce() -> String,
) -> PyResult<Bound<'py, PyAny>> {
    match made {
        Ok(value) => Ok(value.into_any()),
        Err(error)
            if error.is_instance_of::<PyValueError>(py)
                || error.is_instance_of::<PyOverflowError>(py) =>
        {
            Ok(PyString::new(py, &text()).into_any())
        }
        Err(error) => Err(error),
    }
}

fn date<'py>(py: Python<'py>, value: Date) -> PyResult<Bound<'py, PyDate>> {
    PyDate::new(py, value.year.into(), value.month, value.day)
}

fn date_time<'py>(py: Python<'py>, value: DateTime) -> PyResult<Bound<'py, PyDateTime>> {
    let DateTime { date, hour, minute, second, micros } = value;
    let year = date.year.into();
    PyDateTime::new(py, year, date.month, date.day, hour, minute, second, micros, None)
}

/// The text protocol shows as many digits of the fraction as the column has, zeros too.
fn date_time_text(value: DateTime, decimals: u8) -> String {
    let text = value.to_string();
    if value.micros != 0 || !(1..=MAX_FRACTION).contains(&decimals) {
        return text;
    }
    format!("{text}.{:0width$}", 0, width = decimals.into())
}

fn delta<'py>(py: Python<'py>, value: Time) -> PyResult<Bound<'py, PyDelta>> {
    let sign = if value.negative { -1 } else { 1 };
    let days = i32::try_from(value.days)?;
    let (hours, minutes) = (i32::from(value.hours), i32::from(value.minutes));
    let seconds = (hours * 60 + minutes) * 60 + i32::from(value.seconds);
    let micros = i32::try_from(value.micros)?;
    PyDelta::new(py, sign * days, sign * seconds, sign * micros, true)
}
