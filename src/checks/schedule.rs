//! When each backend is checked: those that fail again and again less often.

use std::time::{Duration, Instant};

/// The longest pause that comes of failures.
const LONGEST: Duration = Duration::from_secs(60);
/// As often the pause doubles at most.
const DOUBLINGS: u32 = 4;

/// The backends, by their index.
#[derive(Debug)]
pub struct Schedule {
    interval: Duration,
    backends: Vec<Plan>,
}

#[derive(Debug, Clone, Default)]
struct Plan {
    /// `None`: now.
    due: Option<Instant>,
    failures: u32,
    runs: bool,
}

impl Schedule {
    /// With this pause between two checks. All are due.
    pub fn new(interval: Duration) -> Self {
        Self { interval, backends: Vec::new() }
    }

    fn of(&mut self, ndx: usize) -> &mut Plan {
        if self.backends.len() <= ndx {
            self.backends.resize(ndx + 1, Plan::default());
        }
        self.backends.get_mut(ndx).expect("made just now")
    }

    /// Whether the backend is to be checked now. Then it is not again before [`Schedule::done`].
    pub fn begin(&mut self, ndx: usize, now: Instant) -> bool {
        let plan = self.of(ndx);
        let is_due = !plan.runs && plan.due.is_none_or(|due| due <= now);
        plan.runs |= is_due;
        is_due
    }

    /// The check that was begun is over.
    pub fn done(&mut self, ndx: usize, has_failed: bool, now: Instant) {
        let interval = self.interval;
        let plan = self.of(ndx);
        plan.runs = false;
        plan.failures = if has_failed { plan.failures.saturating_add(1) } else { 0 };
        plan.due = now.checked_add(pause(interval, plan.failures));
    }

    /// The backend is not to be checked at present. When it is to be again, that is at once.
    pub fn forget(&mut self, ndx: usize) {
        let plan = self.of(ndx);
        (plan.due, plan.failures) = (None, 0);
    }
}

/// How long the next check has to wait behind so many failures in a row.
fn pause(interval: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS);
    interval.saturating_mul(1 << doublings).min(LONGEST.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn failures_make_the_pause_longer() {
        let seconds =
            |interval: u64, failures| pause(Duration::from_secs(interval), failures).as_secs();
        let pauses = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|failures| seconds(2, failures));
        assert_eq!(pauses, [2, 2, 4, 8, 16, 32, 32, 32]);
        assert_eq!([1, 2, 3].map(|failures| seconds(25, failures)), [25, 50, 60]);
        assert_eq!([1, 9].map(|failures| seconds(100, failures)), [100, 100]);
    }

    #[test]
    fn a_check_at_a_time() {
        let (mut schedule, now) = (Schedule::new(SECOND), Instant::now());
        assert!(schedule.begin(3, now) && !schedule.begin(3, now + 9 * SECOND));
        schedule.done(3, true, now);
        assert!(!schedule.begin(3, now) && schedule.begin(3, now + SECOND));
        schedule.done(3, true, now + SECOND);
        assert!(!schedule.begin(3, now + 2 * SECOND) && schedule.begin(3, now + 3 * SECOND));
        schedule.done(3, false, now + 3 * SECOND);
        assert!(schedule.begin(3, now + 4 * SECOND));
    }

    #[test]
    fn who_comes_back_is_checked_at_once() {
        let (mut schedule, now) = (Schedule::new(SECOND), Instant::now());
        assert!(schedule.begin(0, now));
        schedule.done(0, true, now);
        schedule.forget(0);
        assert!(schedule.begin(0, now));
        schedule.forget(0);
        assert!(!schedule.begin(0, now), "the check that runs is over first");
    }
}
