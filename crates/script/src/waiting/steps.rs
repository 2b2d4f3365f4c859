//! A coroutine as the loop sees it: each of its steps is timed, and may use the connection.

use std::sync::Arc;
use std::time::Instant;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::call::Call;
use crate::permission::Permission;

/// A coroutine in the place of another one.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Steps {
    coroutine: Py<PyAny>,
    call: Option<Arc<Call>>,
}

impl Steps {
    /// Of a hook.
    pub fn of_hook(coroutine: Py<PyAny>, call: Arc<Call>) -> Self {
        Self { coroutine, call: Some(call) }
    }

    /// Of `init` or `shutdown`.
    pub fn of_process(coroutine: Py<PyAny>) -> Self {
        Self { coroutine, call: None }
    }

    fn step(
        &self,
        py: Python<'_>,
        step: impl Fn(&Bound<'_, PyAny>) -> PyResult<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let Some(call) = &self.call else {
            let _permission = Permission::enter();
            return step(self.coroutine.bind(py));
        };
        let mut stepped = None;
        let begin = Instant::now();
        call.tie().attached(&mut |py| {
            let _entered = call.enter(py);
            stepped = Some(step(self.coroutine.bind(py)));
        });
        call.ran(begin.elapsed());
        let stepped = stepped.unwrap_or_else(|| Err(PyRuntimeError::new_err("the proxy ends")));
        call.stepped(py, stepped)
    }
}

#[pymethods]
impl Steps {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py, |coroutine| {
            coroutine.call_method1(intern!(coroutine.py(), "send"), (&value,)).map(Bound::unbind)
        })
    }

    #[pyo3(signature = (*error))]
    fn throw(&self, py: Python<'_>, error: Py<PyTuple>) -> PyResult<Py<PyAny>> {
        self.step(py, |coroutine| {
            let py = coroutine.py();
            coroutine.call_method1(intern!(py, "throw"), error.bind(py).clone()).map(Bound::unbind)
        })
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.coroutine.bind(py).call_method0(intern!(py, "close")).map(drop)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.coroutine.bind(py).repr()?.to_string_lossy().into_owned())
    }
}
