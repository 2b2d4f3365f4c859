//! A slot: how an object of a script refers to something of a connection without outliving it.
//!
//! The engine keeps one handle and empties the slot when the thing ends; every other handle then finds nothing.
//!
//! The lock inside is never held while Python may run, or by who waits for Python, and no other lock is taken meanwhile but such
//! as are held for a few instructions. It may be held for as long as an event takes, with the copying and encryption of a long
//! packet, and its thread may be interrupted by others: so who finds it held waits.

use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shared place that holds a `T` until it is emptied.
#[derive(Debug)]
pub struct Slot<T>(Arc<Place<T>>);

#[derive(Debug)]
struct Place<T> {
    content: Mutex<Option<T>>,
    /// The thread that holds the lock, as [`this_thread`] numbers it; 0: none. Only whether it is the thread that asks is of
    /// interest, and nobody else can change that: so no order with other memory is needed.
    holder: AtomicUsize,
}

/// A number of this thread that no other one has while it lives, and that is not 0.
fn this_thread() -> usize {
    thread_local! {
        static MARK: u8 = const { 0 };
    }
    MARK.with(|mark| ptr::from_ref(mark).addr())
}

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
        Self(Arc::new(Place { content: Mutex::new(Some(value)), holder: AtomicUsize::new(0) }))
    }

    /// Access; `None` once emptied. Waits while another thread has it.
    pub fn lock(&self) -> Option<Locked<'_, T>> {
        self.lock_as(this_thread())
    }

    /// [`Slot::lock`] for code that a script reaches, which may run while this thread holds the lock: `None` then, too.
    pub fn lock_unless_held_here(&self) -> Option<Locked<'_, T>> {
        let thread = this_thread();
        if self.0.holder.load(Ordering::Relaxed) == thread {
            return None;
        }
        self.lock_as(thread)
    }

    /// `thread` is [`this_thread`].
    #[inline]
    fn lock_as(&self, thread: usize) -> Option<Locked<'_, T>> {
        // What a panic left half changed ends with its connection.
        let content = self.0.content.lock().unwrap_or_else(PoisonError::into_inner);
        if content.is_none() {
            return None;
        }
        self.0.holder.store(thread, Ordering::Relaxed);
        Some(Locked { content, holder: &self.0.holder })
    }

    /// Empties the slot.
    pub fn take(&self) -> Option<T> {
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner).take()
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

/// What a slot holds, while its lock is held.
#[derive(Debug)]
pub struct Locked<'s, T> {
    content: MutexGuard<'s, Option<T>>,
    holder: &'s AtomicUsize,
}

impl<T> Drop for Locked<'_, T> {
    /// The lock itself is given back behind this.
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.content.as_ref().expect("looked at when it was locked")
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.content.as_mut().expect("looked at when it was locked")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_emptied_slot_is_empty_for_every_handle() {
        let slot = Slot::new(5);
        let other = slot.clone();
        assert_eq!(other.lock().as_deref().copied(), Some(5));
        assert_eq!(slot.take(), Some(5));
        assert!(other.lock().is_none() && other.lock_unless_held_here().is_none());
        assert!(slot.is_same(&other));
    }

    #[test]
    fn who_holds_a_slot_already_does_not_wait() {
        let slot = Slot::new(5);
        let held = slot.lock();
        assert!(slot.lock_unless_held_here().is_none());
        drop(held);
        assert_eq!(slot.lock_unless_held_here().as_deref().copied(), Some(5));
    }

    #[test]
    fn who_finds_a_slot_held_by_another_thread_waits() {
        let slot = Slot::new(5);
        let (asking, asked) = mpsc::channel();
        let mut held = slot.lock().expect("full");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                asking.send(()).expect("the test waits");
                slot.lock_unless_held_here().as_deref().copied()
            });
            asked.recv().expect("the thread runs");
            // Usually enough for the thread to find the slot held.
            thread::sleep(Duration::from_millis(20));
            *held = 6;
            drop(held);
            assert_eq!(waiting.join().expect("no panic"), Some(6));
        });
    }
}
