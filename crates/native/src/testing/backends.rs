//! The list of backends, in memory.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use engine::{AddBackendError, Address, BackendKind, BackendState, Backends};

use super::address;

/// A backend that is DOWN for longer is tried again, as by mysql-proxy.
const RETRY_AFTER: Duration = Duration::from_secs(4);

#[derive(Debug)]
struct Backend {
    address: Address,
    kind: BackendKind,
    state: BackendState,
    since: Instant,
    clients: u32,
    uuid: Vec<u8>,
}

impl Backend {
    fn set_state(&mut self, state: BackendState) {
        if self.state != BackendState::Removed {
            (self.state, self.since) = (state, Instant::now());
        }
    }

    fn found(&mut self, is_up: bool) -> bool {
        if self.state.is_left() {
            return false;
        }
        let before = self.state;
        self.set_state(if is_up { BackendState::Up } else { BackendState::Down });
        self.state != before
    }
}

/// All backends of a proxy in memory. What is behind them is the driver's business.
#[derive(Debug, Default)]
pub struct List(Mutex<Vec<Backend>>);

impl List {
    fn lock(&self) -> MutexGuard<'_, Vec<Backend>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<R>(&self, ndx: usize, f: impl FnOnce(&mut Backend) -> R) -> Option<R> {
        self.lock().get_mut(ndx).map(f)
    }
}

impl Backends for List {
    fn len(&self) -> usize {
        self.lock().len()
    }

    fn address(&self, ndx: usize) -> Option<Address> {
        self.look(ndx, |backend| backend.address.clone())
    }

    fn kind(&self, ndx: usize) -> Option<BackendKind> {
        self.look(ndx, |backend| backend.kind)
    }

    fn state(&self, ndx: usize) -> Option<BackendState> {
        self.look(ndx, |backend| backend.state)
    }

    fn set_state(&self, ndx: usize, state: BackendState) {
        self.look(ndx, |backend| backend.set_state(state));
    }

    fn found(&self, ndx: usize, is_up: bool) -> bool {
        self.look(ndx, |backend| backend.found(is_up)).unwrap_or_default()
    }

    fn connected_clients(&self, ndx: usize) -> Option<u32> {
        self.look(ndx, |backend| backend.clients)
    }

    fn count(&self, ndx: usize, joins: bool) {
        self.look(ndx, |backend| {
            let clients = backend.clients;
            backend.clients =
                if joins { clients.saturating_add(1) } else { clients.saturating_sub(1) };
        });
    }

    fn uuid(&self, ndx: usize) -> Option<Vec<u8>> {
        self.look(ndx, |backend| backend.uuid.clone())
    }

    fn set_uuid(&self, ndx: usize, uuid: &[u8]) {
        self.look(ndx, |backend| backend.uuid = uuid.to_vec());
    }

    fn add(&self, text: &str, kind: BackendKind) -> Result<usize, AddBackendError> {
        let address = address::parse(text).map_err(AddBackendError::Address)?;
        let mut backends = self.lock();
        if let Some(ndx) = backends.iter().position(|backend| backend.address == address) {
            return match backends.get_mut(ndx) {
                Some(backend) if backend.state == BackendState::Removed => {
                    backend.kind = kind;
                    (backend.state, backend.since) = (BackendState::Unknown, Instant::now());
                    Ok(ndx)
                }
                _ => Err(AddBackendError::Listed(text.to_owned())),
            };
        }
        backends.push(Backend {
            address,
            kind,
            state: BackendState::Unknown,
            since: Instant::now(),
            clients: 0,
            uuid: Vec::new(),
        });
        Ok(backends.len() - 1)
    }

    fn recheck(&self) {
        for backend in &mut *self.lock() {
            if backend.state == BackendState::Down && backend.since.elapsed() > RETRY_AFTER {
                backend.set_state(BackendState::Unknown);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_listed_once() {
        let list = List::default();
        assert_eq!(list.add("127.0.0.1:3306", BackendKind::ReadWrite), Ok(0));
        assert_eq!(list.add("127.0.0.1:3307", BackendKind::ReadOnly), Ok(1));
        let again = list.add("127.0.0.1:3306", BackendKind::ReadOnly);
        assert_eq!(again, Err(AddBackendError::Listed("127.0.0.1:3306".to_owned())));
        assert!(matches!(list.add("?", BackendKind::ReadOnly), Err(AddBackendError::Address(_))));
        assert_eq!(
            (list.len(), list.kind(1), list.kind(2)),
            (2, Some(BackendKind::ReadOnly), None)
        );
    }

    #[test]
    fn who_comes_back_has_its_index() {
        let list = List::default();
        list.add("127.0.0.1:3306", BackendKind::ReadWrite).expect("new");
        list.set_state(0, BackendState::Removed);
        list.set_state(0, BackendState::Up);
        assert!(!list.found(0, true));
        assert_eq!(list.state(0), Some(BackendState::Removed));
        assert_eq!(list.add("127.0.0.1:3306", BackendKind::ReadOnly), Ok(0));
        let now = (list.len(), list.kind(0), list.state(0));
        assert_eq!(now, (1, Some(BackendKind::ReadOnly), Some(BackendState::Unknown)));
    }

    #[test]
    fn a_backend_is_down_for_a_while() {
        let list = List::default();
        list.add("127.0.0.1:3306", BackendKind::ReadWrite).expect("new");
        list.set_state(0, BackendState::Down);
        list.recheck();
        assert_eq!(list.state(0), Some(BackendState::Down));
        list.look(0, |backend| backend.since -= RETRY_AFTER + Duration::from_secs(1));
        list.recheck();
        assert_eq!(list.state(0), Some(BackendState::Unknown));
    }
}
