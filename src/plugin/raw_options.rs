//! The options as GLib and the host's ini reader fill them in.
//!
//! Only entry kinds that the host's ini reader gets right are used (ABI 3.4): it breaks doubles and reversed flags, so
//! seconds are read as text, and no flag is reversed. There are no short options: the Lua plugin owns `-P -b -r -s`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use glib_sys::{
    G_OPTION_ARG_FILENAME, G_OPTION_ARG_NONE, G_OPTION_ARG_STRING, G_OPTION_ARG_STRING_ARRAY,
    GOptionArg, GOptionEntry,
};

use super::options::Values;

/// Storage that GLib writes to. Lives behind the host's `plugin->config` from `init` to `destroy`.
#[derive(Debug)]
pub struct RawOptions {
    address: *mut c_char,
    backend_addresses: *mut *mut c_char,
    readonly_backend_address: *mut *mut c_char,
    read_only_backend_addresses: *mut *mut c_char,
    python_script: *mut c_char,
    script_config: *mut c_char,
    skip_profiling: c_int,
    no_pyproxy: c_int,
    pool_no_change_user: c_int,
    connect_timeout: *mut c_char,
    read_timeout: *mut c_char,
    write_timeout: *mut c_char,
    on_script_error: *mut c_char,
    max_kept_bytes: *mut c_char,
    reload: c_int,
    venv: *mut c_char,
    entries: Vec<GOptionEntry>,
}

fn entry(
    name: &'static CStr,
    kind: GOptionArg,
    data: *mut c_void,
    help: &'static CStr,
    argument: Option<&'static CStr>,
) -> GOptionEntry {
    GOptionEntry {
        long_name: name.as_ptr(),
        short_name: 0,
        flags: 0,
        arg: kind,
        arg_data: data,
        description: help.as_ptr(),
        arg_description: argument.map_or(null(), CStr::as_ptr),
    }
}

impl RawOptions {
    /// Empty storage and the entries that point into it. On the heap, so that it never moves.
    pub fn new() -> Box<Self> {
        let mut raw = Box::new(Self {
            address: null_mut(),
            backend_addresses: null_mut(),
            readonly_backend_address: null_mut(),
            read_only_backend_addresses: null_mut(),
            python_script: null_mut(),
            script_config: null_mut(),
            skip_profiling: 0,
            no_pyproxy: 0,
            pool_no_change_user: 0,
            connect_timeout: null_mut(),
            read_timeout: null_mut(),
            write_timeout: null_mut(),
            on_script_error: null_mut(),
            max_kept_bytes: null_mut(),
            reload: 0,
            venv: null_mut(),
            entries: Vec::new(),
        });
        raw.entries = vec![
            entry(
                c"pyproxy-address",
                G_OPTION_ARG_STRING,
                (&raw mut raw.address).cast(),
                c"address to listen on (default: :4045)",
                Some(c"<host:port|path>"),
            ),
            entry(
                c"pyproxy-backend-addresses",
                G_OPTION_ARG_STRING_ARRAY,
                (&raw mut raw.backend_addresses).cast(),
                c"read-write backends, repeatable or a comma list (default: 127.0.0.1:3306)",
                Some(c"<host:port|path>"),
            ),
            entry(
                c"pyproxy-readonly-backend-address",
                G_OPTION_ARG_STRING_ARRAY,
                (&raw mut raw.readonly_backend_address).cast(),
                c"read-only backends, repeatable or a comma list (default: none)",
                Some(c"<host:port|path>"),
            ),
            entry(
                c"pyproxy-read-only-backend-addresses",
                G_OPTION_ARG_STRING_ARRAY,
                (&raw mut raw.read_only_backend_addresses).cast(),
                c"another name of pyproxy-readonly-backend-address",
                Some(c"<host:port|path>"),
            ),
            entry(
                c"pyproxy-python-script",
                G_OPTION_ARG_FILENAME,
                (&raw mut raw.python_script).cast(),
                c"the Python script with the hooks (default: none)",
                Some(c"<file>"),
            ),
            entry(
                c"pyproxy-script-config",
                G_OPTION_ARG_FILENAME,
                (&raw mut raw.script_config).cast(),
                c"an ini file with the script's settings (default: none)",
                Some(c"<file>"),
            ),
            entry(
                c"pyproxy-skip-profiling",
                G_OPTION_ARG_NONE,
                (&raw mut raw.skip_profiling).cast(),
                c"do not call read_query and read_query_result",
                None,
            ),
            entry(
                c"no-pyproxy",
                G_OPTION_ARG_NONE,
                (&raw mut raw.no_pyproxy).cast(),
                c"load the plugin but do not start it",
                None,
            ),
            entry(
                c"pyproxy-pool-no-change-user",
                G_OPTION_ARG_NONE,
                (&raw mut raw.pool_no_change_user).cast(),
                c"do not log a pooled connection in again with COM_CHANGE_USER",
                None,
            ),
            entry(
                c"pyproxy-connect-timeout",
                G_OPTION_ARG_STRING,
                (&raw mut raw.connect_timeout).cast(),
                c"how long a connect to a backend may take (default: 2)",
                Some(c"<seconds>"),
            ),
            entry(
                c"pyproxy-read-timeout",
                G_OPTION_ARG_STRING,
                (&raw mut raw.read_timeout).cast(),
                c"how long to wait for data (default: 28800)",
                Some(c"<seconds>"),
            ),
            entry(
                c"pyproxy-write-timeout",
                G_OPTION_ARG_STRING,
                (&raw mut raw.write_timeout).cast(),
                c"how long a write may block (default: 28800)",
                Some(c"<seconds>"),
            ),
            entry(
                c"pyproxy-on-script-error",
                G_OPTION_ARG_STRING,
                (&raw mut raw.on_script_error).cast(),
                c"what to do with a query whose hook failed (default: reject)",
                Some(c"<reject|forward>"),
            ),
            entry(
                c"pyproxy-max-kept-bytes",
                G_OPTION_ARG_STRING,
                (&raw mut raw.max_kept_bytes).cast(),
                c"memory that kept results and made answers may take for one connection (default: 256M)",
                Some(c"<bytes>"),
            ),
            entry(
                c"pyproxy-reload",
                G_OPTION_ARG_NONE,
                (&raw mut raw.reload).cast(),
                c"new connections use the script as it is now, if the file changed",
                None,
            ),
            entry(
                c"pyproxy-venv",
                G_OPTION_ARG_FILENAME,
                (&raw mut raw.venv).cast(),
                c"virtual environment whose packages the script may import",
                Some(c"<directory>"),
            ),
            // SAFETY: all-zero bytes are a valid GOptionEntry: the end of the array.
            unsafe { std::mem::zeroed() },
        ];
        raw
    }

