//! What `proxy.connection.backend_ndx = n` does: attach, park and choose.

use std::time::Instant;

use crate::capacity::Ticket;
use crate::{Claim, Hook, Notify, Server, Session, Shared};

/// What became of an assignment to `backend_ndx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// Done, or there was nothing to do.
    Done,
    /// No idle connection fits: the index stays as it was.
    NoMatch,
}

/// Why an assignment to `backend_ndx` is not possible now.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SwitchError {
    /// The server connection is in the middle of its login.
    #[error("backend_ndx cannot be changed in {0}: the login is not complete")]
    LoginPending(&'static str),
    /// A query of the hook is with the server.
    #[error("backend_ndx cannot be changed while a query of the hook runs")]
    QueryRuns,
    /// The object is not used in a hook of its own connection.
    #[error("backend_ndx can only be changed in a hook of its own connection")]
    NotInHook,
}

impl Session {
    /// Assigns `backend_ndx`; `None` is -1, none. A backend that does not exist has no idle connection.
    pub fn set_backend(
        &mut self,
        shared: &Shared,
        ndx: Option<usize>,
        now: Instant,
    ) -> Result<Switched, SwitchError> {
        let hook = self.hook.ok_or(SwitchError::NotInHook)?;
        if hook == Hook::ReadAuth {
            // The login goes there; whether it can is seen then.
            self.choice = ndx;
            return Ok(Switched::Done);
        }
        let before_connect = hook == Hook::ConnectServer;
        if ndx.is_some_and(|ndx| ndx >= shared.backends.len()) {
            if !before_connect {
                return Ok(Switched::NoMatch);
            }
            self.park_server(shared, now);
            self.choice = ndx;
            return Ok(Switched::Done);
        }
        let login_pending = match hook {
            Hook::ReadHandshake => true,
            Hook::ReadAuthResult => !self.login_accepted,
            _ => false,
        };
        if login_pending {
            return Err(SwitchError::LoginPending(hook.name()));
        }
        // At the end a connection that is busy, with a login that was refused or a query, is closed as ever.
        let goes_on = !before_connect && hook != Hook::DisconnectClient;
        if goes_on && self.server.as_ref().is_some_and(|server| server.busy) {
            return Err(SwitchError::QueryRuns);
        }
        match ndx {
            None => {
                self.park_server(shared, now);
                self.choice = None;
                Ok(Switched::Done)
            }
            Some(ndx) if self.server.as_ref().is_some_and(|server| server.backend == ndx) => {
                Ok(Switched::Done)
            }
            Some(ndx) => Ok(self.switch(shared, ndx, before_connect, now)),
        }
    }

    fn switch(
        &mut self,
        shared: &Shared,
        ndx: usize,
        before_connect: bool,
        now: Instant,
    ) -> Switched {
        let ticket = self.ticket.as_ref().map(Ticket::number);
        let kept = ticket.and_then(|ticket| shared.pool().of(ndx).take_kept(ticket));
        let may_come = !shared.is_left(ndx);
        let taken = kept.or_else(|| self.take_leaving(ndx)).filter(|_| may_come);
        let found = taken.or_else(|| self.take_idle(shared, ndx, before_connect, now));
        shared.stats.count_pool(ndx, found.is_some());
        match found {
            Some(server) => {
                self.ticket = None;
                self.exchange_server(shared, server, now);
                self.choice = before_connect.then_some(ndx);
                Switched::Done
            }
            None if before_connect => {
                self.park_server(shared, now);
                self.choice = Some(ndx);
                Switched::Done
            }
            None => Switched::NoMatch,
        }
    }

