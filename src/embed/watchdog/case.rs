//! What is due for a hook that runs, and when.

use std::time::{Duration, Instant};

use ::script::Call;

/// How often the watchdog looks at most, and at least.
const OFTEN: Duration = Duration::from_millis(10);
const SELDOM: Duration = Duration::from_millis(250);
/// How long a hook that was interrupted may take to end before the log says that it does not.
const GRACE: Duration = Duration::from_secs(1);
/// How often the log says so.
const AGAIN: Duration = Duration::from_secs(60);

/// How long hooks may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Before the log says that one does (`pyproxy-hook-warn`).
    pub warn: Option<Duration>,
    /// Before one is interrupted (`pyproxy-hook-timeout`).
    pub timeout: Option<Duration>,
    /// When the process is to end: how long commands may go on (`pyproxy-drain-timeout`).
    pub drain: Duration,
}

impl Limits {
    /// How long the watchdog sleeps between two looks.
    pub fn pause(&self) -> Duration {
        let shortest = self.warn.into_iter().chain(self.timeout).min();
        shortest.map_or(SELDOM, |limit| (limit / 4).clamp(OFTEN, SELDOM))
    }

    fn again(&self) -> Duration {
        self.timeout.map_or(AGAIN, |timeout| timeout.saturating_mul(2).min(AGAIN))
    }
}

/// What is to be done about a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The log says that it takes long.
    Warn,
    /// It gets its exception.
    Interrupt,
    /// It got that, and goes on: the log says so, and it gets another one.
    Again,
}

/// A hook that runs.
#[derive(Debug)]
pub struct Case {
    call: Call,
    /// When it was first seen.
    since: Instant,
    warned: bool,
    /// It was interrupted; when it is again.
    again: Option<Instant>,
}

impl Case {
    /// Seen for the first time.
    pub fn new(call: Call, now: Instant) -> Self {
        Self { call, since: now, warned: false, again: None }
    }

    /// Which call it is.
    pub fn call(&self) -> Call {
        self.call
    }

    /// For how long it has been seen.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// What is due now.
    pub fn due(&self, limits: &Limits, now: Instant) -> Option<Due> {
        let is_over = |limit| self.age(now) >= limit;
        match self.again {
            Some(again) => (now >= again).then_some(Due::Again),
            None if limits.timeout.is_some_and(is_over) => Some(Due::Interrupt),
            None => (!self.warned && limits.warn.is_some_and(is_over)).then_some(Due::Warn),
        }
    }

    /// It was done.
    pub fn done(&mut self, limits: &Limits, due: Due, now: Instant) {
        match due {
            Due::Warn => self.warned = true,
            Due::Interrupt => self.again = Some(now + limits.again().min(GRACE)),
            Due::Again => self.again = Some(now + limits.again()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// What becomes due at which second, within ten minutes.
    fn history(warn: u64, timeout: u64) -> Vec<(u64, Due)> {
        let limit = |n| Some(seconds(n)).filter(|limit| !limit.is_zero());
        let limits = Limits { warn: limit(warn), timeout: limit(timeout), drain: seconds(0) };
        let begin = Instant::now();
        let mut case = Case::new(Call::default(), begin);
        let mut seen = Vec::new();
        for second in 0..600 {
            let now = begin + seconds(second);
            while let Some(due) = case.due(&limits, now) {
                case.done(&limits, due, now);
                seen.push((second, due));
            }
        }
        seen
    }

    #[test]
    fn a_hook_is_logged_then_interrupted_then_logged_each_minute() {
        let seen = history(1, 30);
        assert_eq!(seen[..3], [(1, Due::Warn), (30, Due::Interrupt), (31, Due::Again)]);
        let next: Vec<_> = seen[3..].iter().map(|(second, _)| *second).collect();
        assert_eq!(next, [91, 151, 211, 271, 331, 391, 451, 511, 571]);
        assert!(seen[3..].iter().all(|(_, due)| *due == Due::Again));
    }

    #[test]
    fn a_short_limit_is_told_of_more_often() {
        let seen = history(0, 5);
        assert_eq!(
            seen[..4],
            [(5, Due::Interrupt), (6, Due::Again), (16, Due::Again), (26, Due::Again)]
        );
    }

    #[test]
    fn without_limits_nothing_is_due() {
        assert_eq!(history(0, 0), []);
        assert_eq!(history(3, 0), [(3, Due::Warn)]);
    }

    #[test]
    fn it_looks_often_enough_for_the_limits() {
        let pause = |warn, timeout| Limits { warn, timeout, drain: seconds(0) }.pause();
        assert_eq!(pause(None, None), SELDOM);
        assert_eq!(pause(Some(seconds(1)), Some(seconds(30))), SELDOM);
        assert_eq!(pause(Some(seconds(1)), Some(seconds(1) / 5)), seconds(1) / 20);
        assert_eq!(pause(Some(Duration::from_micros(1)), None), OFTEN);
    }
}
