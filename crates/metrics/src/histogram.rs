//! How long something took, as a distribution.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in nanoseconds, from 100 µs to 30 s. One more bucket has what took longer.
pub const BOUNDS: [u64; 17] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
];

const BUCKETS: usize = BOUNDS.len() + 1;

/// A time in nanoseconds, and its bucket.
#[inline]
fn place(time: Duration) -> (u64, usize) {
    // Without the 128 bits of `as_nanos`.
    let nanos = time.as_secs().saturating_mul(1_000_000_000);
    let nanos = nanos.saturating_add(time.subsec_nanos().into());
    (nanos, BOUNDS.iter().take_while(|bound| nanos > **bound).count())
}

/// Times, counted by how long they were.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

/// What a [`Histogram`], or several of them, had when it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// How many there were in each bucket, alone.
    pub buckets: [u64; BUCKETS],
    /// The sum of all times, in nanoseconds.
    pub nanos: u64,
}

impl Histogram {
    /// Counts one that took so long.
    #[inline]
    pub fn observe(&self, time: Duration) {
        let (nanos, place) = place(time);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Adds what it has to `sum`.
    pub fn add_to(&self, sum: &mut Distribution) {
        for (bucket, own) in sum.buckets.iter_mut().zip(&self.buckets) {
            *bucket += own.load(Ordering::Relaxed);
        }
        sum.nanos = sum.nanos.saturating_add(self.nanos.load(Ordering::Relaxed));
    }

    /// What it has.
    pub fn read(&self) -> Distribution {
        let mut distribution = Distribution::default();
        self.add_to(&mut distribution);
        distribution
    }
}

impl Distribution {
    /// Counts one that took so long.
    #[inline]
    pub fn observe(&mut self, time: Duration) {
        let (nanos, place) = place(time);
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += 1;
        }
        self.nanos = self.nanos.saturating_add(nanos);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for bound in BOUNDS {
            histogram.observe(Duration::from_nanos(bound));
            histogram.observe(Duration::from_nanos(bound + 1));
        }
        let read = histogram.read();
        assert_eq!((read.buckets[0], read.buckets[BUCKETS - 1]), (1, 1));
        assert!(read.buckets[1..BUCKETS - 1].iter().all(|count| *count == 2));
        assert_eq!(read.count(), 2 * 17);
        let sum: u64 = BOUNDS.iter().map(|bound| 2 * bound + 1).sum();
        assert_eq!(read.nanos, sum);
    }

    #[test]
    fn several_add_up() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.observe(Duration::from_secs(1));
        other.observe(Duration::from_secs(3600));
        let mut sum = one.read();
        other.add_to(&mut sum);
        assert_eq!((sum.count(), sum.nanos), (2, 3601 * 1_000_000_000));
        assert_eq!(sum.buckets[BUCKETS - 1], 1);
    }
}
