//! No backend at all.

use engine::{AddBackendError, Address, BackendKind, BackendState, Backends};

/// An empty list that stays empty.
#[derive(Debug)]
pub struct NoBackends;

impl Backends for NoBackends {
    fn len(&self) -> usize {
        0
    }

    fn address(&self, _: usize) -> Option<Address> {
        None
    }

    fn kind(&self, _: usize) -> Option<BackendKind> {
        None
    }

    fn state(&self, _: usize) -> Option<BackendState> {
        None
    }

    fn set_state(&self, _: usize, _: BackendState) {}

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
