//! The password functions (`docs/library.md#pyproxypassword`), on top of `wire::password`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::password::{self, Hash};

use crate::data::Data;

/// A hash of 20 bytes; `None` for another length.
fn hash(bytes: &Data<'_>) -> Option<Hash> {
    bytes.as_bytes().try_into().ok()
}

fn needed(name: &str, bytes: &Data<'_>) -> PyResult<Hash> {
    hash(bytes).ok_or_else(|| {
        PyValueError::new_err(format!("{name} has 20 bytes, not {}", bytes.as_bytes().len()))
    })
}

fn answer(py: Python<'_>, made: Option<Hash>) -> PyResult<Bound<'_, PyBytes>> {
    made.map(|hash| PyBytes::new(py, &hash))
        .ok_or_else(|| PyValueError::new_err("the challenge has 20 bytes, or 21 with its NUL"))
}

#[pyfunction]
#[pyo3(signature = (password, /))]
fn password_hash<'py>(py: Python<'py>, password: Data<'py>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &password::hash(password.as_bytes()))
}

#[pyfunction]
#[pyo3(signature = (challenge, hashed, /))]
fn password_scramble<'py>(
    py: Python<'py>,
    challenge: Data<'py>,
    hashed: Data<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    answer(py, password::scramble(challenge.as_bytes(), &needed("the hash", &hashed)?))
}

#[pyfunction]
#[pyo3(signature = (challenge, response, double_hashed, /))]
fn password_unscramble<'py>(
    py: Python<'py>,
    challenge: Data<'py>,
    response: Data<'py>,
    double_hashed: Data<'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let response = needed("the response", &response)?;
    let double_hashed = needed("the double hash", &double_hashed)?;
    answer(py, password::unscramble(challenge.as_bytes(), &response, &double_hashed))
}

#[pyfunction]
#[pyo3(signature = (challenge, response, double_hashed, /))]
fn password_check(challenge: Data<'_>, response: Data<'_>, double_hashed: Data<'_>) -> bool {
    match (hash(&response), hash(&double_hashed)) {
        (Some(response), Some(stored)) => password::check(challenge.as_bytes(), &response, &stored),
        _ => false,
    }
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(password_hash, module)?)?;
    module.add_function(wrap_pyfunction!(password_scramble, module)?)?;
    module.add_function(wrap_pyfunction!(password_unscramble, module)?)?;
    module.add_function(wrap_pyfunction!(password_check, module)?)
}
