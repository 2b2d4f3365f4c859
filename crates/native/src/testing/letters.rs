//! What a hook wants that waits, in memory.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use script::{FromScript, Mailbox};

/// The letters of one connection.
#[derive(Debug, Default)]
pub struct Letters {
    waiting: Mutex<VecDeque<FromScript>>,
    arrived: Condvar,
}

impl Letters {
    /// The first one; waits for it. Not attached to Python: the hook needs that.
    pub fn take(&self) -> FromScript {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(first) = waiting.pop_front() {
                return first;
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Mailbox for Letters {
    fn put(&self, message: FromScript) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(message);
        self.arrived.notify_one();
    }
}
