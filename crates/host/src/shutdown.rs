//! The shutdown flag, and the hooks that plugins register for the time after `destroy`.
//!
//! Facts: `docs/internals/life.md#stop`.

use std::collections::HashMap;
use std::ffi::{c_char, c_void};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use chassis_sys::{chassis_shutdown_hooks_t, gboolean};

use crate::exports::export;
use crate::{glib, log};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Whether the process is told to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Acquire)
}

/// Tells the process to stop; the first request is logged with its origin.
pub fn request(origin: &str) {
    if !REQUESTED.swap(true, Ordering::AcqRel) {
        log::message(&format!("Initiating shutdown, requested from {origin}"));
    }
}

/// A hook as plugins fill it.
#[repr(C)]
#[derive(Debug)]
pub struct ShutdownHook {
    /// Called once after every plugin's `destroy`.
    pub func: Option<unsafe extern "C" fn(*mut c_void)>,
    /// Its argument.
    pub udata: *mut c_void,
    /// Set by the host when it was called.
    pub is_called: gboolean,
}

// SAFETY: a registered hook belongs to the table alone.
unsafe impl Send for ShutdownHook {}

/// The registered hooks by key. There is one table: the pointer that plugins pass stands for it.
static HOOKS: Mutex<Option<HashMap<Vec<u8>, Box<ShutdownHook>>>> = Mutex::new(None);

/// Calls every hook, then forgets them. The lock is held meanwhile, as in the original.
pub fn call_hooks() {
    let mut hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    for mut hook in hooks.take().unwrap_or_default().into_values() {
        if let Some(func) = hook.func {
            // SAFETY: the plugin that registered the hook is still loaded; it chose function and argument.
            unsafe { func(hook.udata) };
        }
        hook.is_called = glib_sys::GTRUE;
    }
}

export! {
    /// Whether the process is told to stop. Any thread.
    fn chassis_is_shutdown() -> gboolean as fn_chassis_is_shutdown {
        requested().into()
    }

    /// Tells the process to stop. Any thread.
    fn chassis_set_shutdown_location(location: *const c_char) as fn_chassis_set_shutdown_location {
        // SAFETY: NULL or a C string (ABI).
        let location = unsafe { glib::c_bytes(location) };
        request(&location.map_or("signal handler".to_owned(), |text| glib::text(Some(text))));
    }

    /// An empty hook.
    fn chassis_shutdown_hook_new() -> *mut ShutdownHook {
        Box::into_raw(Box::new(ShutdownHook {
            func: None,
            udata: std::ptr::null_mut(),
            is_called: glib_sys::GFALSE,
        }))
    }

    /// Frees a hook that was not registered.
    fn chassis_shutdown_hook_free(hook: *mut ShutdownHook) {
        if !hook.is_null() {
            // SAFETY: it comes from chassis_shutdown_hook_new and belongs to the caller (ABI).
            drop(unsafe { Box::from_raw(hook) });
        }
    }

    /// TRUE: the table owns the hook. FALSE: the key is known, the caller keeps it.
    fn chassis_shutdown_hooks_register(
        _hooks: *mut chassis_shutdown_hooks_t,
        key: *const c_char,
        key_len: usize,
        hook: *mut ShutdownHook,
    ) -> gboolean {
        // SAFETY: the key has that many bytes; the hook comes from chassis_shutdown_hook_new (ABI).
        let key = unsafe { std::slice::from_raw_parts(key.cast::<u8>(), key_len) };
        let mut hooks = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        let hooks = hooks.get_or_insert_default();
        if hooks.contains_key(key) {
            return glib_sys::GFALSE;
        }
        // SAFETY: as above; the caller gives it away.
        hooks.insert(key.to_owned(), unsafe { Box::from_raw(hook) });
        glib_sys::GTRUE
    }
}
