#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod data;
mod error;
mod lexer;
mod packets;
mod password;
#[cfg(feature = "testing")]
mod testing;
mod tokens;
mod values;

use pyo3::prelude::*;

/// The module for an interpreter that is embedded in this process.
///
/// It is not entered into `sys.modules`: who imports it decides when.
pub fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let module = PyModule::new(py, "pyproxy._native")?;
    fill(&module)?;
    Ok(module)
}

fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.setattr(
        "__doc__",
        "The native part of the library: SQL tokenizer and lexer, packet codecs, password functions.",
    )?;
    module.setattr("__version__", env!("CARGO_PKG_VERSION"))?;
    error::add_to(module)?;
    tokens::add_to(module)?;
    lexer::add_to(module)?;
    password::add_to(module)?;
    packets::add_to(module)?;
    script::made::add_to(module)?;
    #[cfg(feature = "testing")]
    testing::add_to(module)?;
    Ok(())
}

/// The entry point of the extension module.
#[cfg(feature = "abi3")]
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    fill(module)
}
