//! The servers that the proxy can connect to.

use std::fmt;

use crate::Address;

/// Whether a backend takes new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendState {
    /// Not tried yet, or DOWN for long enough to be tried again.
    Unknown,
    /// The last connect succeeded.
    Up,
    /// The last connect failed.
    Down,
}

/// Read-write or read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendKind {
    /// Chosen by shortest queue first.
    ReadWrite,
    /// Used only when a script chooses it.
    ReadOnly,
}

/// Why a backend cannot be added.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddBackendError {
    /// The text is no address, or its host is not known.
    #[error("{0}")]
    Address(String),
    /// It is in the list.
    #[error("{0:?} is a backend already")]
    Listed(String),
}

/// The list of backends. Entries are never removed: an index stays what it is.
///
/// An index that is out of range has no effect, and gives `None`.
pub trait Backends: Send + Sync + fmt::Debug {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The configured address.
    fn address(&self, ndx: usize) -> Option<Address>;

    /// Read-write or read-only.
    fn kind(&self, ndx: usize) -> Option<BackendKind>;

    /// The state.
    fn state(&self, ndx: usize) -> Option<BackendState>;

    /// Sets the state and notes the time.
    fn set_state(&self, ndx: usize, state: BackendState);

    /// Client connections that use this backend now; idle pooled ones are not counted.
    fn connected_clients(&self, ndx: usize) -> Option<u32>;

    /// One more connection uses this backend, or one fewer.
    fn count(&self, ndx: usize, joins: bool);

    /// The text that a script attached to this backend.
    fn uuid(&self, ndx: usize) -> Option<Vec<u8>>;

    /// Attaches a text.
    fn set_uuid(&self, ndx: usize, uuid: &[u8]);

    /// Adds a backend and gives its index. Blocks for a name look-up.
    fn add(&self, address: &str, kind: BackendKind) -> Result<usize, AddBackendError>;

    /// Lets backends that have been DOWN for long enough be tried again.
    fn recheck(&self);

    /// Shortest queue first: the read-write backend that is not DOWN with the fewest clients, the first of equals, among those of
    /// which `may` says so.
    fn shortest_queue(&self, may: &dyn Fn(usize) -> bool) -> Option<usize> {
        (0..self.len())
            .filter(|&ndx| may(ndx))
            .filter(|&ndx| self.kind(ndx) == Some(BackendKind::ReadWrite))
            .filter(|&ndx| self.state(ndx) != Some(BackendState::Down))
            .min_by_key(|&ndx| self.connected_clients(ndx))
    }
}
