//! When backends greeted: one that is slow is told from one that is DOWN.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// When each backend greeted last, by its index.
#[derive(Debug, Default)]
pub struct Greetings(Mutex<Vec<Option<Instant>>>);

impl Greetings {
    /// Backend `ndx` greets.
    pub fn note(&self, ndx: usize, now: Instant) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() <= ndx {
            last.resize(ndx + 1, None);
        }
        if let Some(last) = last.get_mut(ndx) {
            *last = Some(now);
        }
    }

    /// Whether backend `ndx` greeted anybody since then.
    pub fn any_since(&self, ndx: usize, then: Instant) -> bool {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(ndx).copied().flatten().is_some_and(|last| last > then)
    }
}
