//! What is to be written, and no more than there is room for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::line::Record;

/// The most records that wait: of 4 KiB and a little more each at most.
const MOST: usize = 1024;

/// Records on their way to the thread that writes them.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    news: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    records: VecDeque<Record>,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a record, if there is room.
    pub fn push(&self, record: Record) {
        let mut state = self.lock();
        if state.is_closed || state.records.len() >= MOST {
            drop(state);
            return self.drop_one();
        }
        state.records.push_back(record);
        drop(state);
        self.news.notify_one();
    }

    /// Waits for records, and takes all that there are. `None`: there will be none any more.
    pub fn take(&self) -> Option<VecDeque<Record>> {
        let is_quiet = |state: &mut State| state.records.is_empty() && !state.is_closed;
        let waited = self.news.wait_while(self.lock(), is_quiet);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::take(&mut state.records)).filter(|records| !records.is_empty())
    }

    /// No record is taken any more.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_all();
    }

    /// Whether the end has come, and whoever writes should not wait for better times.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// A record is not written.
    pub fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were not.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let queue = Queue::default();
        for _ in 0..MOST + 3 {
            queue.push(Record::default());
        }
        assert_eq!(queue.dropped(), 3);
        assert_eq!(queue.take().map(|records| records.len()), Some(MOST));
        queue.push(Record::default());
        queue.close();
        assert_eq!(queue.take().map(|records| records.len()), Some(1));
        queue.push(Record::default());
        assert!(queue.take().is_none() && queue.dropped() == 4);
    }
}
