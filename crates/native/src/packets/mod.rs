//! Packets for Python (`docs/library.md#pyproxyproto`): payloads without header to plain tuples and back, on top of
//! `wire`.
//!
//! `python/pyproxy/_native.pyi` says what each function takes and gives.

#![allow(clippy::too_many_arguments, reason = "an argument per field of a packet")]

mod connect;
mod parameters;
mod replies;
mod results;
mod statements;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::WireError;

use crate::error;

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    replies::add_to(module)?;
    connect::add_to(module)?;
    statements::add_to(module)?;
    parameters::add_to(module)?;
    results::add_to(module)
}

/// The answer of `wire`, its errors as exceptions.
fn checked<T>(result: Result<T, WireError>) -> PyResult<T> {
    result.map_err(error::packet)
}

/// A payload for Python.
fn payload(py: Python<'_>, bytes: impl AsRef<[u8]>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, bytes.as_ref())
}
