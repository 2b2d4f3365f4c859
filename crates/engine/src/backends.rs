//! The servers that the proxy can connect to.

use std::fmt;

use crate::Address;

/// Whether a backend takes clients. The first three are what connects tell, the others what somebody wants, which no connect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum BackendState {
    /// Not tried yet, or DOWN for long enough to be tried again.
    Unknown,
    /// The last connect succeeded.
    Up,
    /// The last connect failed.
    Down,
    /// No new clients. Those that are between two commands leave, the others when they are done.
    Drain,
    /// Nobody uses it.
    Maint,
    /// It is in the list no more but for its index. Clients leave it as one that is drained.
    Removed,
}

impl BackendState {
    /// Those that can be set, by their number.
    pub const SETTABLE: [Self; 5] = [Self::Unknown, Self::Up, Self::Down, Self::Drain, Self::Maint];

    /// What scripts know it by.
    #[allow(clippy::as_conversions, reason = "the number of an enum without fields")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one with this number.
    pub fn of_number(number: u8) -> Option<Self> {
        let settable = Self::SETTABLE.get(usize::from(number)).copied();
        settable.or_else(|| (number == Self::Removed.number()).then_some(Self::Removed))
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Drain => "drain",
            Self::Maint => "maint",
            Self::Removed => "removed",
        }
    }

    /// Whether clients may be taken there.
    pub const fn takes_clients(self) -> bool {
        matches!(self, Self::Unknown | Self::Up)
    }

    /// Whether those who are there leave.
    pub const fn is_left(self) -> bool {
        matches!(self, Self::Drain | Self::Maint | Self::Removed)
    }
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

/// The list of backends. An index stays what it is: a backend that is removed leaves its place empty.
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

    /// Whether clients may be taken there.
    fn takes_clients(&self, ndx: usize) -> bool {
        self.state(ndx).is_some_and(BackendState::takes_clients)
    }

    /// Sets the state that somebody wants, and notes the time. What else has to be done then does
    /// [`Shared::set_backend_state`](crate::Shared::set_backend_state). No effect on one that was removed.
    fn set_state(&self, ndx: usize, state: BackendState);

    /// A connect told that it is UP or DOWN. Whether that is news: not for one that is to be in the state that it is in.
    fn found(&self, ndx: usize, is_up: bool) -> bool;

    /// Client connections that use this backend now; idle pooled ones are not counted.
    fn connected_clients(&self, ndx: usize) -> Option<u32>;

    /// One more connection uses this backend, or one fewer.
    fn count(&self, ndx: usize, joins: bool);

    /// The text that a script attached to this backend.
    fn uuid(&self, ndx: usize) -> Option<Vec<u8>>;

    /// Attaches a text.
    fn set_uuid(&self, ndx: usize, uuid: &[u8]);

    /// Adds a backend and gives its index; that is its earlier one, if it was removed. Blocks for a name look-up.
    fn add(&self, address: &str, kind: BackendKind) -> Result<usize, AddBackendError>;

    /// Lets backends that have been DOWN for long enough be tried again.
    fn recheck(&self);

    /// Shortest queue first: the read-write backend that takes clients with the fewest clients, the first of equals, among those of
    /// which `may` says so.
    fn shortest_queue(&self, may: &dyn Fn(usize) -> bool) -> Option<usize> {
        (0..self.len())
            .filter(|&ndx| may(ndx))
            .filter(|&ndx| self.kind(ndx) == Some(BackendKind::ReadWrite))
            .filter(|&ndx| self.takes_clients(ndx))
            .min_by_key(|&ndx| self.connected_clients(ndx))
    }
}
