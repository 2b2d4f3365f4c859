//! How many connections each backend has, the most that it may have (`pyproxy-backend-max-connections`), and who stands in line
//! for one.
//!
//! There is one line for all backends, and who came first is served first. What comes free is kept for who gets it: a place for a
//! new connection here, an idle connection in the pool. So nobody who comes later is faster.
//!
//! Its lock is a leaf lock: it may be taken while the pool's is held, and none is taken under it but that of whoever is told. While nobody
//! stands in line, a connection that becomes idle takes none.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Server;

mod ticket;

pub use ticket::Ticket;

/// Told once, with its index, that a backend has something for who stands in line. Called from any thread; must not wait.
pub type Notify = Box<dyn FnOnce(usize) + Send>;

/// How many connections there are, and who stands in line.
#[derive(Debug, Default)]
pub struct Capacity {
    state: Mutex<State>,
    /// How many stand in line, to be looked at without the lock. Who stands in line for an idle connection has the lock of the pool, as has
    /// whoever parks one: neither misses the other.
    standing: AtomicUsize,
}

/// The state while it is locked.
struct Locked<'a> {
    state: MutexGuard<'a, State>,
    standing: &'a AtomicUsize,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.standing.store(self.state.line.len(), Ordering::SeqCst);
    }
}

#[derive(Debug, Default)]
struct State {
    backends: Vec<OfBackend>,
    /// The limit of backends that have none of their own; 0: none.
    limit: usize,
    line: VecDeque<Waiting>,
    /// Places that came free, by the ticket that each is kept for.
    kept: Vec<(u64, Place)>,
}

#[derive(Debug, Clone, Default)]
struct OfBackend {
    open: usize,
    limit: Option<usize>,
}

/// Somebody who stands in line.
struct Waiting {
    ticket: u64,
    wants: Wants,
    notify: Notify,
}

/// What somebody stands in line for.
pub enum Wants {
    /// A new connection to this backend.
    Place(usize),
    /// An idle connection to one of these backends.
    Idle(Vec<usize>, Fits),
}

/// Says of an idle connection whether it is one that somebody can have.
pub type Fits = Box<dyn Fn(&Server) -> bool + Send>;

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends = match &self.wants {
            Wants::Place(ndx) => std::slice::from_ref(ndx),
            Wants::Idle(backends, _) => backends,
        };
        f.debug_struct("Waiting").field("ticket", &self.ticket).field("for", &backends).finish()
    }
}

impl Waiting {
    fn is_for_place(&self, ndx: usize) -> bool {
        matches!(self.wants, Wants::Place(wanted) if wanted == ndx)
    }
}

/// Who gets a connection that became idle.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nobody waits for it.
    Nobody,
    /// Who has this ticket, and is told: it is to be kept for it.
    Ticket(u64),
    /// Somebody who needs a new connection in its place: it is to be closed.
    Newcomer,
}

impl State {
    fn limit(&self, ndx: usize) -> usize {
        self.backends.get(ndx).and_then(|backend| backend.limit).unwrap_or(self.limit)
    }

    fn open(&self, ndx: usize) -> usize {
        self.backends.get(ndx).map_or(0, |backend| backend.open)
    }

    fn of(&mut self, ndx: usize) -> &mut OfBackend {
        if self.backends.len() <= ndx {
            self.backends.resize(ndx + 1, OfBackend::default());
        }
        self.backends.get_mut(ndx).expect("made just now")
    }

    fn has_room(&self, ndx: usize) -> bool {
        let limit = self.limit(ndx);
        limit == 0 || self.open(ndx) < limit
    }

    /// Takes whoever is first of those that `suits` out of the line.
    fn call(&mut self, suits: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let position = self.line.iter().position(suits)?;
        self.line.remove(position)
    }

    fn take_kept(&mut self, ticket: u64) -> Option<Place> {
        let position = self.kept.iter().position(|(owner, _)| *owner == ticket)?;
        Some(self.kept.swap_remove(position).1)
    }

