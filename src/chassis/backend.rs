//! One backend: an entry of `network_backends_t`.
//!
//! Other threads look at it while connections change it, so members that change are read and written as atomics.

use std::ffi::CString;
use std::net::{IpAddr, SocketAddr};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chassis_sys as sys;
use chassis_sys::{backend_state_t, backend_type_t};

use engine::{Address, BackendKind, BackendState};

use super::{OwnedSocket, address};
use crate::boundary::HostCall;

/// How long a backend is DOWN at least, in seconds; the same as the host's.
const DOWN_SECONDS: i64 = 4;

/// One backend.
#[derive(Debug, Clone)]
pub struct Backend(Arc<Entry>);

#[derive(Debug)]
struct Entry {
    raw: NonNull<sys::network_backend_t>,
    /// The address as it was configured.
    text: Box<str>,
    /// Where it is, if its name does not lead any more to where the host's entry has it. A leaf lock.
    moved: RwLock<Option<Address>>,
    /// The number of the state that somebody wants. One that connects tell is the host's word, which is DOWN while this is another one.
    wanted: AtomicU8,
    /// Held by who changes the state.
    changes: Mutex<()>,
}

// SAFETY: INV-6: it lives until the process ends. Members that change are atomics here, or take a HostCall (INV-1).
unsafe impl Send for Entry {}
// SAFETY: as above.
unsafe impl Sync for Entry {}

impl Entry {
    /// The state that somebody wants, whatever connects tell.
    fn wanted(&self) -> Option<BackendState> {
        let wanted = BackendState::of_number(self.wanted.load(Ordering::Relaxed));
        wanted.filter(|state| state.is_left())
    }
}

impl Backend {
    /// This entry of the host's, which was configured so.
    pub(super) fn new(raw: NonNull<sys::network_backend_t>, text: &str) -> Self {
        Self(Arc::new(Entry {
            raw,
            text: text.into(),
            moved: RwLock::default(),
            wanted: AtomicU8::default(),
            changes: Mutex::default(),
        }))
    }

    /// Its host as it was configured: what else is known is what that resolved to. `None` for a unix socket.
    pub fn host(&self) -> Option<Arc<str>> {
        address::host(&self.0.text).map(Arc::from)
    }

    /// Whether it is the one with this address, if that is known without the host. `found`: what the address resolves to.
    pub(super) fn is_at(&self, text: &str, found: &[SocketAddr]) -> bool {
        let Address { address, port, .. } = self.address();
        let ip = address.and_then(|address| address.parse::<IpAddr>().ok());
        let own = ip.zip(port).map(SocketAddr::from);
        let is_own = own.is_some_and(|own| found.iter().all(|other| *other == own));
        *self.0.text == *text || (is_own && !found.is_empty())
    }

    /// It is in the list again. `false`: it was not removed.
    pub(super) fn put_back(&self, kind: BackendKind) -> bool {
        let _turn = self.changes();
        let is_removed = self.state() == BackendState::Removed;
        if is_removed {
            self.kind_word().store(kind_word(kind), Ordering::Relaxed);
            self.0.wanted.store(BackendState::Unknown.number(), Ordering::Relaxed);
            self.note_state(BackendState::Unknown);
        }
        is_removed
    }

    fn kind_word(&self) -> &AtomicU32 {
        // SAFETY: as in `state_word`.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.raw()).type_) }
    }

    fn raw(&self) -> *mut sys::network_backend_t {
        self.0.raw.as_ptr()
    }

