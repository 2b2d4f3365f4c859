//! `pyproxy.chassis`: what a script may ask of the host (`docs/library.md#pyproxychassis`).
//!
//! Unlike the objects of the proxy it works at any time and on any thread: nothing in it belongs to a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use std::ffi::CString;

use log::Level;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyString};

use crate::boundary::PANICS;
use crate::chassis::host;
use crate::embed::log_bridge;
use engine::Shared;

/// The module.
pub fn module<'py>(py: Python<'py>, shared: Arc<Shared>) -> PyResult<Bound<'py, PyModule>> {
    let module = PyModule::new(py, "pyproxy.chassis")?;
    module.setattr("__doc__", "What a script may ask of the program it runs in.")?;
    module.setattr("get_stats", get_stats(py, shared)?)?;
    module.add_function(wrap_pyfunction!(set_shutdown, &module)?)?;
    module.add_function(wrap_pyfunction!(log_at, &module)?)?;
    module.add_function(wrap_pyfunction!(error, &module)?)?;
    module.add_function(wrap_pyfunction!(critical, &module)?)?;
    module.add_function(wrap_pyfunction!(warning, &module)?)?;
    module.add_function(wrap_pyfunction!(message, &module)?)?;
    module.add_function(wrap_pyfunction!(info, &module)?)?;
    module.add_function(wrap_pyfunction!(debug, &module)?)?;
    Ok(module)
}

/// A closure, because a function of a module cannot know `shared`. The first line tells Python its signature.
fn get_stats<'py>(py: Python<'py>, shared: Arc<Shared>) -> PyResult<Bound<'py, PyCFunction>> {
    let doc = c"get_stats()\n--\n\n\
        The numbers that the plugin counts since its start, by name.\n\n\
        `connections`, `queries`, `queued_queries`, `malformed_packets`, `panics`, `python_wait_micros`, and for each hook\n\
        `<hook>.calls`, `<hook>.errors` and `<hook>.micros`. A new dict each time.";
    PyCFunction::new_closure(py, Some(c"get_stats"), Some(doc), move |arguments, keywords| {
        if !arguments.is_empty() || keywords.is_some_and(|keywords| !keywords.is_empty()) {
            return Err(PyTypeError::new_err("get_stats() takes no arguments"));
        }
        let stats = PyDict::new(arguments.py());
        for (name, number) in shared.stats.report(PANICS.load(Ordering::Relaxed)) {
            stats.set_item(name, number)?;
        }
        Ok(stats.unbind())
    })
}

/// Asks the host to end: connections are closed, `shutdown(proxy)` is called. Returns at once.
#[pyfunction]
fn set_shutdown(py: Python<'_>) -> PyResult<()> {
    let location = CString::new(caller(py)?)?;
    py.detach(|| host::request_shutdown(&location));
    Ok(())
}

/// Writes a line to the host's log, with the place it was called from.
///
/// `level` is "error", "critical", "warning", "message", "info" or "debug". "error" is written as critical: a script
/// does not abort the proxy.
#[pyfunction]
#[pyo3(name = "log")]
fn log_at(py: Python<'_>, level: &str, text: &Bound<'_, PyAny>) -> PyResult<()> {
    match level {
        "error" => error(py, text),
        "critical" => critical(py, text),
        "warning" => warning(py, text),
        "message" => message(py, text),
        "info" => info(py, text),
        "debug" => debug(py, text),
        _ => Err(PyValueError::new_err(format!("there is no log level {level:?}"))),
    }
}

/// Writes to the host's log at level critical: GLib's own level error would abort the proxy.
#[pyfunction]
fn error(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    critical(py, text)
}

/// Writes to the host's log at level critical.
#[pyfunction]
fn critical(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, log_bridge::SCRIPT, Level::Error, text)
}

/// Writes to the host's log at level warning.
#[pyfunction]
fn warning(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, log_bridge::SCRIPT, Level::Warn, text)
}

/// Writes to the host's log at level message, between warning and info.
#[pyfunction]
fn message(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, log_bridge::MESSAGE, Level::Info, text)
}

/// Writes to the host's log at level info.
#[pyfunction]
fn info(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, log_bridge::SCRIPT, Level::Info, text)
}

/// Writes to the host's log at level debug.
#[pyfunction]
fn debug(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, log_bridge::SCRIPT, Level::Debug, text)
}

fn write(py: Python<'_>, target: &str, level: Level, text: &Bound<'_, PyAny>) -> PyResult<()> {
    let line = format!("({}) {}", caller(py)?, text.str()?.to_string_lossy());
    log_bridge::send(py, target, level, &line);
    Ok(())
}

/// `file:line` of the Python code that runs now: a function written in Rust has no frame of its own.
fn caller(py: Python<'_>) -> PyResult<String> {
    let frame = py.import("sys")?.call_method0("_getframe")?;
    let path = frame.getattr("f_code")?.getattr("co_filename")?;
    let path = path.cast::<PyString>()?.to_string_lossy().into_owned();
    let file = path.rsplit('/').next().unwrap_or_default();
    Ok(format!("{file}:{}", frame.getattr("f_lineno")?))
}
