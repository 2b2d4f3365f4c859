//! The list of database servers. Plugins choose among them and keep their counters.
//!
//! Facts: `docs/internals/backends-and-pools.md`. The pools of the original are not offered: `pool` stays NULL.
//!
//! When a list is freed every connection is gone, so each `connected_clients` must be back to zero. A plugin that lost
//! count is a failure here: it is logged and the process exits with 1.

use std::ffi::{c_char, c_int, c_uint};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use chassis_sys::backend_state_t::{BACKEND_STATE_DOWN, BACKEND_STATE_UNKNOWN};
use chassis_sys::backend_type_t::{BACKEND_TYPE_RW, Type as BackendType};
use chassis_sys::{network_backend_t, network_backends_t};
use glib_sys::{GMutex, GTimeVal};

use crate::address::{
    self, network_address_free, network_address_new, network_address_set_address,
};
use crate::exports::export;
use crate::{glib, log};

/// A DOWN backend is tried again after more than this many seconds.
const DOWN_SECONDS: i64 = 4;
/// The list is looked through at most this often.
const CHECK_INTERVAL_USEC: i64 = 1_000_000;

static MISCOUNTED: AtomicBool = AtomicBool::new(false);

/// Whether some list was freed with clients still counted.
pub fn miscounted() -> bool {
    MISCOUNTED.load(Ordering::Acquire)
}

/// A backend list with its mutex held.
struct Locked(*mut network_backends_t);

impl Locked {
    /// # Safety
    /// `raw` is a live list.
    unsafe fn new(raw: *mut network_backends_t) -> Self {
        // SAFETY: as the caller promises; the mutex was initialised with the list.
        unsafe { glib_sys::g_mutex_lock((*raw).backends_mutex) };
        Self(raw)
    }

    /// The backends; each lives until the list is freed.
    fn backends(&self) -> &[*mut network_backend_t] {
        // SAFETY: the list is live and locked; the array holds `len` backends.
        unsafe {
            let array = &*(*self.0).backends;
            if array.len == 0 {
                return &[];
            }
            let len = usize::try_from(array.len).unwrap_or_default();
            std::slice::from_raw_parts(array.pdata.cast(), len)
        }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: locked by `new`.
        unsafe { glib_sys::g_mutex_unlock((*self.0).backends_mutex) };
    }
}

fn now() -> GTimeVal {
    // SAFETY: clock_gettime() writes to the local only; all-zero bytes are a valid timespec.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time);
        time
    };
    GTimeVal { tv_sec: time.tv_sec, tv_usec: time.tv_nsec / 1000 }
}

unsafe fn free_backend(backend: *mut network_backend_t) {
    // SAFETY: the caller gives the backend up.
    unsafe {
        network_address_free((*backend).addr);
        glib::free_string((*backend).uuid);
        glib::free(backend);
    }
}

