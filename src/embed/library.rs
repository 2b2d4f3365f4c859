//! The Python library in the plugin: the package `pyproxy`, source texts included (scripting API 6).
//!
//! `build.rs` collects the texts from `python/pyproxy`; `library.py` imports them.

use std::sync::Arc;

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::{ffi, intern};

use super::chassis;
use engine::Shared;

include!(concat!(env!("OUT_DIR"), "/library_sources.rs"));

/// Makes the package importable: before everything else on the path.
pub fn install(py: Python<'_>, shared: Arc<Shared>, host_version: u32) -> PyResult<()> {
    let plugin = PyModule::new(py, "pyproxy._plugin")?;
    plugin
        .setattr("__doc__", "The objects and constants of the MySQL proxy this script runs in.")?;
    script::add_to(&plugin, host_version)?;
    let ready = [plugin, chassis::module(py, shared)?, pyproxy_native::module(py)?];
    let ready: HashMap<String, _> = ready
        .into_iter()
        .map(|module| Ok((module.name()?.to_string_lossy().into_owned(), module)))
        .collect::<PyResult<_>>()?;

    let code = ffi::c_str!(include_str!("library.py"));
    let importer = PyModule::from_code(py, code, c"<pyproxy library>", c"_pyproxy_library")?;
    let library = importer.getattr(intern!(py, "Library"))?.call1((ready, sources()?))?;
    let path = py.import("sys")?.getattr(intern!(py, "meta_path"))?;
    path.call_method1(intern!(py, "insert"), (0, library))?;
    Ok(())
}

/// Name, file and text of each module.
#[cfg(not(debug_assertions))]
fn sources() -> PyResult<Vec<(String, String, String)>> {
    Ok(carried())
}

/// Name, file and text of each module. A debug build prefers the folder that `PYPROXY_LIBRARY` names, so that a change
/// in the library needs no build to be tried.
#[cfg(debug_assertions)]
fn sources() -> PyResult<Vec<(String, String, String)>> {
    let Some(folder) = std::env::var_os("PYPROXY_LIBRARY") else { return Ok(carried()) };
    let folder = std::path::PathBuf::from(folder);
    let read = |(name, file, _): (String, String, String)| {
        let text = std::fs::read_to_string(folder.join(&file))?;
        Ok((name, file, text))
    };
    carried().into_iter().map(read).collect()
}

fn carried() -> Vec<(String, String, String)> {
    SOURCES
        .iter()
        .map(|(name, file, text)| ((*name).to_owned(), (*file).to_owned(), (*text).to_owned()))
        .collect()
}
