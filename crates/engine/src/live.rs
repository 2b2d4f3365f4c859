//! The connections that there are, for who looks at them from outside ([`Shared::observes`](crate::Shared)).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Session, Slot};

/// Ends a connection. Called from any thread; must not wait.
pub type End = Arc<dyn Fn() + Send + Sync>;

/// The connections, by their numbers. Its lock is a leaf lock.
#[derive(Debug, Default)]
pub struct Live(Mutex<BTreeMap<u64, Entry>>);

/// One of them.
#[derive(Clone)]
struct Entry {
    session: Slot<Session>,
    end: Option<End>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("can_be_ended", &self.end.is_some()).finish_non_exhaustive()
    }
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is a connection with this number.
    pub(crate) fn add(&self, id: u64, session: Slot<Session>) {
        self.lock().insert(id, Entry { session, end: None });
    }

    /// The connection with this number can be ended so.
    pub fn set_end(&self, id: u64, end: End) {
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.end = Some(end);
        }
    }

    /// It has gone.
    pub(crate) fn remove(&self, id: u64) {
        let gone = self.lock().remove(&id);
        drop(gone);
    }

    /// Those with a number above `after`, in their order, `most` at most.
    pub fn list(&self, after: u64, most: usize) -> Vec<Slot<Session>> {
        let entries = self.lock();
        let behind = entries.range((Bound::Excluded(after), Bound::Unbounded));
        behind.take(most).map(|(_, entry)| entry.session.clone()).collect()
    }

    /// Has the connection with this number end. `None`: there is none. `false`: its driver cannot.
    pub fn end(&self, id: u64) -> Option<bool> {
        let end = self.lock().get(&id)?.end.clone();
        Some(end.map(|end| end()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::Client;

    #[test]
    fn a_list_is_read_in_parts() {
        let live = Live::default();
        for id in [3, 1, 7, 5] {
            live.add(id, Slot::new(Session::new(id, Client::default())));
        }
        let ids = |after, most| -> Vec<u64> {
            let sessions = live.list(after, most);
            sessions.iter().filter_map(|session| Some(session.lock()?.id)).collect()
        };
        assert_eq!((ids(0, 3), ids(5, 3), ids(7, 3)), (vec![1, 3, 5], vec![7], vec![]));
        live.remove(3);
        assert_eq!(ids(0, 9), [1, 5, 7]);
    }

    #[test]
    fn who_can_be_ended_is() {
        let live = Live::default();
        live.add(1, Slot::new(Session::new(1, Client::default())));
        assert_eq!((live.end(1), live.end(2)), (Some(false), None));
        let ended = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&ended);
        live.set_end(1, Arc::new(move || _ = count.fetch_add(1, Ordering::Relaxed)));
        assert_eq!((live.end(1), ended.load(Ordering::Relaxed)), (Some(true), 1));
    }
}
