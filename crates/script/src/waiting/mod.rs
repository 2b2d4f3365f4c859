//! Hooks that wait: coroutines, the thread that they run on, and what they ask for meanwhile.
//!
//! One asyncio loop per process runs all of them, on a thread of its own. A driver's thread only leaves a note there: that a hook is
//! to be called, that a query has its result, that a coroutine is to end. It takes neither Python's lock nor any other for that. What
//! a coroutine wants is left in the driver's [`Mailbox`](crate::Mailbox).

mod call;
mod event_loop;
mod lent;
mod query;
mod steps;

pub use call::{Call, Tie};
pub use event_loop::{EventLoop, is_loop_thread};
pub use lent::{is_cancelled, is_lent, moved, of_session};
pub use query::{checked, query, resume};

use pyo3::intern;
use pyo3::prelude::*;

/// Whether `value` is what a coroutine function returns.
pub fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    let py = value.py();
    let inspect = py.import(intern!(py, "inspect"));
    let is = inspect.and_then(|module| module.call_method1(intern!(py, "iscoroutine"), (value,)));
    is.and_then(|is| is.is_truthy()).unwrap_or(false)
}

/// Adds `loop` and `spawn`.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    event_loop::add_to(module)
}
