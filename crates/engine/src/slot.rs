//! A slot: how an object of a script refers to something of a connection without outliving it.
//!
//! The engine keeps one handle and empties the slot when the thing ends; every other handle then finds nothing.
//!
//! The lock inside is a leaf: it is held for a few instructions of Rust, never while Python may run, and no other lock is
//! taken meanwhile.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// A shared place that holds a `T` until it is emptied.
#[derive(Debug)]
pub struct Slot<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Handles of the same slot are equal.
impl<T> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl<T> Eq for Slot<T> {}

impl<T> Slot<T> {
    /// A slot that holds `value`.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Some(value))))
    }

    /// Access; `None` once emptied. Waits while another thread has it.
    pub fn lock(&self) -> Option<Locked<'_, T>> {
        // What a panic left half changed ends with its connection.
        Locked::of(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// [`Slot::lock`] for code that a script reaches, which may run while this thread holds the lock: does not wait.
    pub fn try_lock(&self) -> Attempt<'_, T> {
        let locked = match self.0.try_lock() {
            Ok(guard) => Locked::of(guard),
            Err(TryLockError::Poisoned(poisoned)) => Locked::of(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => return Attempt::Busy,
        };
        locked.map_or(Attempt::Empty, Attempt::Locked)
    }

    /// Empties the slot.
    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
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

/// What came of [`Slot::try_lock`].
#[derive(Debug)]
pub enum Attempt<'s, T> {
    /// The lock, and what the slot holds.
    Locked(Locked<'s, T>),
    /// It was emptied.
    Empty,
    /// Somebody has the lock.
    Busy,
}

/// What a slot holds, while its lock is held.
#[derive(Debug)]
pub struct Locked<'s, T>(MutexGuard<'s, Option<T>>);

impl<'s, T> Locked<'s, T> {
    fn of(guard: MutexGuard<'s, Option<T>>) -> Option<Self> {
        guard.is_some().then_some(Self(guard))
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("looked at when it was locked")
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("looked at when it was locked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_slot_is_empty_for_every_handle() {
        let slot = Slot::new(5);
        let other = slot.clone();
        assert_eq!(other.lock().as_deref().copied(), Some(5));
        assert_eq!(slot.take(), Some(5));
        assert!(other.lock().is_none() && matches!(other.try_lock(), Attempt::Empty));
        assert!(slot.is_same(&other));
    }

    #[test]
    fn who_tries_a_busy_slot_does_not_wait() {
        let slot = Slot::new(5);
        let held = slot.lock();
        assert!(matches!(slot.try_lock(), Attempt::Busy));
        drop(held);
        assert!(matches!(slot.try_lock(), Attempt::Locked(_)));
    }
}
