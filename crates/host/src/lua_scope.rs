//! The mutex around all hooks of plugins. In the original it belongs to the Lua state, hence the name; there is no Lua here.
//!
//! Facts: `docs/internals/threads.md#the-mutex`.

use std::cell::UnsafeCell;
use std::ffi::c_char;
use std::mem::MaybeUninit;

use chassis_sys::lua_scope;
use glib_sys::GMutex;

use crate::exports::export;

struct Scope(UnsafeCell<MaybeUninit<GMutex>>);

// SAFETY: a GMutex is made to be shared.
unsafe impl Sync for Scope {}

/// Not recursive: a hook that calls back into a hook hangs, as in the original.
static SCOPE: Scope = Scope(UnsafeCell::new(MaybeUninit::zeroed()));

/// What `priv->sc` points to.
pub fn as_ptr() -> *mut lua_scope {
    SCOPE.0.get().cast()
}

/// The mutex is held.
pub struct Guard(());

/// Waits for the mutex.
pub fn lock() -> Guard {
    // SAFETY: a static mutex that is all zero needs no further initialisation.
    unsafe { glib_sys::g_mutex_lock(SCOPE.0.get().cast()) };
    Guard(())
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: this guard holds it.
        unsafe { glib_sys::g_mutex_unlock(SCOPE.0.get().cast()) };
    }
}

export! {
    /// Waits for the mutex.
    fn lua_scope_get(_sc: *mut lua_scope, _pos: *const c_char) as fn_lua_scope_get {
        std::mem::forget(lock());
    }

    /// Gives it back.
    fn lua_scope_release(_sc: *mut lua_scope, _pos: *const c_char) as fn_lua_scope_release {
        drop(Guard(()));
    }
}
