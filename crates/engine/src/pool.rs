//! Idle server connections: parked by scripts, taken by user name. One whose server was told of its client is for clients of the
//! same address only. One that was verified with CAs, or opened with a certificate, that were replaced meanwhile is for nobody.
//!
//! Whether the server closed an idle connection is found out when it would be given away, and, for all of them at once, at
//! most once a second when the pool is looked at. So a look costs no system call per connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::Capabilities;

use crate::capacity::{Capacity, Next};
use crate::{Address, Claim, Link, Server, Trust};

/// How long what was found out about all idle connections holds.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Idle connections of one backend, oldest first.
#[derive(Debug)]
pub struct BackendPool {
    idle: VecDeque<Server>,
    swept_at: Option<Instant>,
    trust: Arc<Trust>,
    capacity: Arc<Capacity>,
    /// How many were closed while they were idle, and why.
    pub closed: ClosedIdle,
    /// A client that is about to log in leaves each user this many of those that would do for it.
    pub min_idle_connections: u32,
    /// For scripts; not enforced.
    pub max_idle_connections: u32,
}

/// How many idle connections were closed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClosedIdle {
    /// The server had closed them, or said something.
    pub by_server: u64,
    /// Certificates were replaced since they were verified.
    pub by_certificates: u64,
    /// Another connection was needed in their place.
    pub for_others: u64,
    /// Their backend is one that clients leave.
    pub by_state: u64,
}

/// The idle connections of all backends.
#[derive(Debug)]
pub struct Pool {
    backends: Vec<BackendPool>,
    trust: Arc<Trust>,
    capacity: Arc<Capacity>,
}

impl Pool {
    /// Empty. `trust` says which connections are verified as they should be, `capacity` who waits for one.
    pub(crate) fn new(trust: Arc<Trust>, capacity: Arc<Capacity>) -> Self {
        Self { backends: Vec::new(), trust, capacity }
    }

    /// The pool of backend `ndx`.
    pub fn of(&mut self, ndx: usize) -> &mut BackendPool {
        if self.backends.len() <= ndx {
            let (trust, capacity) = (&self.trust, &self.capacity);
            self.backends
                .resize_with(ndx + 1, || BackendPool::new(Arc::clone(trust), Arc::clone(capacity)));
        }
        self.backends.get_mut(ndx).expect("made just now")
    }

    /// What was kept for this ticket is for others.
    pub(crate) fn free(&mut self, ticket: u64) {
        for backend in &mut self.backends {
            backend.free(ticket);
        }
    }
}

impl BackendPool {
    fn new(trust: Arc<Trust>, capacity: Arc<Capacity>) -> Self {
        Self {
            idle: VecDeque::new(),
            swept_at: None,
            trust,
            capacity,
            closed: ClosedIdle::default(),
            min_idle_connections: 0,
            max_idle_connections: 0,
        }
    }

    /// Adds an idle connection that [`Server::is_clean`] and no client uses. Dead ones go, so that a script that parks
    /// and never looks does not pile them up. If somebody stands in line for it, it is kept for who is first, or closed so that
    /// another one can be made in its place.
    pub fn park(&mut self, server: Server, now: Instant) {
        self.sweep(now);
        self.offer(server);
    }

    fn offer(&mut self, mut server: Server) {
        match self.capacity.next_for(&server) {
            Next::Nobody => {}
            Next::Ticket(ticket) => server.kept_for = Some(ticket),
            Next::Newcomer => {
                self.closed.for_others += 1;
                return drop(server);
            }
        }
        self.idle.push_back(server);
    }

    /// Keeps an idle connection for this ticket, if there is one that `fits`: as [`BackendPool::take_for_user`] would choose it.
    pub(crate) fn keep_for(&mut self, ticket: u64, fits: impl Fn(&Server) -> bool) -> bool {
        let Some(mut server) = self.take(fits) else { return false };
        server.kept_for = Some(ticket);
        self.idle.push_back(server);
        true
    }

    fn free(&mut self, ticket: u64) {
        let Some(position) = self.idle.iter().position(|server| server.kept_for == Some(ticket))
        else {
            return;
        };
        if let Some(mut server) = self.idle.remove(position) {
            server.kept_for = None;
            self.offer(server);
        }
    }

    /// The connection that is kept for this ticket, if it is still as it should be.
    pub(crate) fn take_kept(&mut self, ticket: u64) -> Option<Server> {
        let position = self.idle.iter().position(|server| server.kept_for == Some(ticket))?;
        let mut server = self.idle.remove(position)?;
        server.kept_for = None;
        self.usable(server)
    }

    /// Gives up the oldest idle connection, so that another one can be made in its place.
    pub(crate) fn evict(&mut self) -> Option<Server> {
        let position = self.idle.iter().position(|server| server.kept_for.is_none())?;
        self.closed.for_others += 1;
        self.idle.remove(position)
    }

    /// Gives up all of them.
    pub(crate) fn leave(&mut self) -> VecDeque<Server> {
        let all = std::mem::take(&mut self.idle);
        self.closed.by_state += count(all.len());
        all
    }

