//! The command line: GLib's option parser with the original's options, groups and order of parsing.
//!
//! Facts: `docs/internals/life.md#options`. The options of the original that concern Lua or a debugger are taken and do
//! nothing.

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::ptr;

use glib_sys::{
    G_OPTION_ARG_INT, G_OPTION_ARG_NONE, G_OPTION_ARG_STRING, G_OPTION_ARG_STRING_ARRAY, GFALSE,
    GOptionContext, GOptionEntry, GTRUE, gboolean,
};

use crate::exports::export;
use crate::{glib, keyfile};

/// Where GLib stores the values. Never freed: option tables point into it.
#[repr(C)]
struct Values {
    version: c_int,
    defaults_file: *mut c_char,
    verbose_shutdown: c_int,
    daemon: c_int,
    user: *mut c_char,
    basedir: *mut c_char,
    pid_file: *mut c_char,
    plugin_dir: *mut c_char,
    plugins: *mut *mut c_char,
    log_level: *mut c_char,
    log_file: *mut c_char,
    log_use_syslog: c_int,
    log_backtrace_on_crash: c_int,
    keepalive: c_int,
    max_open_files: c_int,
    event_threads: c_int,
    lua_path: *mut c_char,
    lua_cpath: *mut c_char,
}

/// The host's option tables and their values.
pub struct HostOptions(*mut Values);

/// What the host's options say.
#[derive(Debug)]
pub struct Settings {
    /// `--version`.
    pub version: bool,
    /// `--defaults-file`.
    pub defaults_file: Option<PathBuf>,
    /// `--verbose-shutdown`.
    pub verbose_shutdown: bool,
    /// `--daemon`.
    pub daemon: bool,
    /// `--user`.
    pub user: Option<String>,
    /// `--basedir`.
    pub basedir: Option<PathBuf>,
    /// `--pid-file`.
    pub pid_file: Option<PathBuf>,
    /// `--plugin-dir`.
    pub plugin_dir: Option<PathBuf>,
    /// `--plugins`; `None` when the option is absent.
    pub plugins: Option<Vec<String>>,
    /// `--log-level`.
    pub log_level: Option<String>,
    /// `--log-file`.
    pub log_file: Option<PathBuf>,
    /// `--log-use-syslog`.
    pub log_use_syslog: bool,
    /// `--keepalive`.
    pub keepalive: bool,
    /// `--max-open-files`; 0: leave the limit alone.
    pub max_open_files: c_int,
    /// `--event-threads`.
    pub event_threads: c_int,
}

/// `short` is NUL for none.
fn entry<T>(
    name: &'static CStr,
    short: u8,
    kind: c_int,
    value: *mut T,
    text: &'static CStr,
    placeholder: Option<&'static CStr>,
) -> GOptionEntry {
    GOptionEntry {
        long_name: name.as_ptr(),
        short_name: c_char::from_ne_bytes([short]),
        flags: 0,
        arg: kind,
        arg_data: value.cast(),
        description: text.as_ptr(),
        arg_description: placeholder.map_or(ptr::null(), CStr::as_ptr),
    }
}

/// The entry that ends a table.
fn end() -> GOptionEntry {
    GOptionEntry { long_name: ptr::null(), ..entry(c"", 0, 0, ptr::null_mut::<c_int>(), c"", None) }
}

impl HostOptions {
    /// Fresh values with the defaults.
    pub fn new() -> Self {
        let values: *mut Values = glib::alloc_zeroed();
        // SAFETY: fresh memory of the values.
        unsafe { (*values).event_threads = 1 };
        glib::keep(values);
        Self(values)
    }

    /// Options that only the command line knows.
    pub fn command_line_only(&self) -> Vec<GOptionEntry> {
        let v = self.0;
        // SAFETY: addresses inside the values, which live for ever; nothing is read.
        unsafe {
            vec![
                entry(
                    c"version",
                    b'V',
                    G_OPTION_ARG_NONE,
                    &raw mut (*v).version,
                    c"Show version",
                    None,
                ),
                entry(
                    c"defaults-file",
                    0,
                    G_OPTION_ARG_STRING,
                    &raw mut (*v).defaults_file,
                    c"configuration file",
                    Some(c"<file>"),
                ),
                end(),
            ]
        }
    }

