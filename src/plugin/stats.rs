//! The plugin's statistics as the host asks for them: Lua's `chassis.get_stats("pyproxy")`.

use std::ffi::CString;
use std::sync::atomic::Ordering;

use chassis_sys as sys;
use glib_sys::GHashTable;

use crate::boundary::{PANICS, guard};
use crate::drive::context;

/// Called by the host once at load. The counters are ours, so there is nothing to allocate; but the host never asks a
/// plugin whose pointer is NULL. This one is not NULL and is never followed.
pub(super) unsafe extern "C" fn new_stats() -> *mut sys::chassis_plugin_stats_t {
    std::ptr::dangling_mut()
}

/// Called by the host at the end.
pub(super) unsafe extern "C" fn free_stats(_stats: *mut sys::chassis_plugin_stats_t) {}

/// A fresh table of names and numbers; the caller destroys it. Empty before the start.
pub(super) unsafe extern "C" fn get_stats(
    _stats: *mut sys::chassis_plugin_stats_t,
) -> *mut GHashTable {
    // SAFETY: GLib's own functions for string keys that the table owns.
    let table = unsafe {
        glib_sys::g_hash_table_new_full(
            Some(glib_sys::g_str_hash),
            Some(glib_sys::g_str_equal),
            Some(glib_sys::g_free),
            None,
        )
    };
    guard(|| fill(table), || ());
    table
}

fn fill(table: *mut GHashTable) {
    let Some(ctx) = context() else { return };
    for (name, number) in ctx.shared.stats.report(PANICS.load(Ordering::Relaxed)) {
        insert(table, name, number);
    }
}

/// The host reads the number out of the value pointer itself, its lowest 32 bits: large numbers wrap there, and
/// differences of two readings stay right.
fn insert(table: *mut GHashTable, name: String, number: u64) {
    let name = CString::new(name).expect("our own names have no NUL");
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    // SAFETY: the table takes a copy of the key, made with GLib's allocator; the value is never followed.
    unsafe {
        let key = glib_sys::g_strdup(name.as_ptr());
        glib_sys::g_hash_table_insert(table, key.cast(), std::ptr::without_provenance_mut(number));
    }
}
