//! Values of the binary protocol as Python objects.
//!
//! Dates and times that Python has no value for (the date of zeros, days that are not in the calendar) become the text
//! that the text protocol has for them.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDelta, PyString};
use wire::binary::{BinaryValue, Date, DateTime, Time};

/// A cell or a parameter for Python.
pub fn decode<'py>(py: Python<'py>, value: BinaryValue<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        BinaryValue::Null => Ok(py.None().into_bound(py)),
        BinaryValue::Int(number) => number.into_bound_py_any(py),
        BinaryValue::UInt(number) => number.into_bound_py_any(py),
        BinaryValue::Float(number) => f64::from(number).into_bound_py_any(py),
        BinaryValue::Double(number) => number.into_bound_py_any(py),
        BinaryValue::Bytes(bytes) => Ok(PyBytes::new(py, bytes).into_any()),
        BinaryValue::Date(value) => or_text(py, date(py, value), || value.to_string()),
        BinaryValue::DateTime(value) => or_text(py, date_time(py, value), || value.to_string()),
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

fn delta<'py>(py: Python<'py>, value: Time) -> PyResult<Bound<'py, PyDelta>> {
    let sign = if value.negative { -1 } else { 1 };
    let days = i32::try_from(value.days)?;
    let (hours, minutes) = (i32::from(value.hours), i32::from(value.minutes));
    let seconds = (hours * 60 + minutes) * 60 + i32::from(value.seconds);
    let micros = i32::try_from(value.micros)?;
    PyDelta::new(py, sign * days, sign * seconds, sign * micros, true)
}
