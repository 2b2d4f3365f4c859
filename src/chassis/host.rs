//! The host process itself: `struct chassis`.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use chassis_sys as sys;

use super::api::{api, global_symbol};

/// The directory that relative paths of options refer to.
///
/// # Safety
/// `chas` is the host object.
pub unsafe fn base_dir(chas: *const sys::chassis) -> PathBuf {
    // SAFETY: the caller's promise; the host keeps the string until it ends.
    unsafe {
        let text = (*chas).base_dir;
        if text.is_null() {
            return PathBuf::from("/");
        }
        PathBuf::from(OsStr::from_bytes(CStr::from_ptr(text).to_bytes()))
    }
}

/// How many event threads the host was told to have.
///
/// # Safety
/// `chas` is the host object.
pub unsafe fn event_threads(chas: *const sys::chassis) -> usize {
    // SAFETY: the caller's promise.
    usize::try_from(unsafe { (*chas).event_thread_count }).unwrap_or_default().max(1)
}

/// Whether a plugin of this name is loaded.
///
/// # Safety
/// `chas` is the host object.
pub unsafe fn has_plugin(chas: *mut sys::chassis, name: &CStr) -> bool {
    // SAFETY: the caller's promise; the host only reads the name.
    unsafe { !(api().chassis_plugin_for_name)(chas, name.as_ptr().cast_mut()).is_null() }
}

/// Whether no other plugin is loaded.
///
/// # Safety
/// `chas` is the host object; on the main thread, before it serves anybody.
pub unsafe fn has_one_plugin(chas: *const sys::chassis) -> bool {
    // SAFETY: the caller's promise; the host's list of plugins does not change then.
    unsafe { (*chas).modules.as_ref().is_some_and(|modules| modules.len == 1) }
}

/// Asks the host to end; its threads notice within a second. From any thread. The log names `location`.
pub fn request_shutdown(location: &CStr) {
    // SAFETY: INV-3; the host only reads the text, while it logs it.
    unsafe { (api().chassis_set_shutdown_location)(location.as_ptr()) };
}

/// Ends the process as a failure, at once.
pub fn end_process() -> ! {
    // SAFETY: a system call that does not return.
    unsafe { libc::_exit(1) }
}

/// Whether the host is about to end. While it frees its connections its other threads may still use them.
pub fn is_shutdown() -> bool {
    // SAFETY: INV-3; the function reads a flag.
    unsafe { (api().chassis_is_shutdown)() != 0 }
}

/// The release of the host as `major << 16 | minor << 8 | patch`.
///
/// The host does not tell its own release, but its bundled plugins carry it; without them a function that 0.8.4 brought
/// tells the newer releases from 0.8.3.
///
/// # Safety
/// `chas` is the host object.
pub unsafe fn version(chas: *mut sys::chassis) -> u32 {
    for name in [c"proxy", c"admin"] {
        // SAFETY: the caller's promise; a loaded plugin has a version text.
        let told = unsafe {
            let plugin = (api().chassis_plugin_for_name)(chas, name.as_ptr().cast_mut());
            let text = plugin.as_ref().map(|plugin| plugin.version).filter(|v| !v.is_null());
            text.and_then(|text| parse(&CStr::from_ptr(text).to_string_lossy()))
        };
        if let Some(version) = told {
            return version;
        }
    }
    if global_symbol(c"chassis_log_rotate").is_some() { 0x00805 } else { 0x00803 }
}

fn parse(text: &str) -> Option<u32> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u8>());
    let mut next = || parts.next()?.ok().map(u32::from);
    Some(next()? << 16 | next()? << 8 | next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(parse("0.8.5"), Some(0x00805));
        assert_eq!(parse("0.8.3-beta"), Some(0x00803));
        assert_eq!(parse("next"), None);
    }
}
