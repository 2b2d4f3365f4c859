//! What tests of this crate share: an interpreter.

use pyo3::prelude::*;

/// Runs `f` in the interpreter, which whichever test comes first starts.
pub fn python<R>(f: impl FnOnce(Python<'_>) -> R) -> R {
    Python::initialize();
    Python::attach(f)
}
