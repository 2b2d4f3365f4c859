//! A list of backends that never changes.

use engine::{AddBackendError, Address, BackendKind, BackendState, Backends};

/// So many read-write backends, all of them UP, whatever is done to them.
#[derive(Debug)]
pub struct AlwaysUp(pub usize);

impl Backends for AlwaysUp {
    fn len(&self) -> usize {
        self.0
    }

    fn address(&self, _: usize) -> Option<Address> {
        None
    }

    fn kind(&self, ndx: usize) -> Option<BackendKind> {
        (ndx < self.0).then_some(BackendKind::ReadWrite)
    }

    fn state(&self, ndx: usize) -> Option<BackendState> {
        (ndx < self.0).then_some(BackendState::Up)
    }

    fn set_state(&self, _: usize, _: BackendState) {}

    fn found(&self, _: usize, _: bool) -> bool {
        false
    }

    fn connected_clients(&self, _: usize) -> Option<u32> {
        None
    }

    fn count(&self, _: usize, _: bool) {}

    fn uuid(&self, _: usize) -> Option<Vec<u8>> {
        None
    }

    fn set_uuid(&self, _: usize, _: &[u8]) {}

    fn add(&self, address: &str, _: BackendKind) -> Result<usize, AddBackendError> {
        Err(AddBackendError::Address(format!("no room for {address}")))
    }

    fn recheck(&self) {}
}
