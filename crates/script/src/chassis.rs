//! `pyproxy.chassis`: what a script may ask of the program it runs in, which is a [`Host`]
//! (`docs/library.md#pyproxychassis`).
//!
//! Unlike the objects of the proxy it works at any time and on any thread: nothing in it belongs to a connection.

use std::fmt::Debug;
use std::sync::Arc;

use log::Level;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyString, PyTuple};

use crate::escape;
use crate::log_target::{MESSAGE, SCRIPT};

/// The program that a script runs in.
pub trait Host: Debug + Send + Sync + 'static {
    /// What was counted, by name.
    fn stats(&self) -> Vec<(String, u64)>;

    /// Asks the program to end. `place` is the `file:line` of the script that wants it.
    fn request_shutdown(&self, place: &str);
}

/// The module.
pub fn module(py: Python<'_>, host: Arc<dyn Host>) -> PyResult<Bound<'_, PyModule>> {
    let module = PyModule::new(py, "pyproxy.chassis")?;
    module.setattr("__doc__", "What a script may ask of the program it runs in.")?;
    module.add("get_stats", get_stats(py, Arc::clone(&host))?)?;
    module.add("set_shutdown", set_shutdown(py, host)?)?;
    module.add_function(wrap_pyfunction!(log_at, &module)?)?;
    module.add_function(wrap_pyfunction!(error, &module)?)?;
    module.add_function(wrap_pyfunction!(critical, &module)?)?;
    module.add_function(wrap_pyfunction!(warning, &module)?)?;
    module.add_function(wrap_pyfunction!(message, &module)?)?;
    module.add_function(wrap_pyfunction!(info, &module)?)?;
    module.add_function(wrap_pyfunction!(debug, &module)?)?;
    Ok(module)
}

/// A closure, because a function of a module cannot know `host`. The first line tells Python its signature.
fn get_stats(py: Python<'_>, host: Arc<dyn Host>) -> PyResult<Bound<'_, PyCFunction>> {
    let doc = c"get_stats()\n--\n\n\
        The numbers that the plugin counts since its start, by name.\n\n\
        `connections`, `queries`, `queued_queries`, `malformed_packets`, `panics`, `python_wait_micros`, and for each hook\n\
        `<hook>.calls`, `<hook>.errors` and `<hook>.micros`. A new dict each time.";
    PyCFunction::new_closure(py, Some(c"get_stats"), Some(doc), move |arguments, keywords| {
        no_arguments("get_stats", arguments, keywords)?;
        let stats = PyDict::new(arguments.py());
        for (name, number) in host.stats() {
            stats.set_item(name, number)?;
        }
        Ok::<_, PyErr>(stats.unbind())
    })
}

fn set_shutdown(py: Python<'_>, host: Arc<dyn Host>) -> PyResult<Bound<'_, PyCFunction>> {
    let doc = c"set_shutdown()\n--\n\n\
        Asks the host to end: connections are closed, `shutdown(proxy)` is called. Returns at once.";
    PyCFunction::new_closure(py, Some(c"set_shutdown"), Some(doc), move |arguments, keywords| {
        no_arguments("set_shutdown", arguments, keywords)?;
        let py = arguments.py();
        let place = caller(py)?;
        py.detach(|| host.request_shutdown(&place));
        Ok::<_, PyErr>(())
    })
}

fn no_arguments(
    name: &str,
    arguments: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    if arguments.is_empty() && keywords.is_none_or(|keywords| keywords.is_empty()) {
        return Ok(());
    }
    Err(PyTypeError::new_err(format!("{name}() takes no arguments")))
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
    write(py, SCRIPT, Level::Error, text)
}

/// Writes to the host's log at level warning.
#[pyfunction]
fn warning(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, SCRIPT, Level::Warn, text)
}

/// Writes to the host's log at level message, between warning and info.
#[pyfunction]
fn message(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, MESSAGE, Level::Info, text)
}

/// Writes to the host's log at level info.
#[pyfunction]
fn info(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, SCRIPT, Level::Info, text)
}

/// Writes to the host's log at level debug.
#[pyfunction]
fn debug(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<()> {
    write(py, SCRIPT, Level::Debug, text)
}

fn write(py: Python<'_>, target: &str, level: Level, text: &Bound<'_, PyAny>) -> PyResult<()> {
    let text = escape::one_line(&text.str()?.to_string_lossy());
    let line = format!("({}) {text}", caller(py)?);
    // The log may wait for a disk; other threads of the script need not.
    py.detach(|| log::log!(target: target, level, "{line}"));
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