    /// Options that may also stand in the ini file.
    #[rustfmt::skip]
    pub fn main(&self) -> Vec<GOptionEntry> {
        const NONE: c_int = G_OPTION_ARG_NONE;
        const STRING: c_int = G_OPTION_ARG_STRING;
        let v = self.0;
        // SAFETY: addresses inside the values, which live for ever; nothing is read.
        unsafe {
            vec![
                entry(c"verbose-shutdown", 0, NONE, &raw mut (*v).verbose_shutdown, c"Always log the exit code when shutting down", None),
                entry(c"daemon", 0, NONE, &raw mut (*v).daemon, c"Start in daemon-mode", None),
                entry(c"user", 0, STRING, &raw mut (*v).user, c"Run mysql-proxy as user", Some(c"<user>")),
                entry(c"basedir", 0, STRING, &raw mut (*v).basedir, c"Base directory to prepend to relative paths in the config", Some(c"<absolute path>")),
                entry(c"pid-file", 0, STRING, &raw mut (*v).pid_file, c"PID file in case we are started as daemon", Some(c"<file>")),
                entry(c"plugin-dir", 0, STRING, &raw mut (*v).plugin_dir, c"path to the plugins", Some(c"<path>")),
                entry(c"plugins", 0, G_OPTION_ARG_STRING_ARRAY, &raw mut (*v).plugins, c"plugins to load", Some(c"<name>")),
                entry(c"log-level", 0, STRING, &raw mut (*v).log_level, c"log all messages of level ... or higher", Some(c"(error|warning|info|message|debug)")),
                entry(c"log-file", 0, STRING, &raw mut (*v).log_file, c"log all messages in a file", Some(c"<file>")),
                entry(c"log-use-syslog", 0, NONE, &raw mut (*v).log_use_syslog, c"log all messages to syslog", None),
                entry(c"log-backtrace-on-crash", 0, NONE, &raw mut (*v).log_backtrace_on_crash, c"accepted without effect", None),
                entry(c"keepalive", 0, NONE, &raw mut (*v).keepalive, c"try to restart the proxy if it crashed", None),
                entry(c"max-open-files", 0, G_OPTION_ARG_INT, &raw mut (*v).max_open_files, c"maximum number of open files (ulimit -n)", None),
                entry(c"event-threads", 0, G_OPTION_ARG_INT, &raw mut (*v).event_threads, c"number of event-handling threads (default: 1)", None),
                entry(c"lua-path", 0, STRING, &raw mut (*v).lua_path, c"accepted without effect: this host has no Lua", Some(c"<...>")),
                entry(c"lua-cpath", 0, STRING, &raw mut (*v).lua_cpath, c"accepted without effect: this host has no Lua", Some(c"<...>")),
                end(),
            ]
        }
    }

    /// What was parsed so far.
    pub fn settings(&self) -> Settings {
        // SAFETY: the values live for ever; GLib stores NULL, C strings and NULL-ended arrays of them.
        unsafe {
            let v = &*self.0;
            let path = |value: *mut c_char| {
                glib::c_bytes(value)
                    .map(|bytes| PathBuf::from(OsString::from_vec(bytes.to_owned())))
            };
            let string =
                |value: *mut c_char| glib::c_bytes(value).map(|bytes| glib::text(Some(bytes)));
            Settings {
                version: v.version != 0,
                defaults_file: path(v.defaults_file),
                verbose_shutdown: v.verbose_shutdown != 0,
                daemon: v.daemon != 0,
                user: string(v.user),
                basedir: path(v.basedir),
                pid_file: path(v.pid_file),
                plugin_dir: path(v.plugin_dir),
                plugins: (!v.plugins.is_null()).then(|| keyfile::strings(v.plugins)),
                log_level: string(v.log_level),
                log_file: path(v.log_file),
                log_use_syslog: v.log_use_syslog != 0,
                keepalive: v.keepalive != 0,
                max_open_files: v.max_open_files,
                event_threads: v.event_threads,
            }
        }
    }
}

/// The command line while it is being parsed, several times over.
pub struct CommandLine {
    context: *mut GOptionContext,
    argc: c_int,
    argv: *mut *mut c_char,
}

impl CommandLine {
    /// Nothing is parsed yet; unknown options are left in place, help switches too. The memory of the arguments stays
    /// until the process ends: option values may point into it.
    pub fn new(args: impl IntoIterator<Item = OsString>) -> Self {
        let mut argv: Vec<_> = args.into_iter().map(|arg| glib::strdup(arg.as_bytes())).collect();
        let argc = c_int::try_from(argv.len()).unwrap_or(c_int::MAX);
        argv.iter().copied().for_each(glib::keep);
        argv.push(ptr::null_mut());
        let argv = argv.leak().as_mut_ptr();
        glib::keep(argv);
        // SAFETY: the parameter string is static.
        let context = unsafe {
            let context = glib_sys::g_option_context_new(c"- MySQL Proxy".as_ptr());
            glib_sys::g_option_context_set_help_enabled(context, GFALSE);
            glib_sys::g_option_context_set_ignore_unknown_options(context, GTRUE);
            context
        };
        Self { context, argc, argv }
    }

    /// Adds a table of the host's options; GLib copies it.
    pub fn add_main(&mut self, entries: &[GOptionEntry]) {
        // SAFETY: a table with its end, whose strings and values live for ever.
        unsafe {
            glib_sys::g_option_context_add_main_entries(
                self.context,
                entries.as_ptr(),
                ptr::null(),
            );
        }
    }

