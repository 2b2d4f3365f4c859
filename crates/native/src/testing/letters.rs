//! What a hook wants that waits, in memory.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use script::{FromScript, Mailbox};

/// The letters of one connection.
#[derive(Debug, Default)]
pub struct Letters {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<FromScript>,
    /// How often it was asked whether nothing happens on the hook's thread.
    asked: u64,
    /// The last of these questions that was answered.
    idle: u64,
}

impl Letters {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first one, if there is one.
    pub fn first(&self) -> Option<FromScript> {
        self.lock().queue.pop_front()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    /// Somebody wants to know when nothing happens on the hook's thread: the number of the question.
    pub fn ask(&self) -> u64 {
        let mut state = self.lock();
        state.asked += 1;
        state.asked
    }

    /// Nothing will happen on the hook's thread before somebody does something about it.
    pub fn note_idle(&self, question: u64) {
        self.lock().idle = question;
        self.changed.notify_one();
    }

    /// Waits for a letter, or for the answer to a question. Whether there was one of them in time. Not attached to Python: the hook
    /// needs that.
    pub fn wait(&self, limit: Duration, question: Option<u64>) -> bool {
        let nothing = |state: &mut State| {
            state.queue.is_empty() && question.is_none_or(|question| state.idle < question)
        };
        let waited = self.changed.wait_timeout_while(self.lock(), limit, nothing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Mailbox for Letters {
    fn put(&self, message: FromScript) {
        self.lock().queue.push_back(message);
        self.changed.notify_one();
    }
}
