//! What calling hooks needs of the runtime that keeps the interpreter and the script.

use std::fmt::Debug;

use pyo3::intern;
use pyo3::prelude::*;

use crate::classes::globals::Globals;
use crate::failure::Failure;
use crate::hooks::Hooks;

/// One loaded version of a script, in an interpreter that a guest runtime keeps: of the plugin, or of the tests' library.
///
/// The last connection that uses a version drops it.
pub trait Guest: Debug + Send + Sync + 'static {
    /// Runs `f` attached to Python. `None`, and `f` not run, while there is no Python to attach to.
    fn attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R>;

    /// The same for the thread of the event loop, which may be needed first when the script's `shutdown` waits.
    fn attach_loop<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
        Self::attach(f)
    }

    /// The hooks of this version.
    fn hooks(&self) -> &Hooks;

    /// `proxy.globals`.
    fn globals(&self) -> &Py<Globals>;

    /// The traceback of an exception. Always gives some text.
    fn describe(&self, py: Python<'_>, error: &PyErr) -> String;

    /// A call of a hook failed like this; what stands in the log about it.
    fn failed(&self, _failure: &Failure, _text: &str) {}

    /// A new asyncio loop, for hooks that wait.
    fn new_event_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "new_event_loop"))
    }
}
