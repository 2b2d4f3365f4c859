//! What has to be done once per interpreter.

use pyo3::prelude::*;

use crate::classes::proxy::Proxy;
use crate::{binary, constants};

/// Makes the interpreter ready for the objects of this crate: before any code of a script can have run.
///
/// `host_version` is `major << 16 | minor << 8 | patch`, the value of `proxy.PROXY_VERSION`.
pub fn prepare(py: Python<'_>, host_version: u32) -> PyResult<()> {
    binary::prepare(py)?;
    let proxy = py.get_type::<Proxy>();
    for (name, value) in constants::all(host_version) {
        proxy.setattr(name, value)?;
    }
    Ok(())
}

/// Adds every class and every constant to `module`, for annotations and `isinstance`.
pub fn add_to(module: &Bound<'_, PyModule>, host_version: u32) -> PyResult<()> {
    crate::classes::add_to(module)?;
    for (name, value) in constants::all(host_version) {
        module.add(name, value)?;
    }
    Ok(())
}
