//! `users[name]`: the idle connections of one user.

use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;

use super::hashing::hash_of;
use super::idle::with_pool;
use crate::waiting;
use engine::{Server, Shared};

/// The idle connections of one user, or of all.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Queue {
    shared: Arc<Shared>,
    ndx: usize,
    user: Vec<u8>,
}

impl Queue {
    /// Of `user` at backend `ndx`; the empty name means all users.
    pub fn new(shared: Arc<Shared>, ndx: usize, user: Vec<u8>) -> Self {
        Self { shared, ndx, user }
    }

    /// Number of idle connections, with those that the hook which runs left and that have not arrived in the pool.
    pub fn count(&self) -> PyResult<usize> {
        let user = (!self.user.is_empty()).then_some(self.user.as_slice());
        let idle = with_pool(&self.shared, self.ndx, |pool| pool.idle_count(user, Instant::now()))?;
        let is_meant = |server: &Server| user.is_none_or(|user| server.username() == user);
        let leaving = waiting::of_session(|session| session.leaving_count(self.ndx, is_meant));
        Ok(idle + leaving.unwrap_or_default())
    }
}

#[pymethods]
impl Queue {
    /// Number of idle connections that are logged in and alive.
    #[getter]
    fn cur_idle_connections(&self) -> PyResult<usize> {
        self.count()
    }

    fn __len__(&self) -> PyResult<usize> {
        self.count()
    }

    fn __repr__(&self) -> String {
        let user = String::from_utf8_lossy(&self.user);
        match self.count() {
            Ok(count) => format!("<pyproxy.Queue of {user:?}, {count} idle>"),
            Err(_) => format!("<pyproxy.Queue of {user:?}>"),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            (other.ndx, &other.user) == (self.ndx, &self.user)
        })
    }

    fn __hash__(&self) -> u64 {
        hash_of((self.ndx, &self.user))
    }
}
