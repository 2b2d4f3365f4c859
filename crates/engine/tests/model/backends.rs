//! The list of backends, in memory.

use std::sync::{Arc, Mutex};

use engine::{AddBackendError, Address, BackendKind, BackendState, Backends};

#[derive(Debug)]
struct Backend {
    state: BackendState,
    kind: BackendKind,
    clients: u32,
    uuid: Vec<u8>,
}

impl Backend {
    fn found(&mut self, is_up: bool) -> bool {
        let state = if is_up { BackendState::Up } else { BackendState::Down };
        let is_news = self.state != state && !self.state.is_left();
        if is_news {
            self.state = state;
        }
        is_news
    }
}

/// Some read-write backends and a read-only one at the end.
#[derive(Debug, Clone)]
pub struct List(Arc<Mutex<Vec<Backend>>>);

impl List {
    pub fn new(len: usize) -> Self {
        let backend = |ndx| Backend {
            state: BackendState::Unknown,
            kind: if ndx + 1 == len && len > 1 {
                BackendKind::ReadOnly
            } else {
                BackendKind::ReadWrite
            },
            clients: 0,
            uuid: Vec::new(),
        };
        Self(Arc::new(Mutex::new((0..len).map(backend).collect())))
    }

    fn with<R>(&self, ndx: usize, f: impl FnOnce(&mut Backend) -> R) -> Option<R> {
        self.0.lock().unwrap().get_mut(ndx).map(f)
    }
}

impl Backends for List {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn address(&self, ndx: usize) -> Option<Address> {
        self.with(ndx, |_| Address { name: format!("backend {ndx}"), ..Address::default() })
    }

    fn kind(&self, ndx: usize) -> Option<BackendKind> {
        self.with(ndx, |backend| backend.kind)
    }

    fn state(&self, ndx: usize) -> Option<BackendState> {
        self.with(ndx, |backend| backend.state)
    }

    fn set_state(&self, ndx: usize, state: BackendState) {
        self.with(ndx, |backend| backend.state = state);
    }

    fn found(&self, ndx: usize, is_up: bool) -> bool {
        self.with(ndx, |backend| backend.found(is_up)).unwrap_or_default()
    }

    fn connected_clients(&self, ndx: usize) -> Option<u32> {
        self.with(ndx, |backend| backend.clients)
    }

    fn count(&self, ndx: usize, joins: bool) {
        self.with(ndx, |backend| {
            let clients = backend.clients;
            let after = if joins { clients.checked_add(1) } else { clients.checked_sub(1) };
            backend.clients = after.expect("fewer than no clients");
        });
    }

    fn uuid(&self, ndx: usize) -> Option<Vec<u8>> {
        self.with(ndx, |backend| backend.uuid.clone())
    }

    fn set_uuid(&self, ndx: usize, uuid: &[u8]) {
        self.with(ndx, |backend| backend.uuid = uuid.to_vec());
    }

    fn add(&self, address: &str, _: BackendKind) -> Result<usize, AddBackendError> {
        Err(AddBackendError::Listed(address.to_owned()))
    }

    /// In the model a backend is never DOWN for long.
    fn recheck(&self) {
        for backend in &mut *self.0.lock().unwrap() {
            if backend.state == BackendState::Down {
                backend.state = BackendState::Unknown;
            }
        }
    }
}
