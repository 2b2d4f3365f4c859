//! What calling hooks needs of the runtime that keeps the interpreter and the script.

use std::fmt::Debug;

use pyo3::prelude::*;

use crate::classes::globals::Globals;
use crate::hooks::Hooks;

/// One loaded version of a script, in an interpreter that a guest runtime keeps: of the plugin, or of the tests' library.
///
/// The last connection that uses a version drops it.
pub trait Guest: Debug + Send + Sync + 'static {
    /// Runs `f` attached to Python. `None`, and `f` not run, while there is no Python to attach to.
    fn attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R>;

    /// The hooks of this version.
    fn hooks(&self) -> &Hooks;

    /// `proxy.globals`.
    fn globals(&self) -> &Py<Globals>;

    /// The traceback of an exception. Always gives some text.
    fn describe(&self, py: Python<'_>, error: &PyErr) -> String;
}