    fn changes(&self) -> MutexGuard<'_, ()> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_word(&self) -> &AtomicU32 {
        // SAFETY: INV-6; the member is aligned, and nobody here uses it in another way.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.raw()).state) }
    }

    fn clients_word(&self) -> &AtomicU32 {
        // SAFETY: as above.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.raw()).connected_clients) }
    }

    fn moved(&self) -> Option<Address> {
        self.0.moved.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on it is there.
    pub fn move_to(&self, address: Address) {
        *self.0.moved.write().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }

    /// Where it is: the configured address.
    pub fn address(&self) -> Address {
        if let Some(moved) = self.moved() {
            return moved;
        }
        // SAFETY: INV-6: the address object never changes, and lives as long as the backend.
        unsafe { address::copy((*self.raw()).addr) }
    }

    /// The state.
    pub fn state(&self) -> BackendState {
        if let Some(wanted) = self.0.wanted() {
            return wanted;
        }
        match self.state_word().load(Ordering::Relaxed) {
            backend_state_t::BACKEND_STATE_UP => BackendState::Up,
            backend_state_t::BACKEND_STATE_DOWN => BackendState::Down,
            _ => BackendState::Unknown,
        }
    }

    /// When the state was set last, in seconds and microseconds.
    fn since_words(&self) -> (&AtomicI64, &AtomicI64) {
        // SAFETY: as in `state_word`.
        unsafe {
            let since = &raw mut (*self.raw()).state_since;
            (
                AtomicI64::from_ptr(&raw mut (*since).tv_sec),
                AtomicI64::from_ptr(&raw mut (*since).tv_usec),
            )
        }
    }

    fn note_time(&self, now: Duration) {
        let (seconds, micros) = self.since_words();
        seconds.store(i64::try_from(now.as_secs()).unwrap_or(i64::MAX), Ordering::Relaxed);
        micros.store(i64::from(now.subsec_micros()), Ordering::Relaxed);
    }

    /// DOWN for more than [`DOWN_SECONDS`] becomes UNKNOWN.
    pub(super) fn recheck(&self) {
        // The time that belongs to it was stored before.
        if self.state_word().load(Ordering::Acquire) != backend_state_t::BACKEND_STATE_DOWN {
            return;
        }
        let now = now();
        let since = self.since_words().0.load(Ordering::Relaxed);
        if i64::try_from(now.as_secs()).unwrap_or(i64::MAX).saturating_sub(since) <= DOWN_SECONDS {
            return;
        }
        let _turn = self.changes();
        if self.0.wanted().is_some() {
            return;
        }
        let (down, unknown) =
            (backend_state_t::BACKEND_STATE_DOWN, backend_state_t::BACKEND_STATE_UNKNOWN);
        let changed =
            self.state_word().compare_exchange(down, unknown, Ordering::Relaxed, Ordering::Relaxed);
        if changed.is_ok() {
            self.note_time(now);
        }
    }

    /// Sets the state that somebody wants, and notes the time.
    pub fn set_state(&self, state: BackendState) {
        let _turn = self.changes();
        if self.state() != BackendState::Removed {
            self.0.wanted.store(state.number(), Ordering::Relaxed);
            self.note_state(state);
        }
    }

    /// A connect told that it is UP or DOWN. Whether that is news.
    pub fn found(&self, is_up: bool) -> bool {
        let _turn = self.changes();
        if self.0.wanted().is_some() {
            return false;
        }
        let state = if is_up { BackendState::Up } else { BackendState::Down };
        let is_news = self.state() != state;
        self.note_state(state);
        is_news
    }

    /// Has the host's list show the state. It knows three.
    fn note_state(&self, state: BackendState) {
        let word = match state {
            BackendState::Unknown => backend_state_t::BACKEND_STATE_UNKNOWN,
            BackendState::Up => backend_state_t::BACKEND_STATE_UP,
            BackendState::Down
            | BackendState::Drain
            | BackendState::Maint
            | BackendState::Removed => backend_state_t::BACKEND_STATE_DOWN,
        };
        self.note_time(now());
        self.state_word().store(word, Ordering::Release);
    }

    /// Read-write or read-only.
    pub fn kind(&self) -> BackendKind {
        match self.kind_word().load(Ordering::Relaxed) {
            backend_type_t::BACKEND_TYPE_RO => BackendKind::ReadOnly,
            _ => BackendKind::ReadWrite,
        }
    }

    /// Connections that use this backend now; idle pooled ones are not counted.
    pub fn connected_clients(&self) -> u32 {
        self.clients_word().load(Ordering::Relaxed)
    }

    /// One connection more, or one fewer, uses this backend.
    pub fn count(&self, joins: bool) {
        let change = |count: u32| {
            Some(if joins { count.saturating_add(1) } else { count.saturating_sub(1) })
        };
        _ = self.clients_word().fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }

    /// The text a script attached to this backend.
    pub fn uuid(&self, _call: &HostCall) -> Vec<u8> {
        // SAFETY: INV-6, INV-1; the GString belongs to the backend, and is copied before the callback ends.
        unsafe {
            (*self.raw()).uuid.as_ref().map_or_else(Vec::new, |string| {
                std::slice::from_raw_parts(string.str.cast::<u8>(), string.len).to_vec()
            })
        }
    }

    /// Attaches a text to this backend.
    pub fn set_uuid(&self, _call: &HostCall, uuid: &[u8]) {
        let len = isize::try_from(uuid.len()).unwrap_or(isize::MAX);
        // SAFETY: INV-6, INV-1; GLib copies `len` bytes from a valid pointer.
        unsafe {
            let string = (*self.raw()).uuid;
            if !string.is_null() {
                glib_sys::g_string_truncate(string, 0);
                glib_sys::g_string_append_len(string, uuid.as_ptr().cast(), len);
            }
        }
    }

    /// A new socket of the host that will connect here.
    pub fn new_socket(&self) -> Option<OwnedSocket> {
        if let Some(moved) = self.moved() {
            return OwnedSocket::to_text(&CString::new(moved.name).ok()?);
        }
        // SAFETY: as in `address`.
        unsafe { OwnedSocket::to_address((*self.raw()).addr) }
    }
}

/// What the host has for a kind.
pub(super) fn kind_word(kind: BackendKind) -> u32 {
    match kind {
        BackendKind::ReadWrite => backend_type_t::BACKEND_TYPE_RW,
        BackendKind::ReadOnly => backend_type_t::BACKEND_TYPE_RO,
    }
}

/// The time, as the host's lists have it.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