    /// Adds a plugin's options as their own group with a help switch.
    ///
    /// # Safety
    /// `entries` is a table with its end whose strings and values live until parsing is over.
    pub unsafe fn add_group(&mut self, name: &str, entries: *const GOptionEntry) {
        let [name, description, help] = [
            name.to_owned(),
            format!("{name}-module"),
            format!("Show options for the {name}-module"),
        ]
        .map(|text| glib::c_string(text.as_bytes()));
        // SAFETY: GLib copies the three strings and the table; the rest as the caller promises.
        unsafe {
            let group = glib_sys::g_option_group_new(
                name.as_ptr(),
                description.as_ptr(),
                help.as_ptr(),
                ptr::null_mut(),
                None,
            );
            glib_sys::g_option_group_add_entries(group, entries);
            glib_sys::g_option_context_add_group(self.context, group);
        }
    }

    /// Parses what is known so far and removes it.
    pub fn parse(&mut self) -> Result<(), glib::Error> {
        let mut error = ptr::null_mut();
        // SAFETY: count and arguments belong together; GLib sets the error when it fails.
        unsafe {
            glib_sys::g_option_context_parse(
                self.context,
                &raw mut self.argc,
                &raw mut self.argv,
                &raw mut error,
            );
            glib::take_error(error).map_or(Ok(()), Err)
        }
    }

    /// The last parse: help switches work (they end the process with exit code 0) and nothing may be left over.
    pub fn finish(&mut self) -> Result<(), String> {
        // SAFETY: the context is live.
        unsafe {
            glib_sys::g_option_context_set_help_enabled(self.context, GTRUE);
            glib_sys::g_option_context_set_ignore_unknown_options(self.context, GFALSE);
        }
        self.parse().map_err(|error| {
            let is_unknown = error.code == glib_sys::G_OPTION_ERROR_UNKNOWN_OPTION;
            if error.domain == "g-option-context-error-quark" && is_unknown {
                format!("{} (use --help to show all options)", error.message)
            } else {
                format!("{} (code = {}, domain = {})", error.message, error.code, error.domain)
            }
        })?;
        if self.argc > 1 {
            // SAFETY: GLib keeps the remaining arguments at the front.
            let left = glib::text(unsafe { glib::c_bytes(*self.argv.add(1)) });
            return Err(format!("unknown option: {left}"));
        }
        Ok(())
    }
}

impl Drop for CommandLine {
    fn drop(&mut self) {
        // SAFETY: the context is live and not used any more.
        unsafe { glib_sys::g_option_context_free(self.context) };
    }
}

/// `name` under `base_dir`; `None` when it is absolute already.
pub fn resolve(base_dir: &Path, name: &Path) -> Option<PathBuf> {
    name.is_relative().then(|| base_dir.join(name))
}

export! {
    /// Makes a file name absolute. TRUE: `*filename` was replaced; the old string is not freed.
    fn chassis_resolve_path(base_dir: *const c_char, filename: *mut *mut c_char) -> gboolean {
        // SAFETY: NULL or a C string; NULL or a place with NULL or a C string (ABI).
        unsafe {
            let (Some(base), Some(place)) = (glib::c_bytes(base_dir), filename.as_mut()) else { return GFALSE };
            let Some(name) = glib::c_bytes(*place) else { return GFALSE };
            let (base, name) = (std::ffi::OsStr::from_bytes(base), std::ffi::OsStr::from_bytes(name));
            let Some(path) = resolve(Path::new(base), Path::new(name)) else { return GFALSE };
            *place = glib::strdup(path.as_os_str().as_bytes());
            GTRUE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> (CommandLine, HostOptions) {
        let options = HostOptions::new();
        let mut line = CommandLine::new(
            std::iter::once("host").chain(args.iter().copied()).map(OsString::from),
        );
        line.add_main(&options.command_line_only());
        line.add_main(&options.main());
        line.parse().expect("parses");
        (line, options)
    }

    #[test]
    fn values_arrive_and_commas_do_not_split_on_the_command_line() {
        let (mut line, options) =
            parsed(&["--plugins=a", "--plugins=b,c", "--event-threads=3", "--daemon", "-V"]);
        assert_eq!(line.finish(), Ok(()));
        let settings = options.settings();
        assert_eq!(settings.plugins, Some(vec!["a".to_owned(), "b,c".to_owned()]));
        assert_eq!(settings.event_threads, 3);
        assert!(settings.daemon && settings.version && !settings.keepalive);
    }

    #[test]
    fn left_overs_are_refused_only_at_the_end() {
        let (mut line, _) = parsed(&["--bogus"]);
        assert_eq!(
            line.finish(),
            Err("Unknown option --bogus (use --help to show all options)".to_owned())
        );
        let (mut line, _) = parsed(&["foo"]);
        assert_eq!(line.finish(), Err("unknown option: foo".to_owned()));
    }

    #[test]
    fn only_relative_names_are_resolved() {
        assert_eq!(resolve(Path::new("/base"), Path::new("a/b")), Some(PathBuf::from("/base/a/b")));
        assert_eq!(resolve(Path::new("/base"), Path::new("/a")), None);
    }
}
