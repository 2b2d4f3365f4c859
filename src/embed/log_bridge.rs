//! Python's `logging` on the way to the host's log.

use log::{Level, LevelFilter};
use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use script::log_target::SCRIPT;

/// Python's level numbers.
const CRITICAL: i64 = 50;
const ERROR: i64 = 40;
const WARNING: i64 = 30;
const INFO: i64 = 20;
const DEBUG: i64 = 10;

/// The host's level for one of Python's, which may be any number.
fn host_level(level: i64) -> Level {
    match level {
        ERROR.. => Level::Error,
        WARNING..ERROR => Level::Warn,
        INFO..WARNING => Level::Info,
        _ => Level::Debug,
    }
}

/// The lowest of Python's levels that the host's log shows.
pub fn python_level() -> i64 {
    match log::max_level() {
        LevelFilter::Off => CRITICAL,
        LevelFilter::Error => ERROR,
        LevelFilter::Warn => WARNING,
        LevelFilter::Info => INFO,
        LevelFilter::Debug | LevelFilter::Trace => DEBUG,
    }
}

/// Writes one record.
#[pyfunction]
fn write(py: Python<'_>, level: i64, text: &str) {
    // The host's log may wait for a disk; other threads of the script need not.
    py.detach(|| log::log!(target: SCRIPT, host_level(level), "{text}"));
}

/// [`write`] for Python.
pub fn writer(py: Python<'_>) -> PyResult<Bound<'_, PyCFunction>> {
    wrap_pyfunction!(write, py)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        assert_eq!(host_level(50), Level::Error);
        assert_eq!(host_level(40), Level::Error);
        assert_eq!(host_level(35), Level::Warn);
        assert_eq!(host_level(20), Level::Info);
        assert_eq!(host_level(0), Level::Debug);
    }
}
