//! The little of GLib that the host needs, made safe where that is possible.
//!
//! Memory that crosses the plugin boundary comes from GLib's allocator on both sides.

use std::ffi::{CStr, CString, c_char};
use std::sync::{Mutex, PoisonError};

use glib_sys::{GError, GString, gpointer};

/// A C string of `text`; bytes behind a NUL are cut off.
pub fn c_string(text: &[u8]) -> CString {
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

/// A copy in `g_malloc` memory; the caller or the struct it is put in frees it with `g_free`.
pub fn strdup(text: &[u8]) -> *mut c_char {
    // SAFETY: the argument is a C string; GLib copies it.
    unsafe { glib_sys::g_strdup(c_string(text).as_ptr()) }
}

/// `g_free`.
///
/// # Safety
/// `memory` is NULL or memory of GLib's allocator that nobody uses any more.
pub unsafe fn free<T>(memory: *mut T) {
    // SAFETY: as the caller promises.
    unsafe { glib_sys::g_free(memory.cast()) }
}

/// Memory that lives as long as the process: the addresses are kept so that leak checkers find it.
static FOR_EVER: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Keeps `memory` for as long as the process lives.
pub fn keep<T>(memory: *mut T) {
    FOR_EVER.lock().unwrap_or_else(PoisonError::into_inner).push(memory.expose_provenance());
}

/// Zeroed `g_malloc` memory for a `T`.
pub fn alloc_zeroed<T>() -> *mut T {
    // SAFETY: g_malloc0 has no precondition; it aborts instead of failing.
    let memory: gpointer = unsafe { glib_sys::g_malloc0(size_of::<T>()) };
    memory.cast()
}

/// A new GString with a copy of `bytes`.
pub fn new_string(bytes: &[u8]) -> *mut GString {
    // SAFETY: g_string_sized_new has no precondition; the length passed on is that of the slice.
    unsafe {
        let string = glib_sys::g_string_sized_new(bytes.len() + 1);
        append(string, bytes);
        string
    }
}

/// Appends to a GString.
///
/// # Safety
/// `string` is a live GString that nobody else uses meanwhile and that `bytes` is no part of.
pub unsafe fn append(string: *mut GString, bytes: &[u8]) {
    if let Ok(len) = isize::try_from(bytes.len()) {
        // SAFETY: as the caller promises; pointer and length are those of one slice.
        unsafe { glib_sys::g_string_append_len(string, bytes.as_ptr().cast(), len) };
    }
}

/// Replaces the content of a GString.
///
/// # Safety
/// As for [`append`].
pub unsafe fn assign(string: *mut GString, bytes: &[u8]) {
    // SAFETY: as the caller promises.
    unsafe {
        glib_sys::g_string_truncate(string, 0);
        append(string, bytes);
    }
}

/// The bytes of a GString; empty for NULL.
///
/// # Safety
/// `string` is NULL or a live GString that is neither changed nor freed during `'a`.
pub unsafe fn bytes<'a>(string: *const GString) -> &'a [u8] {
    // SAFETY: as the caller promises; `str` holds `len` bytes.
    unsafe {
        match string.as_ref() {
            Some(string) if !string.str.is_null() => {
                std::slice::from_raw_parts(string.str.cast::<u8>(), string.len)
            }
            _ => &[],
        }
    }
}

/// Frees a GString with its text.
///
/// # Safety
/// `string` is NULL or a GString that nobody uses any more.
pub unsafe fn free_string(string: *mut GString) {
    if !string.is_null() {
        // SAFETY: as the caller promises.
        unsafe { glib_sys::g_string_free(string, glib_sys::GTRUE) };
    }
}

/// The text of a C string; `None` for NULL.
///
/// # Safety
/// `text` is NULL or a C string that lives during `'a`.
pub unsafe fn c_bytes<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// An error reported by GLib.
#[derive(Debug)]
pub struct Error {
    /// What GLib says.
    pub message: String,
    /// The number inside its domain.
    pub code: i32,
    /// Which part of GLib reported it.
    pub domain: String,
}

/// Takes over a `GError` that a GLib function has set; `None` when it set none.
///
/// # Safety
/// `error` is NULL or a GError that nobody else frees.
pub unsafe fn take_error(error: *mut GError) -> Option<Error> {
    if error.is_null() {
        return None;
    }
    // SAFETY: as the caller promises; message and domain name are C strings.
    let taken = unsafe {
        Error {
            message: text(c_bytes((*error).message)),
            code: (*error).code,
            domain: text(c_bytes(glib_sys::g_quark_to_string((*error).domain))),
        }
    };
    // SAFETY: as the caller promises.
    unsafe { glib_sys::g_error_free(error) };
    Some(taken)
}

/// Bytes as text for a message.
pub fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}
