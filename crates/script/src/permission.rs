//! Permission: whether objects of the proxy may be used now, on this thread.
//!
//! Code of a script has it while a hook of it runs, while it is loaded, and while what it left behind is released. Its own
//! threads never have it, nor does `shutdown(proxy)`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::waiting;

thread_local! {
    static HERE: Here = const { Here { held: Cell::new(0), own: Cell::new(0) } };
}

/// What a thread has.
struct Here {
    /// Permissions.
    held: Cell<u32>,
    /// The connection whose hook it runs, by its slot; 0: none in particular.
    own: Cell<usize>,
}

/// Addresses of what needs no permission.
static WAIVED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// Whether all permissions have ended.
static REVOKED: AtomicBool = AtomicBool::new(false);

/// This thread may use objects of the proxy, until this is dropped. Permissions may be nested.
#[derive(Debug)]
pub struct Permission {
    /// It belongs to its thread.
    _not_send: PhantomData<*mut ()>,
    /// What was the thread's own before.
    before: usize,
}

impl Permission {
    /// From now on. For code that is about to run a part of the script on behalf of the proxy.
    #[must_use = "it ends when it is dropped"]
    pub fn enter() -> Self {
        Self::of_hook(0)
    }

    /// The same, for a hook of the connection with this slot.
    #[must_use = "it ends when it is dropped"]
    pub fn of_hook(session: usize) -> Self {
        let before = HERE.with(|here| {
            here.held.set(here.held.get() + 1);
            here.own.replace(session)
        });
        Self { _not_send: PhantomData, before }
    }

    /// Whether code of a hook of the connection with this slot runs: on this thread, or in one of its tasks on the loop's thread.
    pub(crate) fn is_of(session: usize) -> bool {
        if REVOKED.load(Ordering::Relaxed) {
            return false;
        }
        let own = HERE.with(|here| Some(here.own.get()).filter(|_| here.held.get() > 0));
        own.is_some_and(|own| own == session || own == 0)
            || waiting::is_lent(Some(session))
            || Self::is_waived(session)
    }

    /// Whether this thread has it.
    #[inline]
    pub fn is_held() -> bool {
        HERE.with(|here| here.held.get() > 0) && !REVOKED.load(Ordering::Relaxed)
    }

    /// Nobody has it any more, for ever: this process is a child of the one with the connections.
    pub fn revoke() {
        REVOKED.store(true, Ordering::Relaxed);
    }

    /// Whether this thread may use what lives at `address`.
    #[inline]
    pub(crate) fn covers(address: usize) -> bool {
        Self::is_held() || waiting::is_lent(None) || Self::is_waived(address)
    }

    /// From now on what lives at `address` may be used at any time: a test calls hooks by hand, and stands for the proxy.
    ///
    /// It has to live until the process ends, since what lived there next would need no permission either.
    pub fn waive(address: usize) {
        WAIVED.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
    }

    #[cold]
    fn is_waived(address: usize) -> bool {
        WAIVED.lock().unwrap_or_else(PoisonError::into_inner).contains(&address)
    }
}

impl Drop for Permission {
    fn drop(&mut self) {
        HERE.with(|here| {
            here.held.set(here.held.get() - 1);
            here.own.set(self.before);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_held_on_its_own_thread_only_and_ends() {
        assert!(!Permission::is_held());
        let outer = Permission::enter();
        {
            let _inner = Permission::enter();
            let elsewhere = std::thread::spawn(Permission::is_held).join().expect("no panic");
            assert!(Permission::is_held() && !elsewhere);
        }
        assert!(Permission::is_held());
        drop(outer);
        assert!(!Permission::is_held());
    }

    #[test]
    fn what_needs_none_can_be_used_without() {
        let (one, other) = (Box::new(1), Box::new(2));
        let address = |thing: &i32| std::ptr::from_ref(thing).addr();
        Permission::waive(address(&one));
        assert!(Permission::covers(address(&one)) && !Permission::covers(address(&other)));
        let _permission = Permission::enter();
        assert!(Permission::covers(address(&other)));
        std::mem::forget(one);
    }

    #[test]
    fn a_panic_ends_it() {
        let panicked = std::panic::catch_unwind(|| {
            let _permission = Permission::enter();
            panic!("on purpose");
        });
        assert!(panicked.is_err() && !Permission::is_held());
    }
}
