//! What ends an answer.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use wire::reply::StatusFlags;

use super::context::Context;
use super::members;

/// `server_status` and `warnings`, for OK and for the end of a result set.
pub fn status_and_warnings(
    fields: &Bound<'_, PyDict>,
    context: Context,
) -> PyResult<(StatusFlags, u16)> {
    let status = members::integer_or(fields, "server_status", context.status.bits())?;
    let mut status = StatusFlags::from_bits_retain(status);
    if let Some(is_last) = context.is_last {
        status.set(StatusFlags::MORE_RESULTS_EXISTS, !is_last);
    } else if status.contains(StatusFlags::MORE_RESULTS_EXISTS) {
        return Err(PyValueError::new_err(
            "proxy.response.server_status announces another result: there is none",
        ));
    }
    Ok((status, members::integer_or(fields, "warnings", 0)?))
}
