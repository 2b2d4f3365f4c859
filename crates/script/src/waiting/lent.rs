//! Which connection is lent to the coroutine that runs: a context variable says it, which the tasks that a coroutine starts inherit.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::call::Call;
use super::event_loop::is_loop_thread;
use crate::asked::FromScript;
use engine::{Session, Slot};

/// What the context variable holds.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Lent(pub Arc<Call>);

static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let made = VARIABLE.get_or_try_init(py, || -> PyResult<_> {
        let module = py.import(intern!(py, "contextvars"))?;
        Ok(module.call_method1(intern!(py, "ContextVar"), ("pyproxy_connection",))?.unbind())
    })?;
    Ok(made.bind(py))
}

/// A context in which `call` has its connection.
pub fn context<'py>(py: Python<'py>, call: &Arc<Call>) -> PyResult<Bound<'py, PyAny>> {
    let context = py.import(intern!(py, "contextvars"))?.call_method0(intern!(py, "Context"))?;
    let set = variable(py)?.getattr(intern!(py, "set"))?;
    let lent = Bound::new(py, Lent(Arc::clone(call)))?;
    context.call_method1(intern!(py, "run"), (set, lent))?;
    Ok(context)
}

/// The hook whose coroutine runs now, or one of the tasks that it started; `None` behind its end, and on other threads.
pub fn current(py: Python<'_>) -> Option<Arc<Call>> {
    started_by(py).filter(|call| call.is_alive())
}

/// The hook that started the coroutine which runs now, whether it has ended or not.
fn started_by(py: Python<'_>) -> Option<Arc<Call>> {
    if !is_loop_thread() {
        return None;
    }
    let value = variable(py).ok()?.call_method1(intern!(py, "get"), (py.None(),)).ok()?;
    let lent = value.cast::<Lent>().ok()?;
    Some(Arc::clone(&lent.get().0))
}

/// Whether the coroutine that runs now is one of a hook that was told to end.
pub fn is_cancelled(py: Python<'_>) -> bool {
    started_by(py).is_some_and(|call| call.is_cancelled())
}

/// Code that runs now attached another server to this connection, or none. Its driver is told, if a hook waits.
pub fn moved(session: &Slot<Session>) {
    let call = Python::attach(current).filter(|call| call.session().is_same(session));
    if let Some(call) = call {
        call.tell(FromScript::Moved);
    }
}

/// What `f` says about the connection that is lent to the coroutine which runs now; `None` without one.
pub fn of_session<R>(f: impl FnOnce(&Session) -> R) -> Option<R> {
    let call = Python::attach(current)?;
    let session = call.session().lock()?;
    Some(f(&session))
}

/// Whether code that runs now has a connection lent: any, or this one.
pub fn is_lent(session: Option<usize>) -> bool {
    if !is_loop_thread() {
        return false;
    }
    Python::attach(current)
        .is_some_and(|call| session.is_none_or(|session| call.session().identity() == session))
}
