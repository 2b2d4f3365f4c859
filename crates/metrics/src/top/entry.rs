//! One of those that are counted.

use std::sync::Arc;
use std::time::Duration;

use crate::Distribution;

/// What one occurrence took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// From its beginning to its end.
    pub time: Duration,
    /// Rows that came of it.
    pub rows: u64,
    /// The bytes of these rows.
    pub bytes: u64,
    /// It failed.
    pub is_error: bool,
    /// It goes on with one that was counted before: no call of its own.
    pub is_continued: bool,
}

/// What it is called, and how it looked when it came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// What all that have this digest have in common.
    pub fingerprint: Box<[u8]>,
    /// One of them, or its beginning.
    pub example: Box<[u8]>,
    /// The example is a beginning.
    pub is_cut: bool,
}

/// The numbers since it came.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Tells it from others.
    pub digest: u64,
    /// What it is.
    pub texts: Arc<Texts>,
    /// How often it came.
    pub calls: u64,
    /// How many of these failed.
    pub errors: u64,
    /// Rows that came of it.
    pub rows: u64,
    /// The bytes of these rows.
    pub bytes: u64,
    /// The time of all.
    pub time: Duration,
    /// The shortest call.
    pub min: Duration,
    /// The longest one.
    pub max: Duration,
    /// The calls, by how long they were.
    pub times: Distribution,
    /// When the first one ended.
    pub first_at: Duration,
    /// When the last one ended.
    pub last_at: Duration,
}

impl Entry {
    pub(super) fn new(digest: u64, texts: Texts, at: Duration) -> Self {
        Self {
            digest,
            texts: Arc::new(texts),
            calls: 0,
            errors: 0,
            rows: 0,
            bytes: 0,
            time: Duration::ZERO,
            min: Duration::MAX,
            max: Duration::ZERO,
            times: Distribution::default(),
            first_at: at,
            last_at: at,
        }
    }

    pub(super) fn add(&mut self, cost: &Cost, at: Duration) {
        self.errors += u64::from(cost.is_error);
        self.rows = self.rows.saturating_add(cost.rows);
        self.bytes = self.bytes.saturating_add(cost.bytes);
        self.time = self.time.saturating_add(cost.time);
        self.last_at = self.last_at.max(at);
        if !cost.is_continued {
            self.calls += 1;
            self.min = self.min.min(cost.time);
            self.max = self.max.max(cost.time);
            self.times.observe(cost.time);
        }
    }

    /// The shortest call; zero if there was none.
    pub fn shortest(&self) -> Duration {
        if self.calls == 0 { Duration::ZERO } else { self.min }
    }
}
