//! Who may touch what, when: the one place that turns a missing permission or an emptied slot into `ReferenceError`.
//!
//! A slot is locked only while Rust code runs that makes no container object of Python, so no finaliser runs meanwhile. If
//! one did, it would find that its own thread has the slot, which counts as gone. Another thread that has it is waited for: it does
//! not wait for Python.

use pyo3::exceptions::PyReferenceError;
use pyo3::prelude::*;

use crate::permission::Permission;
use engine::{Session, Shared, Slot};

/// The error for something whose C side has ended.
pub fn gone(what: &str) -> PyErr {
    PyReferenceError::new_err(format!("{what} is gone"))
}

/// Runs `f` if this thread may use what lives at `address`: a hook runs in it.
#[inline]
pub fn in_hook<R>(address: usize, f: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    if Permission::covers(address) {
        f()
    } else {
        Err(PyReferenceError::new_err(
            "objects of the proxy can be used only while a hook runs, in its thread",
        ))
    }
}

/// Reads what `slot` holds, in a hook of any connection.
#[inline]
pub fn read<T, R>(slot: &Slot<T>, what: &str, f: impl FnOnce(&T) -> R) -> PyResult<R> {
    in_hook(slot.identity(), || {
        slot.lock_unless_held_here().map(|content| f(&content)).ok_or_else(|| gone(what))
    })
}

/// [`in_hook`] for what belongs to no connection.
#[inline]
pub fn of_all<R>(shared: &Shared, f: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    in_hook(std::ptr::from_ref(shared).addr(), f)
}

/// Changes a session: only in a hook of its own connection.
pub fn change<R>(slot: &Slot<Session>, f: impl FnOnce(&mut Session) -> R) -> PyResult<R> {
    in_hook(slot.identity(), || {
        let mut session = slot.lock_unless_held_here().ok_or_else(|| gone("the connection"))?;
        if session.hook.is_none() || !Permission::is_of(slot.identity()) {
            return Err(PyReferenceError::new_err(
                "a connection can be changed only in its own hooks",
            ));
        }
        Ok(f(&mut session))
    })
}

/// Whether the connection still exists and this thread may look at it.
pub fn alive(slot: &Slot<Session>) -> PyResult<()> {
    read(slot, "the connection", |_| ())
}

/// Whether one of the connection's own hooks runs in this thread.
pub fn own_hook(slot: &Slot<Session>) -> PyResult<()> {
    change(slot, |_| ())
}
