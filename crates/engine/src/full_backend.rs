//! A backend that has all the connections that it may have: who comes then waits for a place.

use crate::Awaits;
use crate::capacity::{Place, Ticket};
use crate::engine::Step;
use crate::error_code::ER_CON_COUNT_ERROR;
use crate::turn::Turn;

impl Turn<'_> {
    /// A place for one more connection to backend `ndx`, in that of an idle one if need be; `None` if it is full.
    pub(crate) fn place_at(&mut self, ndx: usize) -> Option<Place> {
        let capacity = &self.shared.capacity;
        capacity.enter(ndx).or_else(|| {
            let evicted = self.shared.pool().of(ndx).evict()?;
            drop(evicted);
            capacity.enter(ndx)
        })
    }

    /// Stands in line for a place at backend `ndx`. A driver that cannot wait refuses the client.
    pub(crate) fn wait_for_place(&mut self, ndx: usize) {
        let Some(notify) = self.driver.notify_of_place() else { return self.refuse_full(ndx) };
        log::debug!("{}: {} is full, waits for a place", self.name(), self.backend_name(ndx));
        self.state.waits_at = Some(ndx);
        self.session.ticket = Some(self.shared.stand_for_place(ndx, notify));
        self.go(Step::Connect, Awaits::Place);
    }

    /// There may be a place now.
    pub fn placed(&mut self) {
        let Some(ndx) = self.state.waits_at.filter(|_| self.state.step == Step::Connect) else {
            return;
        };
        if !self.shared.backends.takes_clients(ndx) {
            // Meanwhile; another one may.
            self.leave_line();
            return self.go(Step::Connect, Awaits::Retry);
        }
        if let Some(place) = self.session.ticket.as_ref().and_then(Ticket::take_place) {
            self.leave_line();
            self.connect_to(place);
        }
    }

    /// It takes too long.
    pub(crate) fn give_up_place(&mut self) {
        let Some(ndx) = self.state.waits_at else { return };
        self.leave_line();
        self.refuse_full(ndx);
    }

    pub(crate) fn leave_line(&mut self) {
        self.state.waits_at = None;
        self.session.ticket = None;
    }

    fn refuse_full(&mut self, ndx: usize) {
        let (name, limit) = (self.backend_name(ndx), self.shared.capacity.limit(ndx));
        self.shared.stats.full_backends.increment();
        log::warn!(
            "{}: backend {name} has all of the {limit} connections that it may have, the client is refused",
            self.name()
        );
        let message = format!("Too many connections to backend {name}");
        self.refuse(&self.login_error_of(ER_CON_COUNT_ERROR, &message));
    }

    fn backend_name(&self, ndx: usize) -> String {
        self.shared.backends.address(ndx).unwrap_or_default().name
    }
}
