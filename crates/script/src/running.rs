//! Which hook runs on which thread, as seen from outside: for a watchdog.
//!
//! A thread says it with one store where a hook begins and one where it ends, without a lock.

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::{ffi, intern};

use engine::Hook;

/// One call of a hook, or one step of a coroutine: its number on its thread, the hook, the connection.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Call(u64);

/// Bits of a connection's number. More connections than that begin again at 0 in the log.
const CONNECTION: u32 = 36;
/// Bits of a hook's place in [`Hook::ALL`].
const HOOK: u32 = 4;
/// Where the number on the thread begins.
const NUMBER: u32 = CONNECTION + HOOK;

impl Call {
    fn new(number: u64, hook: Hook, connection: u64) -> Self {
        let connection = connection & ((1 << CONNECTION) - 1);
        Self(number << NUMBER | (hook as u64) << CONNECTION | connection)
    }

    /// The hook.
    pub fn hook(self) -> Hook {
        let place = self.0 >> CONNECTION & ((1 << HOOK) - 1);
        Hook::ALL.into_iter().find(|hook| *hook as u64 == place).unwrap_or(Hook::ReadQuery)
    }

    /// The connection's number.
    pub fn connection(self) -> u64 {
        self.0 & ((1 << CONNECTION) - 1)
    }
}

/// A thread that runs hooks. Lives as long as the process, as the thread does.
#[derive(Debug)]
pub struct HookThread {
    /// Python's number of it.
    ident: std::ffi::c_ulong,
    /// The [`Call`]; 0: no hook runs. Changed by its thread, while that is attached.
    call: AtomicU64,
    /// The call was interrupted. Changed while attached.
    interrupted: AtomicBool,
    /// Calls so far; only its thread knows. Begins at 1 with the first one, so that no call is 0.
    number: AtomicU64,
}

static THREADS: Mutex<Vec<&'static HookThread>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: Cell<Option<&'static HookThread>> = const { Cell::new(None) };
}

impl HookThread {
    /// All that there are. Neither waits for Python nor for a hook.
    pub fn all() -> Vec<&'static Self> {
        THREADS.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[inline]
    fn own() -> &'static Self {
        OWN.get().unwrap_or_else(Self::add)
    }

    #[cold]
    fn add() -> &'static Self {
        // SAFETY: may be asked at any time.
        let ident = unsafe { ffi::PyThread_get_thread_ident() };
        let (call, interrupted, number) = Default::default();
        let made: &'static Self = Box::leak(Box::new(Self { ident, call, interrupted, number }));
        THREADS.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        OWN.set(Some(made));
        made
    }

    /// What runs there now.
    pub fn call(&self) -> Option<Call> {
        Some(Call(self.call.load(Ordering::Acquire))).filter(|call| call.0 != 0)
    }

    /// Python's number of the thread.
    pub fn ident(&self) -> std::ffi::c_ulong {
        self.ident
    }

    /// Raises `pyproxy.HookTimeout` in this call, if it still runs, wherever its Python code is.
    pub fn interrupt(&self, py: Python<'_>, call: Call) -> PyResult<()> {
        let module = py.import(intern!(py, "pyproxy._errors"))?;
        let timeout = module.getattr(intern!(py, "HookTimeout"))?;
        // From here on no Python code runs, so the thread, which needs to be attached for that, can neither end the call
        // nor begin another one.
        if self.call() == Some(call) {
            self.interrupted.store(true, Ordering::Relaxed);
            self.raise(py, timeout.as_ptr());
        }
        Ok(())
    }

    /// Has `class` raised at the thread's next step in Python code; NULL: nothing, even if something was to be.
    fn raise(&self, _py: Python<'_>, class: *mut ffi::PyObject) {
        // SAFETY: INV-8; NULL is allowed. A number of no thread is none of its concern.
        unsafe { ffi::PyThreadState_SetAsyncExc(self.ident.cast_signed(), class) };
    }
}

/// A hook runs on this thread until this is dropped.
pub struct Running<'py> {
    thread: &'static HookThread,
    before: u64,
    py: Python<'py>,
}

impl<'py> Running<'py> {
    /// From now on.
    #[inline]
    #[must_use = "it ends when it is dropped"]
    pub fn enter(py: Python<'py>, hook: Hook, connection: u64) -> Self {
        let thread = HookThread::own();
        let number = thread.number.load(Ordering::Relaxed) + 1;
        thread.number.store(number, Ordering::Relaxed);
        let before = thread.call.load(Ordering::Relaxed);
        thread.call.store(Call::new(number, hook, connection).0, Ordering::Release);
        Self { thread, before, py }
    }
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.call.store(self.before, Ordering::Release);
        if self.thread.interrupted.load(Ordering::Relaxed) {
            self.calm();
        }
    }
}

impl Running<'_> {
    /// If the exception was not raised yet it shall not be: the next hook has nothing to do with it.
    #[cold]
    fn calm(&self) {
        self.thread.interrupted.store(false, Ordering::Relaxed);
        self.thread.raise(self.py, null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_knows_hook_and_connection() {
        for (number, hook) in (1..).zip(Hook::ALL) {
            for connection in [0, 1, (1 << CONNECTION) - 1] {
                let call = Call::new(number, hook, connection);
                assert_eq!((call.hook(), call.connection()), (hook, connection));
                assert_ne!(call, Call::new(number + 1, hook, connection));
            }
        }
        assert_eq!(Call::new(1, Hook::ReadQuery, 1 << CONNECTION | 5).connection(), 5);
    }
}
