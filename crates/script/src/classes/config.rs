//! `proxy.globals.config`: the effective options.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The value of one attribute of `proxy.globals.config`.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigValue {
    /// A `str`.
    Text(String),
    /// A tuple of `str`.
    TextList(Vec<String>),
    /// A `bool`.
    Bool(bool),
    /// An `int`.
    Bytes(usize),
    /// A `float`.
    Seconds(f64),
    /// A `str`.
    Path(PathBuf),
    /// None.
    None,
}

/// The effective options as attributes, and whatever a script adds.
#[pyclass(frozen, dict, module = "pyproxy")]
#[derive(Debug)]
pub struct Config {}

impl Config {
    /// With these options as attributes.
    pub fn with_options<'py>(
        py: Python<'py>,
        options: &[(&'static str, ConfigValue)],
    ) -> PyResult<Bound<'py, Self>> {
        let config = Bound::new(py, Self {})?;
        for (name, value) in options {
            match value {
                ConfigValue::Text(text) => config.setattr(*name, text)?,
                ConfigValue::TextList(list) => config.setattr(*name, PyTuple::new(py, list)?)?,
                ConfigValue::Bool(flag) => config.setattr(*name, *flag)?,
                ConfigValue::Bytes(bytes) => config.setattr(*name, *bytes)?,
                ConfigValue::Seconds(seconds) => config.setattr(*name, *seconds)?,
                ConfigValue::Path(path) => config.setattr(*name, path.as_os_str())?,
                ConfigValue::None => config.setattr(*name, py.None())?,
            }
        }
        Ok(config)
    }
}

#[pymethods]
impl Config {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<pyproxy.Config {}>", slf.getattr("__dict__")?.repr()?.to_string_lossy()))
    }
}
