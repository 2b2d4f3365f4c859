//! The list of backends: `network_backends_t`.
//!
//! The host's entries are never removed while the process runs (`docs/internals/backends-and-pools.md#the-list`).

use std::ffi::CString;
use std::net::SocketAddr;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chassis_sys as sys;

use engine::{AddBackendError, Address, BackendKind, BackendState};

use super::address;
use super::api::api;
use super::backend::{Backend, kind_word};
use crate::boundary::HostCall;

/// The backends of this plugin: the host's global list, or one of our own beside the Lua plugin.
#[derive(Debug, Clone)]
pub struct Backends(Arc<List>);

#[derive(Debug)]
struct List {
    raw: NonNull<sys::network_backends_t>,
    /// The entries of `raw`, whose own array moves when it grows. A leaf lock.
    entries: RwLock<Vec<Backend>>,
    /// Held by who adds one, while its name is looked up: nobody else waits for that.
    adding: Mutex<()>,
    /// Backends are checked: one that is DOWN is tried again by checks.
    are_checked: AtomicBool,
}

// SAFETY: INV-6: the list lives until the process ends; the host guards its length, and the rest are Backends.
unsafe impl Send for List {}
// SAFETY: as above.
unsafe impl Sync for List {}

impl Backends {
    fn from_raw(raw: NonNull<sys::network_backends_t>) -> Self {
        let (entries, adding) = (RwLock::default(), Mutex::default());
        Self(Arc::new(List { raw, entries, adding, are_checked: AtomicBool::new(false) }))
    }

    /// A list of our own, never freed.
    pub fn new() -> Option<Self> {
        // SAFETY: the host's constructor.
        NonNull::new(unsafe { (api().network_backends_new)() }).map(Self::from_raw)
    }

    /// The host's global list, unless somebody uses it already.
    ///
    /// # Safety
    /// `chas` is the host object; its list lives until the process ends (INV-6).
    pub unsafe fn global(chas: *mut sys::chassis) -> Option<Self> {
        // SAFETY: the caller's promise.
        let raw = unsafe { NonNull::new((*(*chas).priv_).backends) }?;
        // SAFETY: INV-6.
        let is_empty = unsafe { (api().network_backends_count)(raw.as_ptr()) } == 0;
        is_empty.then(|| Self::from_raw(raw))
    }

    /// Adds a backend and gives its index; blocks for a name look-up. `None`: the address is listed already or does not resolve.
    pub fn add(&self, text: &str, kind: BackendKind) -> Option<usize> {
        let kind = kind_word(kind);
        let address = CString::new(text).ok()?;
        let raw = self.0.raw.as_ptr();
        let _turn = self.0.adding.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: INV-6; the host copies the text although its parameter is not const.
        let added = unsafe { (api().network_backends_add)(raw, address.as_ptr().cast_mut(), kind) };
        let ndx = self.len();
        let place = u32::try_from(ndx).ok()?;
        // SAFETY: INV-6; out of range gives NULL.
        let entry = (added == 0).then(|| unsafe { (api().network_backends_get)(raw, place) });
        let entry = Backend::new(entry.and_then(NonNull::new)?, text);
        let mut entries = self.0.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry);
        Some(ndx)
    }

    /// The index of the backend with this address, if that is known without the host. `found`: what it resolves to.
    fn find(&self, text: &str, found: &[SocketAddr]) -> Option<usize> {
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().position(|backend| backend.is_at(text, found))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.entries.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Somebody checks the backends from now on, and says when one is not DOWN any more.
    pub fn rely_on_checks(&self) {
        self.0.are_checked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody does.
    pub fn are_checked(&self) -> bool {
        self.0.are_checked.load(Ordering::Relaxed)
    }

    /// Lets backends that have been DOWN for long enough be tried again.
    ///
    /// The host's `network_backends_check` is for its callbacks only: it uses members without a lock, and not as atomics.
    pub fn recheck(&self) {
        if self.are_checked() {
            return;
        }
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        for backend in &*entries {
            backend.recheck();
        }
    }

    /// The backend at `ndx`.
    pub fn get(&self, ndx: usize) -> Option<Backend> {
        let entries = self.0.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(ndx).cloned()
    }

    /// The host of the backend at `ndx` as it was configured: the backend itself knows only what it resolved to. `None` for a
    /// unix socket.
    pub fn host(&self, ndx: usize) -> Option<Arc<str>> {
        self.get(ndx)?.host()
    }
}

/// What the rules see of the list.
impl engine::Backends for Backends {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn address(&self, ndx: usize) -> Option<Address> {
        self.get(ndx).map(|backend| backend.address())
    }

    fn kind(&self, ndx: usize) -> Option<BackendKind> {
        self.get(ndx).map(|backend| backend.kind())
    }

    fn state(&self, ndx: usize) -> Option<BackendState> {
        self.get(ndx).map(|backend| backend.state())
    }

    fn set_state(&self, ndx: usize, state: BackendState) {
        if let Some(backend) = self.get(ndx) {
            backend.set_state(state);
        }
    }

    fn found(&self, ndx: usize, is_up: bool) -> bool {
        self.get(ndx).is_some_and(|backend| backend.found(is_up))
    }

    fn connected_clients(&self, ndx: usize) -> Option<u32> {
        self.get(ndx).map(|backend| backend.connected_clients())
    }

    fn count(&self, ndx: usize, joins: bool) {
        if let Some(backend) = self.get(ndx) {
            backend.count(joins);
        }
    }

    fn uuid(&self, ndx: usize) -> Option<Vec<u8>> {
        HostCall::with_current(|call| self.get(ndx).map(|backend| backend.uuid(call)))?
    }

    fn set_uuid(&self, ndx: usize, uuid: &[u8]) {
        HostCall::with_current(|call| self.get(ndx).map(|backend| backend.set_uuid(call, uuid)));
    }

    fn add(&self, text: &str, kind: BackendKind) -> Result<usize, AddBackendError> {
        let found = address::resolve(text);
        let found = found.map_err(|error| AddBackendError::Address(error.to_string()))?;
        let listed = || AddBackendError::Listed(text.to_owned());
        match self.find(text, &found) {
            Some(ndx) if self.get(ndx).is_some_and(|known| known.put_back(kind)) => Ok(ndx),
            // The host would say so at level critical.
            Some(_) => Err(listed()),
            None => Self::add(self, text, kind).ok_or_else(listed),
        }
    }

    fn recheck(&self) {
        Self::recheck(self);
    }
}