    /// The array for the host's option parser; it lives as long as `self`.
    pub fn entries(&mut self) -> *mut GOptionEntry {
        self.entries.as_mut_ptr()
    }

    /// Copies what the option parser left.
    pub fn values(&self) -> Values {
        Values {
            address: text(self.address),
            backend_addresses: list(self.backend_addresses),
            readonly_backend_address: list(self.readonly_backend_address),
            read_only_backend_addresses: list(self.read_only_backend_addresses),
            python_script: text(self.python_script),
            script_config: text(self.script_config),
            skip_profiling: self.skip_profiling != 0,
            no_pyproxy: self.no_pyproxy != 0,
            pool_no_change_user: self.pool_no_change_user != 0,
            connect_timeout: text(self.connect_timeout),
            read_timeout: text(self.read_timeout),
            write_timeout: text(self.write_timeout),
            on_script_error: text(self.on_script_error),
            max_kept_bytes: text(self.max_kept_bytes),
            reload: self.reload != 0,
            venv: text(self.venv),
        }
    }
}

impl Drop for RawOptions {
    fn drop(&mut self) {
        let texts = [
            self.address,
            self.python_script,
            self.script_config,
            self.connect_timeout,
            self.read_timeout,
            self.write_timeout,
            self.on_script_error,
            self.max_kept_bytes,
            self.venv,
        ];
        let lists = [
            self.backend_addresses,
            self.readonly_backend_address,
            self.read_only_backend_addresses,
        ];
        // SAFETY: the option parser allocated these with GLib and left them to us; NULL is fine.
        unsafe {
            texts.into_iter().for_each(|text| glib_sys::g_free(text.cast()));
            lists.into_iter().for_each(|list| glib_sys::g_strfreev(list));
        }
    }
}

fn text(raw: *const c_char) -> Option<String> {
    // SAFETY: the option parser leaves NULL or a NUL-terminated string.
    (!raw.is_null()).then(|| unsafe { CStr::from_ptr(raw) }.to_string_lossy().into_owned())
}

fn list(raw: *const *mut c_char) -> Vec<String> {
    if raw.is_null() {
        return Vec::new();
    }
    (0..)
        // SAFETY: the option parser leaves NULL or a NULL-terminated array of strings.
        .map_while(|i| text(unsafe { *raw.add(i) }))
        .collect()
}