    /// Gives places that are free to those who stand in line for them.
    fn fill(&mut self, capacity: &Arc<Capacity>, ndx: usize) {
        while self.has_room(ndx) {
            let Some(next) = self.call(|waiting| waiting.is_for_place(ndx)) else { return };
            self.of(ndx).open += 1;
            self.kept.push((next.ticket, Place { capacity: Arc::clone(capacity), ndx }));
            (next.notify)(ndx);
        }
    }
}

impl Capacity {
    /// Sets the limit of backends that have none of their own; 0: any number. Before there are connections.
    pub fn set_common_limit(&self, limit: usize) {
        self.lock().limit = limit;
    }

    fn lock(&self) -> Locked<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { state, standing: &self.standing }
    }

    /// How many connections backend `ndx` has, idle ones and those that are being made, too.
    pub fn open(&self, ndx: usize) -> usize {
        self.lock().open(ndx)
    }

    /// The most that it may have; 0: any number.
    pub fn limit(&self, ndx: usize) -> usize {
        self.lock().limit(ndx)
    }

    /// Sets the limit of one backend. Connections above it are closed by nobody: they just are not replaced.
    pub fn set_limit(self: &Arc<Self>, ndx: usize, limit: usize) {
        let mut state = self.lock();
        state.of(ndx).limit = Some(limit);
        state.fill(self, ndx);
    }

    /// Whether it may have one more, for which nobody waits.
    pub fn has_room(&self, ndx: usize) -> bool {
        self.lock().has_room(ndx)
    }

    /// How many clients stand in line.
    pub fn waiting(&self) -> usize {
        self.standing.load(Ordering::SeqCst)
    }

    /// A place for one more connection to backend `ndx`; `None` if it is full.
    pub(crate) fn enter(self: &Arc<Self>, ndx: usize) -> Option<Place> {
        let mut state = self.lock();
        if !state.has_room(ndx) {
            return None;
        }
        state.of(ndx).open += 1;
        Some(Place { capacity: Arc::clone(self), ndx })
    }

    /// Somebody stands in line, at its end.
    pub(crate) fn stand(self: &Arc<Self>, ticket: u64, wants: Wants, notify: Notify) {
        let mut state = self.lock();
        let place = if let Wants::Place(ndx) = wants { Some(ndx) } else { None };
        state.line.push_back(Waiting { ticket, wants, notify });
        if let Some(ndx) = place {
            // It may have become free just before.
            state.fill(self, ndx);
        }
    }

    /// A ticket is void, and what was kept for it is for others.
    fn leave(&self, ticket: u64) {
        let mut state = self.lock();
        let gone = state.call(|waiting| waiting.ticket == ticket);
        let kept = state.take_kept(ticket);
        drop(state);
        drop((gone, kept));
    }

    /// Who gets this connection, which became idle. It is told.
    pub(crate) fn next_for(&self, server: &Server) -> Next {
        if self.waiting() == 0 {
            return Next::Nobody;
        }
        let ndx = server.backend;
        let mut state = self.lock();
        let suits = |waiting: &Waiting| match &waiting.wants {
            Wants::Place(wanted) => *wanted == ndx,
            Wants::Idle(backends, fits) => backends.contains(&ndx) && fits(server),
        };
        let Some(position) = state.line.iter().position(suits) else { return Next::Nobody };
        if state.line.get(position).is_some_and(|waiting| waiting.is_for_place(ndx)) {
            return Next::Newcomer;
        }
        match state.line.remove(position) {
            Some(next) => {
                (next.notify)(ndx);
                Next::Ticket(next.ticket)
            }
            None => Next::Nobody,
        }
    }
}

/// A connection of a backend, counted as long as this exists.
#[derive(Debug)]
pub struct Place {
    capacity: Arc<Capacity>,
    ndx: usize,
}

impl Place {
    /// Of which backend.
    pub(crate) fn backend(&self) -> usize {
        self.ndx
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.capacity.lock();
        state.of(self.ndx).open -= 1;
        state.fill(&self.capacity, self.ndx);
    }
}

#[cfg(test)]
mod tests;
