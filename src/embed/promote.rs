//! Giving libpython global scope.
//!
//! The host opens plugins with local scope, so the libpython that came with us is invisible to extension modules:
//! even `import decimal` would fail with an undefined symbol (`docs/internals/python.md#global-symbols`).

use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pyo3::ffi;

use super::EmbedError;

/// Reopens the library that holds CPython's functions with global scope; gives its file.
pub fn promote_libpython() -> Result<PathBuf, EmbedError> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is one of a function; `info` is valid for a write. All-zero is a valid Dl_info.
    let info = unsafe {
        libc::dladdr(ffi::Py_GetVersion as *const libc::c_void, info.as_mut_ptr());
        info.assume_init()
    };
    if info.dli_fname.is_null() {
        let reason = "its file is not known".to_owned();
        return Err(EmbedError::Promote { library: PathBuf::from("libpython"), reason });
    }
    // SAFETY: dladdr found the object, and its name lives as long as the object is loaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let library = Path::new(OsStr::from_bytes(name.to_bytes())).to_owned();
    // SAFETY: a valid C string; NOLOAD means that no code runs, GLOBAL changes the scope of what is loaded. The
    // handle is kept for ever, on purpose.
    let handle = unsafe {
        libc::dlopen(name.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_NOW | libc::RTLD_GLOBAL)
    };
    if handle.is_null() {
        return Err(EmbedError::Promote { library, reason: loader_error() });
    }
    Ok(library)
}

fn loader_error() -> String {
    // SAFETY: dlerror gives NULL or a C string of this thread that is valid until the next dl call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "unknown error of the loader".to_owned()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}
