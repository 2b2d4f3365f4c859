//! Standing in line.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Capacity, Fits, Notify, Place, Wants};
use crate::Pool;

/// Stands in line as long as this exists, and keeps what came of it.
#[derive(Debug)]
pub struct Ticket {
    number: u64,
    capacity: Arc<Capacity>,
    pool: Arc<Mutex<Pool>>,
}

static NEXT_TICKET: AtomicU64 = AtomicU64::new(1);

impl Ticket {
    /// That of nobody else.
    fn new(capacity: &Arc<Capacity>, pool: &Arc<Mutex<Pool>>) -> Self {
        let number = NEXT_TICKET.fetch_add(1, Ordering::Relaxed);
        Self { number, capacity: Arc::clone(capacity), pool: Arc::clone(pool) }
    }

    /// Stands in line for a place at backend `ndx`.
    pub(crate) fn for_place(
        capacity: &Arc<Capacity>,
        pool: &Arc<Mutex<Pool>>,
        ndx: usize,
        notify: Notify,
    ) -> Self {
        let ticket = Self::new(capacity, pool);
        capacity.stand(ticket.number, Wants::Place(ndx), notify);
        ticket
    }

    /// Stands in line for an idle connection to one of these backends, unless there is one that can be kept at once.
    pub(crate) fn for_idle(
        capacity: &Arc<Capacity>,
        pool: &Arc<Mutex<Pool>>,
        backends: &[usize],
        fits: Fits,
        notify: Notify,
    ) -> Self {
        let ticket = Self::new(capacity, pool);
        let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
        let found = backends.iter().find(|ndx| pool.of(**ndx).keep_for(ticket.number, &fits));
        match found {
            Some(ndx) => {
                drop(pool);
                notify(*ndx);
            }
            // The pool is still locked: nothing can become idle in between.
            None => capacity.stand(ticket.number, Wants::Idle(backends.to_vec(), fits), notify),
        }
        ticket
    }

    /// Counts up from 1 in this process.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The place that is kept for it.
    pub(crate) fn take_place(&self) -> Option<Place> {
        self.capacity.lock().take_kept(self.number)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.capacity.leave(self.number);
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).free(self.number);
    }
}
