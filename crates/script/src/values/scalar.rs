//! Numbers, dates and times as MySQL writes them in a row of the text protocol. Values of the binary protocol start from
//! this text, too: one rule decides what a cell can be made of.

use std::io::Write;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyFloat, PyInt, PyString,
    PyTime, PyTimeAccess, PyType,
};
use pyo3::{PyTypeInfo, intern};

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// What a number, date or time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// `int` and `bool`.
    Integer,
    /// `float`.
    Float,
    /// `decimal.Decimal`.
    Decimal,
    /// `datetime.date`.
    Date,
    /// `datetime.datetime`.
    DateTime,
    /// `datetime.time` and `datetime.timedelta`.
    Time,
}

/// Appends the text of a number, date or time, which is ASCII. `None`, and nothing appended, for other objects.
///
/// Raises ValueError for numbers that MySQL has no text for: infinities and NaN.
pub fn append_scalar(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<Option<Scalar>> {
    Ok(Some(if let Ok(flag) = value.cast::<PyBool>() {
        out.push(if flag.is_true() { b'1' } else { b'0' });
        Scalar::Integer
    } else if let Ok(number) = value.cast::<PyInt>() {
        integer(number, out)?;
        Scalar::Integer
    } else if let Ok(number) = value.cast::<PyFloat>() {
        float(number, out)?;
        Scalar::Float
    } else if let Ok(moment) = value.cast::<PyDateTime>() {
        date(moment, out);
        out.push(b' ');
        time(moment, out);
        Scalar::DateTime
    } else if let Ok(day) = value.cast::<PyDate>() {
        date(day, out);
        Scalar::Date
    } else if let Ok(moment) = value.cast::<PyTime>() {
        time(moment, out);
        Scalar::Time
    } else if let Ok(span) = value.cast::<PyDelta>() {
        delta(span, out);
        Scalar::Time
    } else if is_decimal(value)? {
        decimal(value, out)?;
        Scalar::Decimal
    } else {
        return Ok(None);
    }))
}

/// Writing into a Vec cannot fail.
macro_rules! append {
    ($out:expr, $($format:tt)*) => {
        write!($out, $($format)*).expect("a Vec grows")
    };
}

fn integer(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(small) = number.extract::<i64>() {
        append!(out, "{small}");
        return Ok(());
    }
    // By way of the type: an enum's own text is its name.
    let py = number.py();
    let digits = PyInt::type_object(py).call_method1(intern!(py, "__repr__"), (number,))?;
    append_ascii(&digits, out)
}

fn float(number: &Bound<'_, PyFloat>, out: &mut Vec<u8>) -> PyResult<()> {
    let value = number.value();
    if !value.is_finite() {
        return Err(no_form(value));
    }
    // Python's repr and Rust's debug form are both the shortest that reads back; Python's has the exponent MySQL
    // writes.
    append_ascii(PyFloat::new(number.py(), value).repr()?.as_any(), out)
}

fn append_ascii(text: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    out.extend_from_slice(text.cast::<PyString>()?.to_cow()?.as_bytes());
    Ok(())
}

fn no_form(value: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{value} has no form in MySQL"))
}

fn date(day: &impl PyDateAccess, out: &mut Vec<u8>) {
    append!(out, "{:04}-{:02}-{:02}", day.get_year(), day.get_month(), day.get_day());
}

fn time(moment: &impl PyTimeAccess, out: &mut Vec<u8>) {
    append!(out, "{:02}:{:02}:{:02}", moment.get_hour(), moment.get_minute(), moment.get_second());
    fraction(i64::from(moment.get_microsecond()), out);
}

/// `[-]hours:minutes:seconds`, hours without limit.
fn delta(span: &Bound<'_, PyDelta>, out: &mut Vec<u8>) {
    let seconds = i64::from(span.get_days()) * SECONDS_PER_DAY + i64::from(span.get_seconds());
    let micros = i64::from(span.get_microseconds());
    // Python keeps the smaller parts positive: -1 s is -1 day and 86399 s.
    let (sign, seconds, micros) = match (seconds < 0, micros) {
        (false, _) => ("", seconds, micros),
        (true, 0) => ("-", -seconds, 0),
        (true, _) => ("-", -seconds - 1, MICROS_PER_SECOND - micros),
    };
    append!(out, "{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    fraction(micros, out);
}

fn fraction(micros: i64, out: &mut Vec<u8>) {
    if micros != 0 {
        append!(out, ".{micros:06}");
    }
}

fn is_decimal(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    value.is_instance(DECIMAL.import(value.py(), "decimal", "Decimal")?)
}

/// Without exponent, which a DECIMAL column never has.
fn decimal(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if !value.call_method0(intern!(value.py(), "is_finite"))?.is_truthy()? {
        return Err(no_form(value));
    }
    append_ascii(&value.call_method1(intern!(value.py(), "__format__"), ("f",))?, out)
}
