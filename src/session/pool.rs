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
    /// For scripts; see `backend.pool` in the scripting API.
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
    /// Adds an idle connection that [`Server::is_clean`] and no client uses.
    pub fn park(&mut self, server: Server) {
        self.idle.push_back(server);
    }

    /// Takes the oldest connection of `user` (`None`: of anyone, for a client that has not logged in yet) that is still
    /// alive; for a logged-in client it must also speak the same dialect.
    pub fn take(
        &mut self,
        call: &HostCall,
        user: Option<&[u8]>,
        capabilities: Option<Capabilities>,
    ) -> Option<Server> {
        self.drop_dead(call);
        let fits = |server: &Server| {
            user.is_none_or(|user| server.username() == user)
                && capabilities.is_none_or(|capabilities| server.speaks(capabilities))
        };
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
