//! What all connections share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::capacity::{Capacity, Fits, Notify, Ticket};
use crate::collations::Collations;
use crate::greetings::Greetings;
use crate::{Backends, Leaving, Live, Pool, QueryStats, Seldom, SlowQueries, Stats, Trust, Users};

/// What all connections of the process share.
#[derive(Debug)]
pub struct Shared {
    /// The backends of this plugin.
    pub backends: Box<dyn Backends>,
    /// Log a pooled server connection in again (COM_CHANGE_USER) before a client gets it.
    pub pool_change_user: bool,
    /// The most memory that results kept for scripts, and answers made by them, may take for one connection, in bytes
    /// (`pyproxy-max-kept-bytes`).
    pub max_kept_bytes: usize,
    /// How long a hook may take (`pyproxy-hook-timeout`); `None`: for ever.
    pub hook_timeout: Option<Duration>,
    /// The version that clients are told who are greeted without a server (`pyproxy-server-version`); `None`: that of the server
    /// that greeted last.
    pub server_version: Option<String>,
    /// Counters since the start.
    pub stats: Stats,
    /// Somebody looks at what connections do and how long it takes (`pyproxy-http-address`): only then that is noted.
    pub observes: bool,
    /// The texts of queries are noted, too.
    pub notes_queries: bool,
    /// Which statements take the most (`pyproxy-query-stats`).
    pub queries: Option<QueryStats>,
    /// What is slow, and who is told (`pyproxy-slow-query`).
    pub slow: Option<SlowQueries>,
    /// The connections that there are, if somebody looks.
    pub live: Live,
    /// The connections of each user, if there is a limit of them.
    pub users: Arc<Users>,
    /// How backends greeted last.
    pub(crate) greetings: Greetings,
    /// The names of clients' collations.
    pub(crate) collations: Collations,
    /// When it was said last, by backend, that it has no idle connection for a client.
    pub unfit: Seldom,
    /// With which files servers are verified.
    pub trust: Arc<Trust>,
    /// How many connections backends have, and may have.
    pub capacity: Arc<Capacity>,
    /// Whether there are backends that clients leave.
    pub leaving: Leaving,
    pool: Arc<Mutex<Pool>>,
    /// See [`Shared::track_sessions`].
    tracks_sessions: AtomicBool,
}

impl Shared {
    /// With these backends, an empty pool, and counters at 0.
    pub fn new(backends: Box<dyn Backends>, pool_change_user: bool, max_kept_bytes: usize) -> Self {
        let (stats, users, greetings) = (Stats::default(), Arc::default(), Greetings::default());
        let trust = Arc::new(Trust::default());
        let capacity = Arc::<Capacity>::default();
        let pool = Pool::new(Arc::clone(&trust), Arc::clone(&capacity));
        let pool = Arc::new(Mutex::new(pool));
        Self {
            backends,
            pool_change_user,
            max_kept_bytes,
            hook_timeout: None,
            server_version: None,
            stats,
            observes: false,
            notes_queries: false,
            queries: None,
            slow: None,
            live: Live::default(),
            users,
            greetings,
            collations: Collations::default(),
            unfit: Seldom::default(),
            trust,
            capacity,
            leaving: Leaving::default(),
            pool,
            tracks_sessions: AtomicBool::new(false),
        }
    }

    /// Whether it is noted how long commands take.
    #[inline]
    pub(crate) fn times_commands(&self) -> bool {
        self.observes | self.counts_queries()
    }

    /// Whether it is noted what commands are about, and what came of them.
    #[inline]
    pub(crate) fn counts_queries(&self) -> bool {
        self.queries.is_some() | self.slow.is_some()
    }

    /// Whether servers that can are asked to report what changes in their sessions, from the next connection on.
    pub fn track_sessions(&self, on: bool) {
        self.tracks_sessions.store(on, Ordering::Relaxed);
    }

    /// See [`Shared::track_sessions`].
    pub fn tracks_sessions(&self) -> bool {
        self.tracks_sessions.load(Ordering::Relaxed)
    }

    /// The idle server connections. A leaf lock, like those of [`Slot`](crate::Slot)s.
    pub fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether backend `ndx` greeted any client since then.
    pub fn has_greeted(&self, ndx: usize, then: Instant) -> bool {
        self.greetings.any_since(ndx, then)
    }

    /// Stands in line for a place at backend `ndx`.
    pub(crate) fn stand_for_place(&self, ndx: usize, notify: Notify) -> Ticket {
        Ticket::for_place(&self.capacity, &self.pool, ndx, notify)
    }

    /// Stands in line for an idle connection to one of these backends, unless there is one that can be kept at once.
    pub(crate) fn stand_for_idle(&self, backends: &[usize], fits: Fits, notify: Notify) -> Ticket {
        Ticket::for_idle(&self.capacity, &self.pool, backends, fits, notify)
    }
}
