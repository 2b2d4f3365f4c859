//! Hooks that wait: coroutines, the thread that they run on, and what they ask for meanwhile.
//!
//! One asyncio loop per process runs all of them, on a thread of its own. A driver's thread only leaves a note there: that a hook is
//! to be called, that a query has its result, that a coroutine is to end. It takes neither Python's lock nor any other for that. What
//! a coroutine wants is left in the driver's [`Mailbox`](crate::Mailbox).

mod call;
mod event_loop;
mod lent;
mod line;
mod query;
mod steps;

pub use call::{Call, Tie};
pub use event_loop::{EventLoop, is_loop_thread};
pub use lent::{is_cancelled, is_lent, moved, of_session};
pub use line::wait_for_backend;
pub use query::{checked, query, resume};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Whether `value` is what a coroutine function returns. Asked of whatever a hook returns, so it calls no Python code.
#[inline]
pub fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    static COROUTINE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let coroutine = || COROUTINE.import(value.py(), "types", "CoroutineType");
    // Nothing can be derived from that class.
    !value.is_none() && coroutine().is_ok_and(|coroutine| value.is_exact_instance(coroutine))
}

/// Adds `loop` and `spawn`.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    event_loop::add_to(module)
}
