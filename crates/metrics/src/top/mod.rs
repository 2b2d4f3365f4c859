//! The most costly of very many: what each of them took, in memory that does not grow with how many there are.
//!
//! The table has room for about twice as many as it shows. As long as that is enough, every number is exact. When it is full, the one goes
//! that took the least time, and its numbers with it (weighted Space-Saving, Metwally et al. 2005):
//!
//! * **Who stays.** A newcomer takes over the rank of the one that goes, and adds to it. So whoever took more than 1/n of the time of
//!   all, n being the room of a shard, is there, whatever came between; `docs/http-api.md` says it in numbers. A flood of
//!   different ones, each seen once, throws out each other.
//! * **What is lost.** One that went begins at 0 when it comes again, also its `first_at`. What is shown was counted, nothing is
//!   estimated: numbers are those since `first_at`. The totals have all, those that went as well.
//! * **What counts.** Time is worth half as much for the rank after each [`HALF_LIFE`]: who was costly yesterday makes room for who is
//!   now. The numbers that are shown do not fade.
//!
//! Eight shards, by digest, each with a lock that is held for a few instructions: many threads count at once, and meet only if they
//! run the same at the same moment. A place per thread would need as many tables, and each would forget others.

mod entry;
mod shard;

pub use entry::{Cost, Entry, Texts};
pub use shard::{HALF_LIFE, Totals};

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shard::Shard;

/// How many shards there are: as many as three bits tell apart.
const SHARDS: usize = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 3;

/// The table.
#[derive(Debug)]
pub struct Top {
    shards: [Place; SHARDS],
    most: usize,
    since: Mutex<Duration>,
}

/// Two lines of the processor's cache, so that nobody waits for a neighbour.
#[derive(Debug)]
#[repr(align(128))]
struct Place(Mutex<Shard>);

/// What there is at a moment.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Since when it is counted: the start, or the last reset.
    pub since: Duration,
    /// All that was counted.
    pub totals: Totals,
    /// The most costly, by their time.
    pub top: Vec<Entry>,
}

impl Top {
    /// For the `most` most costly. `at` is the time, as in all calls: since any moment, the same for all.
    pub fn new(most: usize, at: Duration) -> Self {
        let room = Self::room(most);
        let shards = std::array::from_fn(|_| Place(Mutex::new(Shard::new(room, at))));
        Self { shards, most, since: Mutex::new(at) }
    }

    /// The room of each shard: by chance, some have more of the most costly than others.
    const fn room(most: usize) -> usize {
        2 * most / SHARDS + 8
    }

    /// How many are shown at most.
    pub fn most(&self) -> usize {
        self.most
    }

    fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(Place::lock)
    }

    /// The one with this digest took so much. `texts` is called if it is a newcomer.
    pub fn count(&self, digest: u64, cost: &Cost, at: Duration, texts: impl FnOnce() -> Texts) {
        let [first, ..] = &self.shards;
        let ndx = usize::try_from(digest >> (u64::BITS - SHARD_BITS)).unwrap_or_default();
        self.shards.get(ndx).unwrap_or(first).lock().count(digest, cost, at, texts);
    }

    /// All that is known.
    pub fn report(&self) -> Report {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let mut report = Report { since, ..Report::default() };
        for shard in self.shards() {
            report.totals.add(shard.totals());
            report.top.extend_from_slice(shard.entries());
        }
        report.top.sort_by_key(|entry| std::cmp::Reverse((entry.time, entry.digest)));
        report.top.truncate(self.most);
        report
    }

    /// Forgets everything.
    pub fn reset(&self, at: Duration) {
        self.shards().for_each(|mut shard| shard.reset(at));
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, Shard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
