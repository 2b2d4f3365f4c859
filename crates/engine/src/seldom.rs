//! A warning that would be repeated again and again is said seldom.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nobody hears of it again.
const SILENCE: Duration = Duration::from_secs(60);

/// When each of several warnings was said last. A leaf lock.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<HashMap<usize, Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    unsaid: u64,
}

impl Seldom {
    /// Whether the warning with this number is to be said now: the first time, and then at most once a minute. Gives how often it
    /// was not since it was said last.
    pub fn may_say(&self, number: usize, now: Instant) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(said) = all.get_mut(&number) else {
            all.insert(number, Said { at: now, unsaid: 0 });
            return Some(0);
        };
        if now.saturating_duration_since(said.at) < SILENCE {
            said.unsaid += 1;
            return None;
        }
        said.at = now;
        Some(std::mem::take(&mut said.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_said_at_once_and_then_once_a_minute() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let said: Vec<_> = [0, 1, 59, 60, 61, 120].map(|s| seldom.may_say(7, at(s))).to_vec();
        assert_eq!(said, [Some(0), None, None, Some(2), None, Some(1)]);
        assert_eq!(seldom.may_say(8, at(61)), Some(0), "another warning");
    }
}