    /// The idle connection of backend `ndx` that this client may have.
    fn take_idle(
        &self,
        shared: &Shared,
        ndx: usize,
        before_connect: bool,
        now: Instant,
    ) -> Option<Server> {
        let mut pool = shared.pool();
        let idle = pool.of(ndx);
        if before_connect {
            return idle.take_for_anyone(&self.client.src, now);
        }
        let claim = self.claim(shared)?;
        if !shared.tracks_sessions() {
            return idle.take_for_user(&claim, |_| true);
        }
        // There is less to be said to one that is still as this client left it, and no client without a default database can have one
        // that is in a database any more.
        let has_database = !self.client.default_db.is_empty();
        idle.take_for_user(&claim, |server| server.session.owner == Some(self.owner()))
            .or_else(|| {
                idle.take_for_user(&claim, |server| server.default_db == self.client.default_db)
            })
            .or_else(|| {
                idle.take_for_user(&claim, |server| server.default_db.is_empty() != has_database)
            })
            .or_else(|| idle.take_for_user(&claim, |_| true))
    }

    /// How many idle connections backend `ndx` has that this client may have for its commands. Those count that its hook left and that have
    /// not arrived in the pool, and in `read_auth` one out of the pool that it was greeted from. None before it has named a user.
    pub fn idle_count(&self, shared: &Shared, ndx: usize, now: Instant) -> usize {
        let Some(claim) = self.claim(shared).filter(|_| !shared.is_left(ndx)) else { return 0 };
        let leaving = self.leaving_count(ndx, |server| claim.fits(server));
        let is_its_own =
            |server: &&Server| server.backend == ndx && server.authenticated && claim.fits(server);
        let greeted = self.server.as_ref().filter(|_| self.hook == Some(Hook::ReadAuth));
        let greeted = usize::from(greeted.filter(is_its_own).is_some());
        shared.pool().of(ndx).fitting_count(&claim, now) + leaving + greeted
    }

    /// Which idle connections this client may have; `None`: none, it left before it named a user.
    fn claim(&self, shared: &Shared) -> Option<Claim<'_>> {
        let login = self.client.login.as_ref().filter(|login| !login.username.is_empty())?;
        let user = self.client.server_user.as_deref().unwrap_or(&login.username);
        let claim = Claim::new(user, &self.client.src, login.capabilities);
        Some(if shared.tracks_sessions() {
            claim.of_session(!self.client.default_db.is_empty(), &self.state)
        } else {
            claim
        })
    }

    /// Stands in line for an idle connection to one of these backends, which `notify` is told. It is kept until it is taken, by an
    /// assignment to `backend_ndx`, or the hook has ended. Gives the number of its ticket; `None` if no such connection can come.
    pub fn stand_in_line(
        &mut self,
        shared: &Shared,
        backends: &[usize],
        notify: Notify,
    ) -> Option<u64> {
        let claim = self.claim(shared)?.into_owned();
        let fits = Box::new(move |server: &Server| claim.fits(server));
        let ticket = shared.stand_for_idle(backends, fits, notify);
        let number = ticket.number();
        self.ticket = Some(ticket);
        Some(number)
    }

    /// Does not stand in line any more with this ticket, and leaves what was kept for it to others.
    pub fn leave_line(&mut self, ticket: u64) {
        self.ticket.take_if(|held| held.number() == ticket);
    }

    /// Attaches `server`, which was taken from the pool, in place of the present connection, which is parked.
    pub(crate) fn exchange_server(&mut self, shared: &Shared, server: Server, now: Instant) {
        self.park_server(shared, now);
        self.attach(shared, server);
    }

    /// Detaches the server connection: into the pool if another client may get it as it is, else to be closed.
    pub fn park_server(&mut self, shared: &Shared, now: Instant) {
        let Some(server) = self.detach(shared) else { return };
        // An open transaction is ended by the login of the next client, if there is one.
        let is_free = !shared.tracks_sessions() || server.session.is_free();
        if is_free && server.is_clean() && (shared.pool_change_user || !server.in_transaction()) {
            if self.is_lent {
                self.leave(server);
            } else {
                shared.park(server, now);
            }
        } else {
            if let Some(backend) = shared.stats.backends.get(server.backend) {
                backend.unpoolable.increment();
            }
            self.discard(server);
        }
    }
}