export! {
    /// An empty list.
    fn network_backends_new() -> *mut network_backends_t as fn_network_backends_new {
        let list: *mut network_backends_t = glib::alloc_zeroed();
        let mutex: *mut GMutex = glib::alloc_zeroed();
        // SAFETY: fresh memory of a list and a mutex.
        unsafe {
            glib_sys::g_mutex_init(mutex);
            (*list).backends_mutex = mutex;
            (*list).backends = glib_sys::g_ptr_array_new();
        }
        list
    }

    /// Frees the list with its backends, after all connections are gone. NULL is fine.
    fn network_backends_free(list: *mut network_backends_t) as fn_network_backends_free {
        if list.is_null() {
            return;
        }
        // SAFETY: a list that the caller gives up (ABI).
        unsafe {
            let locked = Locked::new(list);
            for &backend in locked.backends() {
                let clients = (*backend).connected_clients;
                if clients != 0 {
                    let name = address::name((*backend).addr);
                    log::critical(&format!(
                        "backend {name} still counts {clients} connected clients after the last one is gone"
                    ));
                    MISCOUNTED.store(true, Ordering::Release);
                }
                free_backend(backend);
            }
            drop(locked);
            glib_sys::g_ptr_array_free((*list).backends, glib_sys::GTRUE);
            glib_sys::g_mutex_clear((*list).backends_mutex);
            glib::free((*list).backends_mutex);
            glib::free(list);
        }
    }

    /// Adds a backend. -1: the address does not resolve or is known. Blocks while a name is looked up.
    fn network_backends_add(list: *mut network_backends_t, text: *mut c_char, kind: BackendType) -> c_int
    as fn_network_backends_add {
        // SAFETY: a live list and a C string (ABI); the backend is fresh until it is in the list.
        unsafe {
            let backend: *mut network_backend_t = glib::alloc_zeroed();
            (*backend).addr = network_address_new();
            (*backend).uuid = glib::new_string(b"");
            (*backend).type_ = kind;
            if network_address_set_address((*backend).addr, text) != 0 {
                free_backend(backend);
                return -1;
            }
            let text = glib::text(glib::c_bytes(text));
            let name = address::name((*backend).addr);
            let locked = Locked::new(list);
            if locked.backends().iter().any(|&known| address::name((*known).addr) == name) {
                drop(locked);
                free_backend(backend);
                log::critical(&format!("backend {text} is already known!"));
                return -1;
            }
            glib_sys::g_ptr_array_add((*list).backends, backend.cast());
            drop(locked);
            let kind = if kind == BACKEND_TYPE_RW { "read/write" } else { "read-only" };
            log::message(&format!("added {kind} backend: {text}"));
        }
        0
    }

    /// Borrowed; NULL when out of range.
    fn network_backends_get(list: *mut network_backends_t, ndx: c_uint) -> *mut network_backend_t
    as fn_network_backends_get {
        // SAFETY: a live list (ABI).
        let locked = unsafe { Locked::new(list) };
        let found = usize::try_from(ndx).ok().and_then(|ndx| locked.backends().get(ndx).copied());
        found.unwrap_or(ptr::null_mut())
    }

    /// Number of backends.
    fn network_backends_count(list: *mut network_backends_t) -> c_uint as fn_network_backends_count {
        // SAFETY: a live list (ABI).
        let locked = unsafe { Locked::new(list) };
        c_uint::try_from(locked.backends().len()).unwrap_or(c_uint::MAX)
    }

    /// At most once a second: DOWN for more than four seconds becomes UNKNOWN. Returns how many did.
    fn network_backends_check(list: *mut network_backends_t) -> c_int as fn_network_backends_check {
        let now = now();
        // SAFETY: a live list (ABI); states are changed by hooks only, which never overlap.
        unsafe {
            let last = (*list).backend_last_check;
            let elapsed = (now.tv_sec - last.tv_sec) * CHECK_INTERVAL_USEC + (now.tv_usec - last.tv_usec);
            if elapsed < 0 {
                log::message(&format!("time went backwards ({elapsed} usec)!"));
                (*list).backend_last_check = GTimeVal { tv_sec: 0, tv_usec: 0 };
            }
            if elapsed < CHECK_INTERVAL_USEC {
                return 0;
            }
            let locked = Locked::new(list);
            (*list).backend_last_check = now;
            let mut woken = 0;
            for &backend in locked.backends() {
                let down_for = now.tv_sec - (*backend).state_since.tv_sec;
                if (*backend).state == BACKEND_STATE_DOWN && down_for > DOWN_SECONDS {
                    (*backend).state = BACKEND_STATE_UNKNOWN;
                    (*backend).state_since = now;
                    woken += 1;
                }
            }
            woken
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_added_once_and_wake_up_after_four_seconds() {
        // SAFETY: the list lives until it is freed here; only this thread knows it.
        unsafe {
            let list = network_backends_new();
            assert_eq!(
                network_backends_add(list, c"127.0.0.1:1".as_ptr().cast_mut(), BACKEND_TYPE_RW),
                0
            );
            assert_eq!(
                network_backends_add(list, c"127.0.0.1:1".as_ptr().cast_mut(), BACKEND_TYPE_RW),
                -1
            );
            assert_eq!(network_backends_count(list), 1);
            assert!(network_backends_get(list, 1).is_null());
            let backend = network_backends_get(list, 0);
            (*backend).state = BACKEND_STATE_DOWN;
            (*backend).state_since = now();
            assert_eq!(network_backends_check(list), 0);
            (*backend).state_since.tv_sec -= DOWN_SECONDS + 1;
            assert_eq!(network_backends_check(list), 0, "checked less than a second ago");
            (*list).backend_last_check.tv_sec -= 2;
            assert_eq!(network_backends_check(list), 1);
            assert_eq!((*backend).state, BACKEND_STATE_UNKNOWN);
            network_backends_free(list);
        }
    }
}
