//! What is counted of each backend.

use std::sync::OnceLock;

use metrics::{Histogram, Sharded};

use super::Counter;

/// Backends from here on are not counted: there is one place for each, so that nobody waits for a lock.
const MOST: usize = 256;

/// The numbers of one backend.
#[derive(Debug, Default)]
pub struct BackendStats {
    /// How long connects took that succeeded.
    pub connects: Histogram,
    /// Connects that failed.
    pub failures: Counter,
    /// How long commands took that it answered, from the command's arrival to the end of its answer. Only while somebody looks:
    /// [`Shared::observes`](crate::Shared).
    pub answers: Sharded<Histogram>,
    /// Idle connections that clients got out of the pool.
    pub pool_hits: Counter,
    /// How often the pool had none that a client could have.
    pub pool_misses: Counter,
    /// Connections that were closed where others go into the pool: a transaction was open, an answer was outstanding, or a script
    /// tracks sessions and this one is tied to its client.
    pub unpoolable: Counter,
}

/// The numbers of all backends, by index.
#[derive(Debug)]
pub struct AllBackends([OnceLock<Box<BackendStats>>; MOST]);

impl Default for AllBackends {
    fn default() -> Self {
        Self([const { OnceLock::new() }; MOST])
    }
}

impl AllBackends {
    /// The numbers of the backend with this index; `None` for those that are not counted.
    #[inline]
    pub fn get(&self, ndx: usize) -> Option<&BackendStats> {
        self.0.get(ndx).map(|place| &**place.get_or_init(Box::default))
    }
}
