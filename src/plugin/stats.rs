//! Counters for the host's `chassis.get_stats("pyproxy")`.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU64, Ordering};

use chassis_sys as sys;
use glib_sys::GHashTable;

use crate::boundary::{PANICS, guard};
use crate::hooks::context;

/// Called by the host once at load; the counters are ours, so there is nothing to allocate.
pub(super) unsafe extern "C" fn new_stats() -> *mut sys::chassis_plugin_stats_t {
    std::ptr::null_mut()
}

/// Called by the host at the end.
pub(super) unsafe extern "C" fn free_stats(_stats: *mut sys::chassis_plugin_stats_t) {}

/// A fresh table of names and numbers; the caller destroys it.
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
    insert(table, c"panics", &PANICS);
    if let Some(ctx) = context() {
        insert(table, c"connections", &ctx.stats.connections);
        insert(table, c"queries", &ctx.stats.queries);
        insert(table, c"queued_queries", &ctx.stats.queued_queries);
        insert(table, c"malformed_packets", &ctx.stats.malformed_packets);
    }
}

/// The host reads the number out of the value pointer itself.
fn insert(table: *mut GHashTable, name: &CStr, counter: &AtomicU64) {
    let number = usize::try_from(counter.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
    // SAFETY: the table takes a copy of the key, made with GLib's allocator; the value is never followed.
    unsafe {
        let key = glib_sys::g_strdup(name.as_ptr());
        glib_sys::g_hash_table_insert(table, key.cast(), std::ptr::without_provenance_mut(number));
    }
}
