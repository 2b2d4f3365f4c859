//! The host's mutex around all callbacks, taken by threads of our own (`docs/internals/threads.md#the-mutex`).

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

use chassis_sys as sys;

use super::api::api;
use crate::boundary::{HostCall, host_call};

/// The host's object that has the mutex; it lives as long as the plugin.
static SCOPE: AtomicPtr<sys::lua_scope> = AtomicPtr::new(null_mut());

/// Notes which mutex it is.
///
/// # Safety
/// `chas` is the host object.
pub unsafe fn remember(chas: *mut sys::chassis) {
    // SAFETY: the caller's promise.
    SCOPE.store(unsafe { (*(*chas).priv_).sc }, Ordering::Release);
}

/// Runs `body` with the mutex held, as a callback of the host does: panics are caught, and give what `fallback` says.
///
/// The mutex is not recursive: this is for threads that the host does not know, which run no callbacks of it.
pub fn with_mutex<R: Default>(
    body: impl FnOnce(&HostCall) -> R,
    fallback: impl FnOnce(&HostCall) -> R,
) -> R {
    let _held = Held::take();
    // SAFETY: INV-1: the mutex is held.
    unsafe { host_call(body, fallback) }
}

/// The mutex is held until this is dropped.
struct Held(NonNull<sys::lua_scope>);

impl Held {
    fn take() -> Self {
        let scope = NonNull::new(SCOPE.load(Ordering::Acquire)).expect("remembered at the start");
        // SAFETY: INV-3; the host frees the object behind the end of every plugin.
        unsafe { (api().lua_scope_get)(scope.as_ptr(), PLACE.as_ptr()) };
        Self(scope)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: as above; this thread took it.
        unsafe { (api().lua_scope_release)(self.0.as_ptr(), PLACE.as_ptr()) };
    }
}

/// What the host's debug log says of who takes the mutex.
const PLACE: &std::ffi::CStr = c"pyproxy";