    /// The connection, if it is alive and verified as a new one would be; else it is closed.
    fn usable(&mut self, server: Server) -> Option<Server> {
        if !server.is_verified_with(&self.trust) {
            self.closed.by_certificates += 1;
            return None;
        }
        if !server.is_clean() {
            self.closed.by_server += 1;
            return None;
        }
        Some(server)
    }

    /// For a client that has not told its name yet: the oldest connection of any user who has some to spare.
    pub fn take_for_anyone(&mut self, client: &Address, now: Instant) -> Option<Server> {
        self.sweep(now);
        self.take_spare(|server| server.is_for(client) && server.session.state.role.is_none())
    }

    /// For a client whose login follows on this connection: the oldest one of this dialect, of any user who has some to spare.
    pub fn take_for_login(
        &mut self,
        client: &Address,
        capabilities: Capabilities,
    ) -> Option<Server> {
        self.take_spare(|server| {
            // MariaDB keeps a role whoever logs in.
            server.is_for(client)
                && server.session.state.role.is_none()
                && server.speaks(capabilities)
        })
    }

    /// For a client of this user whose login follows on this connection: the oldest one that it may have, if there are some to
    /// spare.
    pub(crate) fn take_for_login_of(&mut self, claim: &Claim<'_>) -> Option<Server> {
        self.take_spare(|server| claim.fits(server) && server.session.state.role.is_none())
    }

    /// For a client that is logged in already: the oldest connection that it may have. `fits` may ask for more.
    pub fn take_for_user(
        &mut self,
        claim: &Claim<'_>,
        fits: impl Fn(&Server) -> bool,
    ) -> Option<Server> {
        self.take(|server| claim.fits(server) && fits(server))
    }

    /// The oldest that fits of a user who has more of such idle ones than `min_idle_connections`, or of any, if there is no room for a
    /// new connection.
    fn take_spare(&mut self, fits: impl Fn(&Server) -> bool) -> Option<Server> {
        let leave = match self.idle.front() {
            Some(any) if !self.capacity.has_room(any.backend) => 0,
            _ => usize::try_from(self.min_idle_connections).unwrap_or(usize::MAX),
        };
        let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
        for server in self.idle.iter().filter(|server| server.kept_for.is_none() && fits(server)) {
            *counts.entry(server.username().to_vec()).or_default() += 1;
        }
        let is_spare =
            |server: &Server| counts.get(server.username()).is_some_and(|count| *count > leave);
        self.take(|server| fits(server) && is_spare(server))
    }

    /// The oldest that fits, is alive and verified as a new one would be; others among those that fit are closed.
    fn take(&mut self, fits: impl Fn(&Server) -> bool) -> Option<Server> {
        let mut from = 0;
        let fits = |server: &Server| server.kept_for.is_none() && fits(server);
        loop {
            let position = from + self.idle.iter().skip(from).position(fits)?;
            let server = self.idle.remove(position)?;
            if let Some(server) = self.usable(server) {
                return Some(server);
            }
            from = position;
        }
    }

    /// Number of idle connections, without a look at which of them the server has closed.
    pub fn len(&self) -> usize {
        self.idle.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.idle.is_empty()
    }

    /// Number of idle connections of `user`, or of everyone.
    pub fn idle_count(&mut self, user: Option<&[u8]>, now: Instant) -> usize {
        self.count(now, |server| user.is_none_or(|user| server.username() == user))
    }

    /// Number of idle connections that a client may have.
    pub fn fitting_count(&mut self, claim: &Claim<'_>, now: Instant) -> usize {
        self.count(now, |server| claim.fits(server))
    }

    fn count(&mut self, now: Instant, is_meant: impl Fn(&Server) -> bool) -> usize {
        self.sweep(now);
        self.idle.iter().filter(|server| server.kept_for.is_none() && is_meant(server)).count()
    }

    /// The user names that have an idle connection, sorted.
    pub fn users(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.sweep(now);
        let mut users: Vec<_> = self.idle.iter().map(|server| server.username().to_vec()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Closes connections that the server hung up or wrote to while they were idle, and those that nobody may have any more.
    fn sweep(&mut self, now: Instant) {
        let is_fresh = |at: Instant| now.saturating_duration_since(at) < SWEEP_EVERY;
        if self.idle.is_empty() || self.swept_at.is_some_and(is_fresh) {
            return;
        }
        self.swept_at = Some(now);
        let before = self.idle.len();
        self.idle.retain(|server| server.is_verified_with(&self.trust));
        let verified = self.idle.len();
        self.closed.by_certificates += count(before - verified);
        let links: Vec<&dyn Link> = self.idle.iter().map(|server| &*server.link).collect();
        let Some(first) = links.first() else { return };
        let mut noisy = first.noisy(&links).into_iter();
        self.idle.retain(|_| !noisy.next().unwrap_or(false));
        self.closed.by_server += count(verified - self.idle.len());
    }
}

fn count(connections: usize) -> u64 {
    u64::try_from(connections).unwrap_or(u64::MAX)
}
