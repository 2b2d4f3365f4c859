//! Numbers that many threads count at once, each thread in a place of its own: so none waits for the memory of another.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many places there are. Threads beyond that share them.
const PLACES: usize = 16;

/// One `T` for each thread, as far as there are enough.
#[derive(Debug, Default)]
pub struct Sharded<T>([Place<T>; PLACES]);

/// Two lines of the processor's cache, as some processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Place<T>(T);

/// The number of this thread.
#[inline]
fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed) % PLACES);
        }
        number.get()
    })
}

impl<T> Sharded<T> {
    /// The one for this thread.
    #[inline]
    pub fn own(&self) -> &T {
        let [first, ..] = &self.0;
        &self.0.get(this_thread()).unwrap_or(first).0
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|place| &place.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn all_threads_add_up() {
        let count = Sharded::<AtomicU64>::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * PLACES {
                scope.spawn(|| count.own().fetch_add(1, Ordering::Relaxed));
            }
        });
        let sum: u64 = count.all().map(|own| own.load(Ordering::Relaxed)).sum();
        assert_eq!(sum, 2 * 16);
    }
}
