//! What a driver asks, without knowing how Python is run: the script of a connection, and where scripts come from.

use std::fmt::Debug;
use std::sync::Arc;

use engine::{Ask, HookSet, Session, Shared, Slot, Verdict};

/// The script of one connection.
pub trait Asked: Debug + Send {
    /// The hooks that it has.
    fn hooks(&self) -> HookSet;

    /// Asks it. `packet` is the one at hand, if there is one, its parts joined. Only while the host's structures may be
    /// used: in a callback.
    fn ask(&mut self, ask: &Ask, packet: &[u8]) -> Verdict;
}

/// Where new connections get their script from.
pub trait Scripts: Debug + Send + Sync {
    /// Ties a connection to the script, in the version that is current.
    fn bind(&self, session: Slot<Session>, shared: &Arc<Shared>) -> Box<dyn Asked>;

    /// The process ends: no hook is called any more, and the script is told.
    fn shutdown(&self);
}
