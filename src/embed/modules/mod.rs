//! Modules that scripts import: written in Rust, made when Python starts.

mod chassis;

use pyo3::prelude::*;

use super::{classes, constants};
use crate::session::Shared;

/// The package `pyproxy`: the classes of the objects a script gets, the constants, and the modules in it.
pub fn package<'py>(
    py: Python<'py>,
    shared: &'static Shared,
    host_version: u32,
) -> PyResult<Bound<'py, PyModule>> {
    let package = PyModule::new(py, "pyproxy")?;
    package
        .setattr("__doc__", "The objects and constants of the MySQL proxy this script runs in.")?;
    classes::add_to(&package)?;
    constants::set_on(package.as_any(), host_version)?;
    package.setattr("chassis", chassis::module(py, shared)?)?;
    Ok(package)
}
