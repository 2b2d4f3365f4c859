//! A script that was loaded.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyTimeoutError, PyTypeError};
use pyo3::prelude::*;
use script::{EventLoop, Failure, Globals, Guest, Hooks, function};

/// Its hooks, and the exception that the last failing one raised.
#[derive(Debug)]
pub struct Script {
    hooks: Hooks,
    /// Told at the end of the process.
    pub shutdown: Option<Py<PyAny>>,
    globals: Py<Globals>,
    /// Gives the traceback of an exception as text.
    describe: Py<PyAny>,
    failure: Mutex<Option<PyErr>>,
}

impl Script {
    /// The script whose functions are attributes of `module`.
    pub fn new(
        module: &Bound<'_, PyAny>,
        globals: Py<Globals>,
        describe: Py<PyAny>,
    ) -> PyResult<Self> {
        let hooks = Hooks::of(module)?;
        EventLoop::offer::<Self>();
        if hooks.first_async().is_some() {
            EventLoop::get(module.py())?;
        }
        let shutdown = function(module, "shutdown", &["proxy"])?.map(Bound::unbind);
        Ok(Self { hooks, shutdown, globals, describe, failure: Mutex::default() })
    }

    /// What a hook raised since the last call.
    pub fn take_failure(&self) -> Option<PyErr> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Guest for Script {
    fn attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
        Python::try_attach(f)
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    fn globals(&self) -> &Py<Globals> {
        &self.globals
    }

    fn failed(&self, failure: &Failure, text: &str) {
        let text = text.to_owned();
        let raised = match failure {
            Failure::InvalidReturn(_) => PyTypeError::new_err(text),
            Failure::TimedOut(_) | Failure::DoesNotEnd => PyTimeoutError::new_err(text),
            // `describe` was asked about the exception.
            Failure::Raised(_) | Failure::BadAnswer(..) | Failure::Ended => return,
        };
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
    }

    fn new_event_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        py.import("pyproxy.testing.event_loop")?.call_method0("new_event_loop")
    }

    fn describe(&self, py: Python<'_>, error: &PyErr) -> String {
        let value = error.clone_ref(py).into_value(py);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone_ref(py));
        let text = self.describe.bind(py).call1((value,)).and_then(|text| text.extract());
        text.unwrap_or_else(|_| "an exception that cannot be shown".to_owned())
    }
}
