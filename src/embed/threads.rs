//! Attaching threads of the host to Python.
//!
//! A foreign thread that attaches per call builds and destroys a thread state each time, which costs more than most
//! hooks. So each thread of the host is pinned at its first use: its thread state is made once and kept
//! (`SAFETY.md`, INV-7). Python is never finalised, so a pinned state never dangles.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::{Python, ffi};

use crate::chassis::fork;

/// The process is ending: no hook is called any more.
static CLOSING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static PINNED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` attached to Python. `None`, and `f` not run, before Python started and once it is closing.
#[inline]
pub fn with_python<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    if is_closing() { None } else { with_python_to_the_end(f) }
}

/// The same, also while it is closing: for the scripts' `shutdown`.
#[inline]
pub fn with_python_to_the_end<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    pin();
    let result = Python::try_attach(f);
    if fork::is_child() {
        // Code of the script forked, and the child came back: what follows is the proxy's.
        fork::end_child();
    }
    result
}

/// Whether [`close`] was called.
#[inline]
pub fn is_closing() -> bool {
    CLOSING.load(Ordering::Relaxed)
}

/// From now on [`with_python`] says `None`. `true` for the first call.
pub fn close() -> bool {
    !CLOSING.swap(true, Ordering::Relaxed)
}

/// Makes the thread state of this thread and keeps it.
fn pin() {
    if PINNED.with(Cell::get) {
        return;
    }
    // SAFETY: INV-7. Both functions may be asked at any time. A thread that is attached already (it came from
    // Python) must not be detached by us.
    unsafe {
        if ffi::Py_IsInitialized() == 0 || ffi::PyGILState_Check() != 0 {
            return;
        }
    }
    // SAFETY: INV-7: Python is initialised, this thread is detached, and never finalising means that the state made
    // here may be left for ever. SaveThread detaches again what Ensure attached.
    unsafe {
        ffi::PyGILState_Ensure();
        ffi::PyEval_SaveThread();
    }
    PINNED.with(|pinned| pinned.set(true));
}
