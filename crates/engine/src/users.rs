//! How many connections each user has, for `pyproxy-max-connections-per-user`.
//!
//! A connection counts once its login is accepted: who knows no password cannot use up what a user may have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wire::connect::Login;

use crate::Reply;
use crate::engine::State;
use crate::error_code::ER_USER_LIMIT_REACHED;
use crate::login_rounds::LoginReason;
use crate::turn::Turn;

/// The connections of each user that has any.
#[derive(Debug, Default)]
pub struct Users(Mutex<HashMap<Vec<u8>, usize>>);

/// One connection of a user, counted as long as this exists.
#[derive(Debug)]
pub struct Place {
    users: Arc<Users>,
    user: Vec<u8>,
}

impl Users {
    /// How many connections `user` has.
    pub fn count(&self, user: &[u8]) -> usize {
        self.lock().get(user).copied().unwrap_or_default()
    }

    /// Counts one more connection of `user`; `None` if it has `limit` already.
    fn admit(self: &Arc<Self>, user: &[u8], limit: usize) -> Option<Place> {
        let mut counts = self.lock();
        let count = counts.entry(user.to_vec()).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place { users: Arc::clone(self), user: user.to_vec() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.users.lock();
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

/// What a connection takes up of its users' limits.
#[derive(Debug, Default)]
pub struct Places {
    /// Of the user it is logged in as.
    now: Option<Place>,
    /// Of the user of a COM_CHANGE_USER that is under way.
    next: Option<Place>,
}

impl Places {
    /// The COM_CHANGE_USER was accepted.
    pub fn changed(&mut self) {
        if let Some(next) = self.next.take() {
            self.now = Some(next);
        }
    }

    /// A command arrived: what came of an earlier COM_CHANGE_USER is known.
    pub fn next_command(&mut self) {
        self.next = None;
    }
}

impl State {
    /// The connection is over.
    pub fn leave_places(&mut self) {
        self.places = Places::default();
    }
}

impl Turn<'_> {
    /// Refuses a login whose user has all the connections that it may have. Whether it did.
    pub fn refuse_full_user(&mut self, login: &Login) -> bool {
        let limit = self.state.settings.max_connections_per_user;
        let is_full = limit > 0 && self.shared.users.count(&login.username) >= limit;
        if is_full {
            self.refuse_one_too_many(&login.username);
        }
        is_full
    }

    /// Counts the connection of a client whose login is accepted, or refuses it. Whether it may go on.
    pub fn admit(&mut self) -> bool {
        let limit = self.state.settings.max_connections_per_user;
        if self.state.login.reason == LoginReason::ChangeUser {
            self.state.places.changed();
            return true;
        }
        let Some(login) = self.session.client.login.clone().filter(|_| limit > 0) else {
            return true;
        };
        self.state.places.now = self.shared.users.admit(&login.username, limit);
        if self.state.places.now.is_none() {
            self.close_server();
            self.refuse_one_too_many(&login.username);
        }
        self.state.places.now.is_some()
    }

    /// Counts the connection for the user of a COM_CHANGE_USER as well, or refuses it. Whether it may go on.
    pub fn admit_change(&mut self, login: &Login) -> bool {
        let limit = self.state.settings.max_connections_per_user;
        let same = self.state.places.now.as_ref().is_some_and(|now| now.user == login.username);
        if limit == 0 || same {
            return true;
        }
        self.state.places.next = self.shared.users.admit(&login.username, limit);
        if self.state.places.next.is_none() {
            self.refuse_one_too_many(&login.username);
        }
        self.state.places.next.is_some()
    }

    fn refuse_one_too_many(&mut self, user: &[u8]) {
        self.shared.stats.refused_users.increment();
        let message = format!(
            "User '{}' has exceeded the 'pyproxy-max-connections-per-user' resource (current value: {})",
            String::from_utf8_lossy(user),
            self.state.settings.max_connections_per_user,
        );
        self.refuse(&Reply::error(ER_USER_LIMIT_REACHED, &message));
    }
}
