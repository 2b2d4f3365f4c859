//! The list of backends: `network_backends_t` and its entries.
//!
//! Members of an entry are guarded by the host's global mutex, so every access takes a [`HostCall`]. Entries are never
//! removed while the process runs (`docs/internals/backends-and-pools.md#the-list`).

use std::ffi::CString;
use std::ptr::NonNull;
use std::time::{SystemTime, UNIX_EPOCH};

use chassis_sys as sys;
use chassis_sys::{backend_state_t, backend_type_t};

use engine::{AddBackendError, Address, BackendKind, BackendState};

use super::api::api;
use super::{OwnedSocket, address};
use crate::boundary::HostCall;

/// The backends of this plugin: the host's global list, or one of our own beside the Lua plugin.
#[derive(Debug, Clone, Copy)]
pub struct Backends(NonNull<sys::network_backends_t>);

// SAFETY: INV-6: the list lives until the process ends, its length is guarded by the host, its members by HostCall.
unsafe impl Send for Backends {}
// SAFETY: as above.
unsafe impl Sync for Backends {}

impl Backends {
    /// A list of our own, never freed.
    pub fn new() -> Option<Self> {
        // SAFETY: the host's constructor.
        NonNull::new(unsafe { (api().network_backends_new)() }).map(Self)
    }

    /// The host's global list.
    ///
    /// # Safety
    /// `chas` is the host object; its list lives until the process ends (INV-6).
    pub unsafe fn global(chas: *mut sys::chassis) -> Option<Self> {
        // SAFETY: the caller's promise.
        unsafe { NonNull::new((*(*chas).priv_).backends).map(Self) }
    }

    /// Adds a backend; blocks for a name look-up. `false`: the address is listed already or does not resolve.
    pub fn add(&self, address: &str, kind: BackendKind) -> bool {
        let kind = match kind {
            BackendKind::ReadWrite => backend_type_t::BACKEND_TYPE_RW,
            BackendKind::ReadOnly => backend_type_t::BACKEND_TYPE_RO,
        };
        let Ok(address) = CString::new(address) else { return false };
        // SAFETY: INV-6; the host copies the text although its parameter is not const.
        unsafe {
            (api().network_backends_add)(self.0.as_ptr(), address.as_ptr().cast_mut(), kind) == 0
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        // SAFETY: INV-6.
        let count = unsafe { (api().network_backends_count)(self.0.as_ptr()) };
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets backends that have been DOWN for long enough be tried again; looks at most once a second.
    pub fn recheck(&self) {
        // SAFETY: INV-6.
        unsafe { (api().network_backends_check)(self.0.as_ptr()) };
    }

    /// The backend at `ndx`.
    pub fn get(&self, ndx: usize) -> Option<Backend> {
        let ndx = u32::try_from(ndx).ok()?;
        // SAFETY: INV-6; out of range gives NULL.
        let raw = unsafe { (api().network_backends_get)(self.0.as_ptr(), ndx) };
        NonNull::new(raw).map(Backend)
    }
}

/// One backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend(NonNull<sys::network_backend_t>);

impl Backend {
    fn get<'h>(&self, _call: &'h HostCall) -> &'h sys::network_backend_t {
        // SAFETY: INV-6, and INV-1 for the members.
        unsafe { &*self.0.as_ptr() }
    }

    fn change(&self, _call: &HostCall, change: impl FnOnce(&mut sys::network_backend_t)) {
        // SAFETY: as in `get`; the reference ends with the closure, which calls nothing.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    /// The configured address.
    pub fn address(&self, call: &HostCall) -> Address {
        // SAFETY: the address object lives as long as the backend.
        unsafe { address::copy(self.get(call).addr) }
    }

    /// The state.
    pub fn state(&self, call: &HostCall) -> BackendState {
        match self.get(call).state {
            backend_state_t::BACKEND_STATE_UP => BackendState::Up,
            backend_state_t::BACKEND_STATE_DOWN => BackendState::Down,
            _ => BackendState::Unknown,
        }
    }

    /// Sets the state and notes the time.
    pub fn set_state(&self, call: &HostCall, state: BackendState) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.change(call, |backend| {
            backend.state = match state {
                BackendState::Unknown => backend_state_t::BACKEND_STATE_UNKNOWN,
                BackendState::Up => backend_state_t::BACKEND_STATE_UP,
                BackendState::Down => backend_state_t::BACKEND_STATE_DOWN,
            };
            backend.state_since.tv_sec = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            backend.state_since.tv_usec = i64::from(now.subsec_micros());
        });
    }

