//! The kinds of options: what GLib's parser and the host's ini reader write, and who frees it.
//!
//! Only kinds that the host's ini reader gets right exist (`docs/internals/life.md#the-ini-file`): it breaks doubles
//! and reversed flags, so seconds are read as text, and no switch is reversed. There are no short options: the Lua
//! plugin owns `-P -b -r -s`.

use std::ffi::{CStr, c_char, c_int};
use std::fmt::Debug;
use std::ptr::{null, null_mut};

use glib_sys::{
    G_OPTION_ARG_FILENAME, G_OPTION_ARG_NONE, G_OPTION_ARG_STRING, G_OPTION_ARG_STRING_ARRAY,
    GOptionArg, GOptionEntry,
};

/// Storage of one option, in the form that the parser writes. Begins as "not given".
pub trait Kind: Default {
    /// How the parser takes it.
    const ARG: GOptionArg;
    /// What it becomes in Rust.
    type Value: Debug + Default + Clone;

    /// Copies what the parser left.
    fn value(&self) -> Self::Value;
}

/// A text.
#[derive(Debug)]
#[repr(transparent)]
pub struct Text(*mut c_char);

impl Default for Text {
    fn default() -> Self {
        Self(null_mut())
    }
}

impl Kind for Text {
    const ARG: GOptionArg = G_OPTION_ARG_STRING;
    type Value = Option<String>;

    fn value(&self) -> Self::Value {
        text(self.0)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the option parser allocated the text with GLib and left it to us; NULL is fine.
        unsafe { glib_sys::g_free(self.0.cast()) };
    }
}

/// A path; the host makes a relative one absolute.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct File(Text);

impl Kind for File {
    const ARG: GOptionArg = G_OPTION_ARG_FILENAME;
    type Value = Option<String>;

    fn value(&self) -> Self::Value {
        self.0.value()
    }
}

/// Texts: the option may be repeated.
#[derive(Debug)]
#[repr(transparent)]
pub struct List(*mut *mut c_char);

impl Default for List {
    fn default() -> Self {
        Self(null_mut())
    }
}

impl Kind for List {
    const ARG: GOptionArg = G_OPTION_ARG_STRING_ARRAY;
    type Value = Vec<String>;

    fn value(&self) -> Self::Value {
        if self.0.is_null() {
            return Vec::new();
        }
        (0..)
            // SAFETY: the option parser leaves NULL or a NULL-terminated array of strings.
            .map_while(|i| text(unsafe { *self.0.add(i) }))
            .collect()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the option parser allocated array and texts with GLib and left them to us; NULL is fine.
        unsafe { glib_sys::g_strfreev(self.0) };
    }
}

/// Given or not.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Switch(c_int);

impl Kind for Switch {
    const ARG: GOptionArg = G_OPTION_ARG_NONE;
    type Value = bool;

    fn value(&self) -> Self::Value {
        self.0 != 0
    }
}

fn text(raw: *const c_char) -> Option<String> {
    // SAFETY: the option parser leaves NULL or a NUL-terminated string.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
}

/// The entry that has the parser write to `storage`.
pub fn entry<K: Kind>(
    name: &'static CStr,
    storage: *mut K,
    help: &'static CStr,
    argument: Option<&'static CStr>,
) -> GOptionEntry {
    GOptionEntry {
        long_name: name.as_ptr(),
        short_name: 0,
        flags: 0,
        arg: K::ARG,
        arg_data: storage.cast(),
        description: help.as_ptr(),
        arg_description: argument.map_or(null(), CStr::as_ptr),
    }
}

/// The end of an array of entries.
pub fn end() -> GOptionEntry {
    // SAFETY: all-zero bytes are a valid GOptionEntry, and this is how GLib knows the end.
    unsafe { std::mem::zeroed() }
}

/// Text with a NUL at its end, and nowhere else, as C wants it.
pub const fn c_text(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("one NUL, at the end"),
    }
}
