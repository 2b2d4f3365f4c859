//! Reading members of a response or of one of its mappings, with errors that name them.

use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};

use crate::similar::proposal;

/// What is set under `name`; None counts as not set.
pub fn get<'py>(fields: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(fields.get_item(name)?.filter(|value| !value.is_none()))
}

/// Refuses keys that mean nothing: one that is misspelt would be left out without a word. `what` is what has the keys.
pub fn check_keys(fields: &Bound<'_, PyDict>, known: &[&str], what: &str) -> PyResult<()> {
    for key in fields.keys() {
        let text = key.str()?.to_string_lossy().into_owned();
        if !known.contains(&text.as_str()) {
            let meant = proposal(&text, known.iter().copied());
            return Err(PyValueError::new_err(format!(
                "{what} has an unknown key {text:?}{meant}"
            )));
        }
    }
    Ok(())
}

/// An integer in the range of `T`.
pub fn integer<'py, T: FromPyObjectOwned<'py>>(
    value: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<T> {
    if !value.is_instance_of::<PyInt>() {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{name} must be an int, not {kind}")));
    }
    value.extract().map_err(|_| PyValueError::new_err(format!("{name} is out of range: {value}")))
}

/// The integer under `name`, or `default`.
pub fn integer_or<'py, T: FromPyObjectOwned<'py>>(
    fields: &Bound<'py, PyDict>,
    name: &str,
    default: T,
) -> PyResult<T> {
    get(fields, name)?.map_or(Ok(default), |value| integer(&value, name))
}
