//! Backends that clients leave: DRAIN, MAINT, and those that were removed.
//!
//! Whoever changes the state closes the idle connections. A driver that can tells [`Event::BackendLeft`](crate::Event::BackendLeft) to
//! connections that are there.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use crate::engine::Step;
use crate::error_code::ER_SERVER_SHUTDOWN;
use crate::turn::Turn;
use crate::{BackendState, Reply, Server, Shared};

/// For the log, and for clients.
const MAINTENANCE: &str = "the backend is in maintenance";

/// Whether there are any, and who is told.
#[derive(Default)]
pub struct Leaving {
    any: AtomicBool,
    changes: Mutex<()>,
    notify: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaving").field("any", &self.any).finish_non_exhaustive()
    }
}

impl Leaving {
    /// Whether clients leave any backend.
    #[inline]
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// From now on `notify` is called when there is one more. It must not wait.
    pub fn tell(&self, notify: Box<dyn Fn() + Send + Sync>) {
        _ = self.notify.set(notify);
    }
}

impl Shared {
    /// Backend `ndx` is to be in this state: its idle connections are closed if clients leave it.
    pub fn set_backend_state(&self, ndx: usize, state: BackendState) {
        let backends = &*self.backends;
        if ndx >= backends.len() {
            return;
        }
        let turn = self.leaving.changes.lock().unwrap_or_else(PoisonError::into_inner);
        backends.set_state(ndx, state);
        let any = (0..backends.len()).any(|ndx| self.is_left(ndx));
        self.leaving.any.store(any, Ordering::Relaxed);
        drop(turn);
        if !state.is_left() {
            return;
        }
        let closed = self.pool().of(ndx).leave();
        drop(closed);
        if let Some(notify) = self.leaving.notify.get() {
            notify();
        }
    }

    /// Removes backend `ndx` from the list. `false`: it is not there.
    pub fn remove_backend(&self, ndx: usize) -> bool {
        let is_there = self.has_backend(ndx);
        self.set_backend_state(ndx, BackendState::Removed);
        is_there
    }

    /// Whether there is a backend `ndx`, which was not removed.
    pub fn has_backend(&self, ndx: usize) -> bool {
        self.backends.state(ndx).is_some_and(|state| state != BackendState::Removed)
    }

    /// Whether there is still something to be told of backend `ndx`: it is there, or was removed and has connections.
    pub fn is_listed(&self, ndx: usize) -> bool {
        self.has_backend(ndx) || self.capacity.open(ndx) > 0
    }

    /// Whether clients leave backend `ndx`.
    pub fn is_left(&self, ndx: usize) -> bool {
        self.backends.state(ndx).is_some_and(BackendState::is_left)
    }

    /// Puts an idle connection into the pool, or closes it if clients leave its backend.
    pub(crate) fn park(&self, server: Server, now: Instant) {
        let mut pool = self.pool();
        let idle = pool.of(server.backend);
        // Asked under the lock: whoever changes the state then takes the lock to close what is there.
        if self.is_left(server.backend) {
            idle.closed.by_state += 1;
        } else {
            idle.park(server, now);
        }
    }
}

impl Turn<'_> {
    /// The client leaves the backend that it uses, if it is to, and in a place where it can.
    pub fn backend_left(&mut self) {
        let Some(server) = self.session.server.as_ref() else { return };
        let (ndx, in_transaction) = (server.backend, server.in_transaction());
        if !self.shared.is_left(ndx) {
            return;
        }
        let is_maint = self.shared.backends.state(ndx) == Some(BackendState::Maint);
        let untouched = !self.state.exchange.begun && !self.state.exchange.is_answered();
        match self.state.step {
            Step::Command if is_maint || !in_transaction => self.refuse_to_stay(),
            _ if is_maint && self.runs_nested() => self.nested_lost(MAINTENANCE),
            Step::Answer | Step::FileAnswer | Step::Preparing if is_maint => {
                if untouched {
                    self.refuse_to_stay();
                } else {
                    self.close_server();
                    self.abort();
                }
            }
            _ => {}
        }
    }

    fn refuse_to_stay(&mut self) {
        self.close_server();
        let message = "pyproxy: the backend is taken out of service, connect again";
        self.refuse(&Reply::error(ER_SERVER_SHUTDOWN, message));
    }
}
