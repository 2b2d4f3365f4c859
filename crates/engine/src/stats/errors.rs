//! Errors that clients got, by number.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire::reply::is_err;

/// Who made an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A server.
    Server,
    /// The proxy or its script.
    Proxy,
}

/// The most numbers that are told apart: a server or a script may make up any.
const MOST: usize = 256;

/// Errors, by who made them and by number; those of further numbers under `None`.
type Counts = BTreeMap<(Source, Option<u16>), u64>;

/// Errors that clients got. Its lock is a leaf lock.
#[derive(Debug, Default)]
pub struct Errors(Mutex<Counts>);

impl Errors {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the payload, if it is an ERR; gives its number then.
    #[inline]
    pub fn count(&self, source: Source, payload: &[u8]) -> Option<u16> {
        if is_err(payload) { Some(self.count_error(source, payload)) } else { None }
    }

    #[cold]
    fn count_error(&self, source: Source, payload: &[u8]) -> u16 {
        let code = match payload {
            [_, low, high, ..] => u16::from_le_bytes([*low, *high]),
            _ => 0,
        };
        let mut counts = self.lock();
        let is_new = !counts.contains_key(&(source, Some(code)));
        let told_apart = Some(code).filter(|_| !is_new || counts.len() < MOST);
        *counts.entry((source, told_apart)).or_default() += 1;
        code
    }

    /// All that there were.
    pub fn all(&self) -> Vec<(Source, Option<u16>, u64)> {
        self.lock().iter().map(|((source, code), count)| (*source, *code, *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart() {
        let errors = Errors::default();
        errors.count(Source::Server, b"\xff\x28\x04#42S02no");
        errors.count(Source::Server, b"\xff\x28\x04#42S02no");
        errors.count(Source::Proxy, b"\xff\x28\x04");
        errors.count(Source::Proxy, b"\xff");
        errors.count(Source::Server, b"\x00\x00\x00");
        let want = [
            (Source::Server, Some(1064), 2),
            (Source::Proxy, Some(0), 1),
            (Source::Proxy, Some(1064), 1),
        ];
        assert_eq!(errors.all(), want);
    }

    #[test]
    fn who_makes_up_numbers_takes_no_memory() {
        let errors = Errors::default();
        for code in 0..=u16::MAX {
            let [low, high] = code.to_le_bytes();
            errors.count(Source::Server, &[0xff, low, high]);
        }
        let all = errors.all();
        assert_eq!(all.len(), MOST + 1);
        assert_eq!(all.iter().map(|(_, _, count)| count).sum::<u64>(), 65536);
        assert!(all.contains(&(Source::Server, None, 65536 - 256)));
    }
}
