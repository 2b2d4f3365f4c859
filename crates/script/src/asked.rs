//! What a driver asks, without knowing how Python is run: the script of a connection, and where scripts come from.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::SystemTime;

use engine::{Ask, Hook, HookSet, Outcome, Query, QueryId, Session, Shared, Slot, Verdict};

/// What a script says when it is asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// This.
    Verdict(Verdict),
    /// Nothing yet: it waits, and [`FromScript::Verdict`] comes later.
    Waits,
}

/// The script of one connection.
pub trait Asked: Debug + Send {
    /// The hooks that it has.
    fn hooks(&self) -> HookSet;

    /// Whether this hook runs elsewhere, so that it can be asked without the host's mutex.
    fn runs_elsewhere(&self, hook: Hook) -> bool;

    /// Asks it. `packet` is the one at hand, if there is one, its parts joined. Only while the host's structures may be
    /// used, in a callback, unless the hook runs elsewhere.
    fn ask(&mut self, ask: &Ask, packet: &[u8]) -> Answer;

    /// Tells the waiting hook what became of a query.
    fn resume(&mut self, id: QueryId, outcome: Outcome);

    /// Has the waiting hook come to its end.
    fn cancel(&mut self);
}

/// What a waiting hook wants of the driver.
#[derive(Debug)]
pub enum FromScript {
    /// The verdict: it does not wait any more.
    Verdict(Verdict),
    /// A query on the connection's server.
    Query(QueryId, Query),
    /// Nobody waits for this query any more.
    Abandoned(QueryId),
    /// Another server is attached, or none.
    Moved,
}

/// Where a driver finds what the waiting hook of a connection wants. Called from any thread; does not wait.
pub trait Mailbox: Debug + Send + Sync {
    /// Puts it there, behind what is there.
    fn put(&self, message: FromScript);
}

/// Where new connections get their script from.
pub trait Scripts: Debug + Send + Sync {
    /// Ties a connection to the script, in the version that is current. Without a mailbox its hooks cannot wait.
    fn bind(
        &self,
        session: Slot<Session>,
        shared: &Arc<Shared>,
        mailbox: Option<Arc<dyn Mailbox>>,
    ) -> Box<dyn Asked>;

    /// Which version new connections get, and how that came.
    fn versions(&self) -> Versions;

    /// Loads the script as it is now, for new connections. Whether it could be loaded; else the present version stays, and the log
    /// says why. Only while the host's structures may be used, as for a hook.
    fn reload(&self) -> bool;

    /// The process ends: no hook is called any more, and the script is told.
    fn shutdown(&self);
}

/// The versions of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Counts up from 1 with each version that was loaded.
    pub current: u64,
    /// How many could not be loaded.
    pub failed: u64,
    /// When the current one was loaded.
    pub loaded_at: SystemTime,
}
