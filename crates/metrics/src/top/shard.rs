//! A part of the table: so many, and no more.

use std::collections::HashMap;
use std::time::Duration;

use super::{Cost, Entry, Texts};

/// Time that was taken so long ago is worth half as much for who stays.
pub const HALF_LIFE: Duration = Duration::from_secs(3600);
/// After so many half-lives ranks are written anew, in terms of the present.
const EPOCH: f64 = 64.0;

/// Sums of all that were counted, those that were thrown out as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many there were.
    pub calls: u64,
    /// How many failed.
    pub errors: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows.
    pub bytes: u64,
    /// Time.
    pub time: Duration,
    /// How often one was thrown out.
    pub forgotten: u64,
}

impl Totals {
    pub(super) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.rows = self.rows.saturating_add(other.rows);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.time = self.time.saturating_add(other.time);
        self.forgotten += other.forgotten;
    }

    fn count(&mut self, cost: &Cost) {
        self.calls += u64::from(!cost.is_continued);
        self.errors += u64::from(cost.is_error);
        self.rows = self.rows.saturating_add(cost.rows);
        self.bytes = self.bytes.saturating_add(cost.bytes);
        self.time = self.time.saturating_add(cost.time);
    }
}

#[derive(Debug)]
pub struct Shard {
    room: usize,
    /// Which entry has a digest.
    places: HashMap<u64, usize>,
    entries: Vec<Entry>,
    /// The rank of each entry: its time in seconds of `base`. Together, as the lowest is looked for.
    ranks: Vec<f64>,
    base: Duration,
    totals: Totals,
}

impl Shard {
    pub fn new(room: usize, at: Duration) -> Self {
        let (places, entries, ranks) = (HashMap::new(), Vec::new(), Vec::new());
        Self { room, places, entries, ranks, base: at, totals: Totals::default() }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries there is memory for.
    #[cfg(test)]
    pub fn capacity(&self) -> usize {
        self.entries.capacity().max(self.places.capacity())
    }

    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    pub fn reset(&mut self, at: Duration) {
        *self = Self::new(self.room, at);
    }

    pub fn count(&mut self, digest: u64, cost: &Cost, at: Duration, texts: impl FnOnce() -> Texts) {
        self.totals.count(cost);
        let weight = self.weight(cost.time, at);
        let ndx = match self.places.get(&digest) {
            Some(ndx) => *ndx,
            None => self.take_place(Entry::new(digest, texts(), at)),
        };
        if let (Some(entry), Some(rank)) = (self.entries.get_mut(ndx), self.ranks.get_mut(ndx)) {
            entry.add(cost, at);
            *rank += weight;
        }
    }

    /// What this time adds to a rank: later time adds more, so that ranks need not be touched to fade.
    fn weight(&mut self, time: Duration, at: Duration) -> f64 {
        let age = at.saturating_sub(self.base).as_secs_f64() / HALF_LIFE.as_secs_f64();
        if age < EPOCH {
            return time.as_secs_f64() * age.exp2();
        }
        let faded = (-age).exp2();
        self.ranks.iter_mut().for_each(|rank| *rank *= faded);
        self.base = at;
        time.as_secs_f64()
    }

    /// The newcomer's place: a free one, or that of the lowest rank, which it takes over.
    fn take_place(&mut self, newcomer: Entry) -> usize {
        let digest = newcomer.digest;
        let ndx = if self.entries.len() < self.room {
            self.ranks.push(0.0);
            self.entries.push(newcomer);
            self.entries.len() - 1
        } else {
            let ranks = self.ranks.iter().enumerate();
            let lowest = ranks.min_by(|(_, one), (_, other)| one.total_cmp(other));
            let ndx = lowest.map_or(0, |(ndx, _)| ndx);
            if let Some(entry) = self.entries.get_mut(ndx) {
                self.places.remove(&entry.digest);
                *entry = newcomer;
            }
            self.totals.forgotten += 1;
            ndx
        };
        self.places.insert(digest, ndx);
        ndx
    }
}
