//! One cell of a row in the text protocol, which is also where cells of the binary protocol start from.

use std::io::Write;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess,
    PyFloat, PyInt, PyMemoryView, PyString, PyTime, PyTimeAccess, PyType,
};
use pyo3::{ffi, intern};

use crate::embed::codec::Codec;
use crate::embed::text;

const SECONDS_PER_DAY: i64 = 86_400;

/// Appends the text of `value` to `out`; `false`, and nothing appended, for NULL.
pub fn encode(value: &Bound<'_, PyAny>, codec: Codec, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(string) = value.cast::<PyString>() {
        codec.encode(string, out)?;
    } else if value.is_none() {
        return Ok(false);
    } else if let Ok(flag) = value.cast::<PyBool>() {
        out.push(if flag.is_true() { b'1' } else { b'0' });
    } else if let Ok(number) = value.cast::<PyInt>() {
        integer(number, out)?;
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        out.extend_from_slice(bytes.as_bytes());
    } else if let Ok(number) = value.cast::<PyFloat>() {
        float(number, out)?;
    } else if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        out.extend_from_slice(&text::to_bytes(value, "a cell")?);
    } else if let Ok(moment) = value.cast::<PyDateTime>() {
        date(moment, out);
        out.push(b' ');
        time(moment, out);
    } else if let Ok(day) = value.cast::<PyDate>() {
        date(day, out);
    } else if let Ok(moment) = value.cast::<PyTime>() {
        time(moment, out);
    } else if let Ok(span) = value.cast::<PyDelta>() {
        delta(span, out);
    } else if is_decimal(value)? {
        decimal(value, codec, out)?;
    } else {
        codec.encode(&value.str()?, out)?;
    }
    Ok(true)
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
    // SAFETY: INV-8: a live int; gives a new reference or sets an error.
    let digits = unsafe {
        Bound::from_owned_ptr_or_err(number.py(), ffi::PyNumber_ToBase(number.as_ptr(), 10))
    }?;
    out.extend_from_slice(digits.cast::<PyString>()?.to_str()?.as_bytes());
    Ok(())
}

fn float(number: &Bound<'_, PyFloat>, out: &mut Vec<u8>) -> PyResult<()> {
    let value = number.value();
    if !value.is_finite() {
        return Err(PyValueError::new_err(format!("{value} has no form in MySQL")));
    }
    // Python's repr and Rust's debug form are both the shortest that reads back; Python's has the exponent MySQL
    // writes.
    let float = PyFloat::new(number.py(), value);
    out.extend_from_slice(float.repr()?.to_str()?.as_bytes());
    Ok(())
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
        (true, _) => ("-", -seconds - 1, 1_000_000 - micros),
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
fn decimal(value: &Bound<'_, PyAny>, codec: Codec, out: &mut Vec<u8>) -> PyResult<()> {
    if !value.call_method0(intern!(value.py(), "is_finite"))?.is_truthy()? {
        return Err(PyValueError::new_err(format!("{value} has no form in MySQL")));
    }
    let text = value.call_method1(intern!(value.py(), "__format__"), ("f",))?;
    codec.encode(text.cast::<PyString>()?, out)
}