    /// Read-write or read-only.
    pub fn kind(&self, call: &HostCall) -> BackendKind {
        match self.get(call).type_ {
            backend_type_t::BACKEND_TYPE_RO => BackendKind::ReadOnly,
            _ => BackendKind::ReadWrite,
        }
    }

    /// Connections that use this backend now; idle pooled ones are not counted.
    pub fn connected_clients(&self, call: &HostCall) -> u32 {
        self.get(call).connected_clients
    }

    /// One more connection uses this backend.
    pub fn add_client(&self, call: &HostCall) {
        self.change(call, |b| b.connected_clients = b.connected_clients.saturating_add(1));
    }

    /// One connection fewer uses this backend.
    pub fn remove_client(&self, call: &HostCall) {
        self.change(call, |b| b.connected_clients = b.connected_clients.saturating_sub(1));
    }

    /// The text a script attached to this backend.
    pub fn uuid(&self, call: &HostCall) -> Vec<u8> {
        // SAFETY: the GString belongs to the backend; it is copied before the callback ends.
        unsafe {
            self.get(call).uuid.as_ref().map_or_else(Vec::new, |string| {
                std::slice::from_raw_parts(string.str.cast::<u8>(), string.len).to_vec()
            })
        }
    }

    /// Attaches a text to this backend.
    pub fn set_uuid(&self, call: &HostCall, uuid: &[u8]) {
        let len = isize::try_from(uuid.len()).unwrap_or(isize::MAX);
        // SAFETY: the GString belongs to the backend; GLib copies `len` bytes from a valid pointer.
        unsafe {
            let string = self.get(call).uuid;
            if !string.is_null() {
                glib_sys::g_string_truncate(string, 0);
                glib_sys::g_string_append_len(string, uuid.as_ptr().cast(), len);
            }
        }
    }

    /// A new socket that will connect here.
    pub fn new_socket(&self, call: &HostCall) -> Option<OwnedSocket> {
        // SAFETY: the address object lives as long as the backend.
        unsafe { OwnedSocket::to_address(self.get(call).addr) }
    }
}

/// What the rules see of the list. Outside of callbacks there is nothing to see (INV-1).
impl engine::Backends for Backends {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn address(&self, ndx: usize) -> Option<Address> {
        self.look(ndx, |backend, call| backend.address(call))
    }

    fn kind(&self, ndx: usize) -> Option<BackendKind> {
        self.look(ndx, |backend, call| backend.kind(call))
    }

    fn state(&self, ndx: usize) -> Option<BackendState> {
        self.look(ndx, |backend, call| backend.state(call))
    }

    fn set_state(&self, ndx: usize, state: BackendState) {
        self.look(ndx, |backend, call| backend.set_state(call, state));
    }

    fn connected_clients(&self, ndx: usize) -> Option<u32> {
        self.look(ndx, |backend, call| backend.connected_clients(call))
    }

    fn count(&self, ndx: usize, joins: bool) {
        self.look(
            ndx,
            |backend, call| {
                if joins { backend.add_client(call) } else { backend.remove_client(call) }
            },
        );
    }

    fn uuid(&self, ndx: usize) -> Option<Vec<u8>> {
        self.look(ndx, |backend, call| backend.uuid(call))
    }

    fn set_uuid(&self, ndx: usize, uuid: &[u8]) {
        self.look(ndx, |backend, call| backend.set_uuid(call, uuid));
    }

    fn add(&self, text: &str, kind: BackendKind) -> Result<usize, AddBackendError> {
        address::check(text).map_err(|error| AddBackendError::Address(error.to_string()))?;
        if Self::add(self, text, kind) {
            Ok(Self::len(self).saturating_sub(1))
        } else {
            Err(AddBackendError::Listed(text.to_owned()))
        }
    }

    fn recheck(&self) {
        Self::recheck(self);
    }
}

impl Backends {
    fn look<R>(&self, ndx: usize, f: impl FnOnce(&Backend, &HostCall) -> R) -> Option<R> {
        HostCall::with_current(|call| self.get(ndx).map(|backend| f(&backend, call)))?
    }
}
