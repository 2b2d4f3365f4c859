//! What the threads count of themselves while somebody looks (`pyproxy-http-address`): each in memory of its own, which only it
//! writes, so that counting is a store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use engine::Side;
use metrics::{Distribution, Histogram};

use super::peer::Traffic;

/// The numbers of all threads.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Vec<Arc<OfThread>>>);

/// The numbers of one thread.
#[derive(Debug, Default)]
pub struct OfThread {
    client: Bytes,
    server: Bytes,
    rounds: Histogram,
}

#[derive(Debug, Default)]
struct Bytes {
    read: AtomicU64,
    written: AtomicU64,
}

impl OfThread {
    fn of(&self, side: Side) -> &Bytes {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    /// So much came from a peer on this side, and went to it.
    pub fn count(&self, side: Side, traffic: Traffic) {
        let bytes = self.of(side);
        for (sum, more) in [(&bytes.read, traffic.read), (&bytes.written, traffic.written)] {
            let more = u64::try_from(more).unwrap_or_default();
            sum.store(sum.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        }
    }

    /// How long the thread was busy between two looks at the poll: as long what happens meanwhile may have to wait.
    #[cold]
    pub fn round(&self, began: Instant, ended: Instant) {
        self.rounds.observe(ended.saturating_duration_since(began));
    }
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<OfThread>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For one more thread.
    pub fn add_thread(&self) -> Arc<OfThread> {
        let own = Arc::default();
        self.lock().push(Arc::clone(&own));
        own
    }

    /// All bytes that were read from, and written to, this side: those of the protocol, without TLS and compression.
    pub fn bytes(&self, side: Side) -> (u64, u64) {
        self.lock().iter().fold((0, 0), |(read, written), thread| {
            let bytes = thread.of(side);
            let value = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
            (read + value(&bytes.read), written + value(&bytes.written))
        })
    }

    /// All rounds.
    pub fn rounds(&self) -> Distribution {
        let mut sum = Distribution::default();
        self.lock().iter().for_each(|thread| thread.rounds.add_to(&mut sum));
        sum
    }
}
