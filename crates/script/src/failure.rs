//! Why a call of a hook counts as failed, and how the log says it.

use pyo3::intern;
use pyo3::prelude::*;

use crate::escape;

/// Why a hook call counts as failed.
#[derive(Debug)]
pub enum Failure {
    /// The hook raised.
    Raised(PyErr),
    /// It returned what it may not return: this, as [`Failure::invalid`] shows it.
    InvalidReturn(String),
    /// What it returned, of which this is the name, has something in it that cannot be sent.
    BadAnswer(&'static str, PyErr),
    /// It waited for longer than it may (`pyproxy-hook-timeout`), and was cancelled; where it was.
    TimedOut(String),
    /// It was cancelled, and does not end.
    DoesNotEnd,
    /// It ended when nobody waited for it any more.
    Ended,
}

impl Failure {
    /// The hook may not return `value`.
    pub fn invalid(value: &Bound<'_, PyAny>) -> Self {
        Self::InvalidReturn(show(value))
    }

    /// The text behind the name of the hook. `traceback` is that of an exception.
    pub fn describe(&self, py: Python<'_>, traceback: impl FnOnce(&PyErr) -> String) -> String {
        match self {
            Self::Raised(error) | Self::BadAnswer(_, error) if is_timeout(py, error) => {
                format!("took longer than pyproxy-hook-timeout:\n{}", traceback(error))
            }
            Self::Raised(error) => format!("failed:\n{}", traceback(error)),
            Self::InvalidReturn(value) => format!("returned {value}, which it may not return"),
            Self::TimedOut(place) => {
                format!("took longer than pyproxy-hook-timeout, and was cancelled:\n{place}")
            }
            Self::DoesNotEnd => {
                "was cancelled and does not end: it goes on without its connection".to_owned()
            }
            Self::Ended => "ended when its connection was gone".to_owned(),
            Self::BadAnswer(what, error) => {
                format!("returned {what} cannot be encoded:\n{}", traceback(error))
            }
        }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// Whether a watchdog raised this.
fn is_timeout(py: Python<'_>, error: &PyErr) -> bool {
    let module = py.import(intern!(py, "pyproxy._errors"));
    module
        .and_then(|module| module.getattr(intern!(py, "HookTimeout")))
        .is_ok_and(|class| error.matches(py, class).unwrap_or(false))
}

/// A value for the log: its repr, cut short, or its type if that raises. What a function of another kind gives is named.
fn show(value: &Bound<'_, PyAny>) -> String {
    const LONGEST: usize = 200;
    if is(value, "iscoroutine") {
        // Else Python complains that nobody awaited it.
        let _ = value.call_method0("close");
        return "a coroutine (hooks cannot wait here: that needs pyproxy-event-loop=own)"
            .to_owned();
    }
    if is(value, "isgenerator") || is(value, "isasyncgen") {
        return "a generator (there is a yield in it)".to_owned();
    }
    match value.repr() {
        Ok(repr) => escape::one_line(&repr.to_string_lossy()).chars().take(LONGEST).collect(),
        Err(_) => format!("an object of {}", value.get_type()),
    }
}

/// What a predicate of Python's `inspect` says.
fn is(value: &Bound<'_, PyAny>, predicate: &str) -> bool {
    let inspect = value.py().import("inspect");
    let answer = inspect.and_then(|inspect| inspect.call_method1(predicate, (value,)));
    answer.and_then(|answer| answer.is_truthy()).unwrap_or(false)
}
