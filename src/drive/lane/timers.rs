//! When connections run out of patience.
//!
//! A deadline moves on with almost every packet. So a timer is not moved with it: when it goes off, the deadline is looked at, and a
//! new timer is set if that has moved on.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// The timers of a thread's connections, by their keys.
#[derive(Debug, Default)]
pub struct Timers(BinaryHeap<Reverse<(Instant, usize)>>);

/// What one connection knows of its timer.
#[derive(Debug, Default)]
pub struct Deadline {
    at: Option<Instant>,
    /// When the first timer of this connection goes off.
    set_for: Option<Instant>,
}

impl Deadline {
    /// It is at `at` now; `None`: never.
    #[inline]
    pub fn set(&mut self, at: Option<Instant>, key: usize, timers: &mut Timers) {
        self.at = at;
        if let Some(at) = at
            && self.set_for.is_none_or(|set_for| at < set_for)
        {
            timers.0.push(Reverse((at, key)));
            self.set_for = Some(at);
        }
    }

    /// A timer went off: whether the deadline is over. Sets the next timer if it is not.
    pub fn is_over(&mut self, now: Instant, key: usize, timers: &mut Timers) -> bool {
        if self.set_for.is_some_and(|set_for| set_for > now) {
            // That was an earlier one, of a connection with the same key, or of a deadline that was taken back.
            return false;
        }
        self.set_for = None;
        if self.at.is_some_and(|at| at <= now) {
            self.at = None;
            return true;
        }
        self.set(self.at, key, timers);
        false
    }
}

impl Timers {
    /// How long to wait for the first one.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.0.peek().map(|Reverse((at, _))| at.saturating_duration_since(now))
    }

    /// The key of a timer that has gone off.
    pub fn pop(&mut self, now: Instant) -> Option<usize> {
        let Reverse((at, _)) = self.0.peek()?;
        if *at > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, key))| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_deadline_that_moves_on_needs_one_timer() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        let start = Instant::now();
        for n in 1..100 {
            deadline.set(Some(start + SECOND * n), 7, &mut timers);
        }
        assert_eq!(timers.0.len(), 1);
        assert_eq!(timers.wait(start), Some(SECOND));
        assert_eq!(timers.pop(start), None);
        assert_eq!(timers.pop(start + SECOND), Some(7));
        assert!(!deadline.is_over(start + SECOND, 7, &mut timers));
        assert_eq!(timers.wait(start), Some(SECOND * 99));
        let end = start + SECOND * 99;
        assert_eq!(timers.pop(end), Some(7));
        assert!(deadline.is_over(end, 7, &mut timers));
        assert!(timers.0.is_empty());
    }

    #[test]
    fn an_earlier_deadline_is_kept() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        let start = Instant::now();
        deadline.set(Some(start + SECOND * 100), 7, &mut timers);
        deadline.set(Some(start + SECOND), 7, &mut timers);
        assert_eq!(timers.pop(start + SECOND), Some(7));
        assert!(deadline.is_over(start + SECOND, 7, &mut timers));
        // The first timer still comes, and means nothing.
        let late = start + SECOND * 100;
        assert_eq!(timers.pop(late), Some(7));
        assert!(!deadline.is_over(late, 7, &mut timers));
    }

    #[test]
    fn a_deadline_that_was_taken_back_never_comes() {
        let (mut timers, mut deadline) = (Timers::default(), Deadline::default());
        let start = Instant::now();
        deadline.set(Some(start + SECOND), 7, &mut timers);
        deadline.set(None, 7, &mut timers);
        assert_eq!(timers.pop(start + SECOND), Some(7));
        assert!(!deadline.is_over(start + SECOND, 7, &mut timers));
    }
}
