//! A slot: how a Python object refers to something of the host without outliving it.
//!
//! The Rust side keeps one handle and empties the slot when the thing ends; every other handle then finds nothing
//! (`design.md` 3.7: host objects are slots, not pointers).

use std::cell::{Ref, RefMut};
use std::sync::Arc;

use crate::boundary::{HostCall, HostCell};

/// A shared place that holds a `T` until it is emptied.
#[derive(Debug)]
pub struct Slot<T>(Arc<HostCell<Option<T>>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    /// A slot that holds `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(HostCell::new(Some(value))))
    }

    /// Shared access; `None` once emptied. Panics while the content is mutably borrowed (a defect of ours).
    pub fn borrow<'a>(&'a self, call: &'a HostCall) -> Option<Ref<'a, T>> {
        Ref::filter_map(self.0.borrow(call), Option::as_ref).ok()
    }

    /// Exclusive access; `None` once emptied. Panics while the content is borrowed (a defect of ours).
    pub fn borrow_mut<'a>(&'a self, call: &'a HostCall) -> Option<RefMut<'a, T>> {
        RefMut::filter_map(self.0.borrow_mut(call), Option::as_mut).ok()
    }

    /// [`Slot::borrow`] for code that a script reaches: busy counts as gone instead of panicking.
    pub fn try_borrow<'a>(&'a self, call: &'a HostCall) -> Option<Ref<'a, T>> {
        Ref::filter_map(self.0.try_borrow(call).ok()?, Option::as_ref).ok()
    }

    /// [`Slot::borrow_mut`] for code that a script reaches: busy counts as gone instead of panicking.
    pub fn try_borrow_mut<'a>(&'a self, call: &'a HostCall) -> Option<RefMut<'a, T>> {
        RefMut::filter_map(self.0.try_borrow_mut(call).ok()?, Option::as_mut).ok()
    }

    /// Empties the slot.
    pub fn take(&self, call: &HostCall) -> Option<T> {
        self.0.borrow_mut(call).take()
    }

    /// Whether both handles mean the same thing.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A number that identifies the slot while any handle exists (for hashing).
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boundary::host_call;

    /// Runs `body` as if in a callback; `None` if it panics, which [`host_call`] would hide.
    fn in_callback<R>(body: impl FnOnce(&HostCall) -> R) -> Option<R> {
        // SAFETY: a test: there is no host and no other thread that uses the slot.
        unsafe { host_call(|call| Some(body(call)), |_| None) }
    }

    #[test]
    fn an_emptied_slot_is_empty_for_every_handle() {
        let slot = Slot::new(5);
        let other = slot.clone();
        let seen = in_callback(|call| {
            let before = other.borrow(call).as_deref().copied();
            let taken = slot.take(call);
            let after = (other.borrow(call).is_none(), other.try_borrow_mut(call).is_none());
            (before, taken, after)
        });
        assert_eq!(seen, Some((Some(5), Some(5), (true, true))));
        assert!(slot.is_same(&other));
    }

    #[test]
    fn a_busy_slot_is_not_a_panic_for_scripts() {
        let slot = Slot::new(5);
        let busy = in_callback(|call| {
            let _held = slot.borrow_mut(call);
            slot.try_borrow(call).is_none()
        });
        assert_eq!(busy, Some(true));
    }
}
