//! Idle server connections: parked by scripts, taken by user name.
//!
//! No event is armed on an idle connection: whether the server closed it is found out whenever the pool is looked at,
//! so there is no callback outside the host's mutex (host contract 0.3, 2.7; ABI 10.3).

use std::collections::VecDeque;

use wire::Capabilities;

use super::Server;
use crate::boundary::HostCall;

/// Idle connections of one backend, oldest first.
#[derive(Debug, Default)]
pub struct BackendPool {
    idle: VecDeque<Server>,
    /// A client that has not logged in yet leaves each user this many.
    pub min_idle_connections: u32,
    /// For scripts; not enforced.
    pub max_idle_connections: u32,
}

/// The idle connections of all backends.
#[derive(Debug, Default)]
pub struct Pool {
    backends: Vec<BackendPool>,
}

impl Pool {
    /// The pool of backend `ndx`.
    pub fn of(&mut self, ndx: usize) -> &mut BackendPool {
        if self.backends.len() <= ndx {
            self.backends.resize_with(ndx + 1, BackendPool::default);
        }
        &mut self.backends[ndx]
    }
}

impl BackendPool {
    /// Adds an idle connection that [`Server::is_clean`] and no client uses. Dead ones go, so that a script that parks
    /// and never looks does not pile them up.
    pub fn park(&mut self, call: &HostCall, server: Server) {
        self.drop_dead(call);
        self.idle.push_back(server);
    }

    /// For a client that has not told its name yet: the oldest connection of any user who has more idle ones than
    /// `min_idle_connections` (host contract 2.7).
    pub fn take_for_anyone(&mut self, call: &HostCall) -> Option<Server> {
        self.drop_dead(call);
        let keep = usize::try_from(self.min_idle_connections).unwrap_or(usize::MAX);
        let position = self.idle.iter().position(|server| {
            let user = server.username();
            self.idle.iter().filter(|other| other.username() == user).count() > keep
        })?;
        self.idle.remove(position)
    }

    /// For a client that is about to be logged in again, as whoever it is: the oldest connection of this dialect.
    pub fn take_for_login(
        &mut self,
        call: &HostCall,
        capabilities: Capabilities,
    ) -> Option<Server> {
        self.take(call, |server| server.speaks(capabilities))
    }

    /// For a client that is logged in and will not be again: the oldest connection of the same user and dialect. An open
    /// transaction belongs to whoever began it.
    pub fn take_for_user(
        &mut self,
        call: &HostCall,
        user: &[u8],
        capabilities: Capabilities,
    ) -> Option<Server> {
        self.take(call, |server| {
            server.username() == user && server.speaks(capabilities) && !server.in_transaction()
        })
    }

    fn take(&mut self, call: &HostCall, fits: impl Fn(&Server) -> bool) -> Option<Server> {
        self.drop_dead(call);
        let position = self.idle.iter().position(fits)?;
        self.idle.remove(position)
    }

    /// Number of live idle connections of `user`, or of everyone.
    pub fn idle_count(&mut self, call: &HostCall, user: Option<&[u8]>) -> usize {
        self.drop_dead(call);
        self.idle.iter().filter(|server| user.is_none_or(|user| server.username() == user)).count()
    }

    /// The user names that have a live idle connection.
    pub fn users(&mut self, call: &HostCall) -> Vec<Vec<u8>> {
        self.drop_dead(call);
        let mut users: Vec<_> = self.idle.iter().map(|server| server.username().to_vec()).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Closes connections that the server hung up or wrote to while they were idle.
    fn drop_dead(&mut self, call: &HostCall) {
        self.idle.retain(|server| server.is_clean(call));
    }
}
