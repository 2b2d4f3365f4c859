//! The log: GLib's default handler, writing lines like `2026-01-31 12:00:00: (critical) text`.
//!
//! Facts: `docs/internals/life.md#the-log`. SIGHUP reopens the file before the next message.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chassis_sys::chassis_log_head;
use glib_sys::{
    G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_DEBUG, G_LOG_LEVEL_ERROR, G_LOG_LEVEL_INFO,
    G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_WARNING, GLogLevelFlags, gboolean, gpointer,
};

use crate::exports::export;
use crate::glib;

/// Level names as `--log-level` takes them, with syslog's priorities.
const LEVELS: [(&str, GLogLevelFlags, c_int); 6] = [
    ("error", G_LOG_LEVEL_ERROR, libc::LOG_CRIT),
    ("critical", G_LOG_LEVEL_CRITICAL, libc::LOG_ERR),
    ("warning", G_LOG_LEVEL_WARNING, libc::LOG_WARNING),
    ("message", G_LOG_LEVEL_MESSAGE, libc::LOG_NOTICE),
    ("info", G_LOG_LEVEL_INFO, libc::LOG_INFO),
    ("debug", G_LOG_LEVEL_DEBUG, libc::LOG_DEBUG),
];
/// A repeated message is written again after this many repetitions ...
const MAX_REPEATS: u32 = 100;
/// ... or after this time.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// Where lines go.
enum Sink {
    Stderr,
    Syslog,
    File(File, PathBuf),
}

struct Log {
    level: GLogLevelFlags,
    sink: Sink,
    reopen: bool,
    last: Option<Last>,
}

/// The message written last.
struct Last {
    text: Vec<u8>,
    at: Instant,
    repeats: u32,
}

static LOG: Mutex<Log> =
    Mutex::new(Log { level: G_LOG_LEVEL_MESSAGE, sink: Sink::Stderr, reopen: false, last: None });

fn log() -> MutexGuard<'static, Log> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the handler. Until the options are known, messages go to stderr at level message.
pub fn init() {
    // SAFETY: `handle` has the type GLib calls and no user data.
    unsafe { glib_sys::g_log_set_default_handler(Some(handle), std::ptr::null_mut()) };
}

/// Sets the level by name; false when there is no such level.
pub fn set_level(name: &str) -> bool {
    let level = LEVELS.iter().find(|(known, ..)| *known == name);
    if let Some((_, level, _)) = level {
        log().level = *level;
    }
    level.is_some()
}

/// Where plugins find the level, and may change it, while the host has an object for that.
static SHARED: AtomicPtr<c_uint> = AtomicPtr::new(std::ptr::null_mut());

/// Publishes the level in `head`, which holds until [`keep`].
///
/// # Safety
/// `head` is valid until then, and changed by whole writes only.
pub unsafe fn share(head: *mut chassis_log_head) {
    // SAFETY: the caller's promise.
    let level = unsafe { &raw mut (*head).min_lvl };
    // SAFETY: as above; nobody knows it yet.
    unsafe { *level = log().level };
    SHARED.store(level, Ordering::Release);
}

/// The level is nobody else's any more.
pub fn keep() {
    let mut log = log();
    log.level = shared_level().unwrap_or(log.level);
    SHARED.store(std::ptr::null_mut(), Ordering::Release);
}

fn shared_level() -> Option<GLogLevelFlags> {
    let level = SHARED.load(Ordering::Acquire);
    // SAFETY: what `share` was promised; `keep` comes before the object is freed, and waits for the log.
    (!level.is_null()).then(|| unsafe { AtomicU32::from_ptr(level) }.load(Ordering::Relaxed))
}

/// Logs to a file from now on.
pub fn open_file(path: &Path) -> io::Result<()> {
    let file = open(path)?;
    log().sink = Sink::File(file, path.to_owned());
    Ok(())
}

/// Logs to syslog from now on.
pub fn use_syslog() {
    log().sink = Sink::Syslog;
}

/// Reopens the file before the next message (SIGHUP).
pub fn reopen() {
    log().reopen = true;
}

export! {
    /// Reopens the file now; TRUE if there is one and it could be opened. `error` is not used. Its presence tells
    /// plugins that this is 0.8.4 or later.
    fn chassis_log_rotate(_log: *mut c_void, _error: *mut *mut c_void) -> gboolean {
        log().reopen_file().into()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o660).open(path)
}

/// Logs `text`.
fn write(level: GLogLevelFlags, text: &str) {
    let text = glib::c_string(text.as_bytes());
    // SAFETY: a fixed format with its one C string argument.
    unsafe { glib_sys::g_log(std::ptr::null(), level, c"%s".as_ptr(), text.as_ptr()) };
}

/// Logs what the operator has to know.
pub fn critical(text: &str) {
    write(G_LOG_LEVEL_CRITICAL, text);
}

/// Logs what happens.
pub fn message(text: &str) {
    write(G_LOG_LEVEL_MESSAGE, text);
}

/// Logs details.
pub fn debug(text: &str) {
    write(G_LOG_LEVEL_DEBUG, text);
}

/// Reports what must not happen, on stderr in any case, and aborts.
pub fn fatal(text: &str) -> ! {
    if !matches!(log().sink, Sink::Stderr) {
        critical(text);
    }
    eprintln!("{text}");
    #[expect(
        clippy::disallowed_methods,
        reason = "this host fails loudly where the original aborts, hangs or crashes"
    )]
    std::process::abort()
}

/// GLib's log handler.
unsafe extern "C" fn handle(
    _domain: *const c_char,
    level: GLogLevelFlags,
    text: *const c_char,
    _data: gpointer,
) {
    // SAFETY: GLib passes a C string that lives during the call, or NULL.
    let text = unsafe { glib::c_bytes(text) }.unwrap_or_default();
    let mut log = log();
    log.level = shared_level().unwrap_or(log.level);
    log.put(level, text);
}

impl Log {
    fn put(&mut self, level: GLogLevelFlags, text: &[u8]) {
        let reopened = std::mem::take(&mut self.reopen) && self.reopen_file();
        if level > self.level {
            return;
        }
        let (name, _, priority) =
            LEVELS.iter().find(|(_, known, _)| *known == level).unwrap_or(&LEVELS[0]);
        let mut repeats = 0;
        if let Some(last) = &mut self.last {
            let quiet = last.repeats <= MAX_REPEATS && last.at.elapsed() <= MAX_SILENCE;
            if !reopened && quiet && !text.is_empty() && last.text == text {
                last.repeats += 1;
                return;
            }
            repeats = last.repeats;
        }
        if repeats > 0 {
            let text = format!("last message repeated {repeats} times");
            self.line(name, *priority, text.as_bytes());
        }
        self.last = Some(Last { text: text.to_owned(), at: Instant::now(), repeats: 0 });
        self.line(name, *priority, text);
    }

    /// Opens the file anew under its name. Keeps the old one when that fails.
    fn reopen_file(&mut self) -> bool {
        if let Sink::File(file, path) = &mut self.sink {
            match open(path) {
                Ok(reopened) => *file = reopened,
                Err(_) => return false,
            }
            return true;
        }
        false
    }

    /// Writes one line in one system call. If that fails, the line goes to stderr; if that fails too, it is lost.
    fn line(&mut self, level: &str, priority: c_int, text: &[u8]) {
        let mut line = format!("{}: ({level}) ", timestamp()).into_bytes();
        line.extend_from_slice(text);
        if let Sink::Syslog = self.sink {
            let line = glib::c_string(&line);
            // SAFETY: a fixed format with its one C string argument.
            unsafe { libc::syslog(priority, c"%s".as_ptr(), line.as_ptr()) };
            return;
        }
        line.push(b'\n');
        let written = match &mut self.sink {
            Sink::File(file, _) => file.write_all(&line).is_ok(),
            Sink::Stderr | Sink::Syslog => false,
        };
        if !written {
            let _ = io::stderr().write_all(&line);
        }
    }
}

/// The local time as `YYYY-MM-DD HH:MM:SS`.
fn timestamp() -> String {
    // SAFETY: both functions only write to the locals they get; all-zero bytes are a valid `tm`.
    let now = unsafe {
        let seconds = libc::time(std::ptr::null_mut());
        let mut now: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const seconds, &raw mut now);
        now
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        now.tm_year + 1900,
        now.tm_mon + 1,
        now.tm_mday,
        now.tm_hour,
        now.tm_min,
        now.tm_sec
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_log(path: &Path) -> Log {
        let sink = Sink::File(open(path).expect("opens"), path.to_owned());
        Log { level: G_LOG_LEVEL_WARNING, sink, reopen: false, last: None }
    }

    fn texts(path: &Path) -> Vec<String> {
        let content = std::fs::read_to_string(path).expect("readable");
        content.lines().map(|line| line[19..].to_owned()).collect()
    }

    #[test]
    fn lines_carry_time_and_level_and_respect_the_level() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        let mut log = file_log(&path);
        log.put(G_LOG_LEVEL_WARNING, b"shown");
        log.put(G_LOG_LEVEL_MESSAGE, b"dropped");
        let content = std::fs::read_to_string(&path).expect("readable");
        let (stamp, rest) = content.split_at(19);
        assert_eq!(rest, ": (warning) shown\n");
        assert!(stamp.chars().all(|c| c.is_ascii_digit() || "- :".contains(c)), "{stamp}");
    }

    #[test]
    fn repetitions_are_counted_until_another_message_or_the_limit() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        let mut log = file_log(&path);
        for _ in 0..3 {
            log.put(G_LOG_LEVEL_CRITICAL, b"again");
        }
        log.put(G_LOG_LEVEL_CRITICAL, b"other");
        assert_eq!(
            texts(&path),
            [
                ": (critical) again",
                ": (critical) last message repeated 2 times",
                ": (critical) other"
            ]
        );
        for _ in 0..=MAX_REPEATS + 1 {
            log.put(G_LOG_LEVEL_CRITICAL, b"other");
        }
        assert_eq!(
            texts(&path)[3..],
            [": (critical) last message repeated 101 times", ": (critical) other",]
        );
    }

    #[test]
    fn a_reopened_log_starts_a_new_file_with_the_repeated_message() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        let mut log = file_log(&path);
        log.put(G_LOG_LEVEL_CRITICAL, b"same");
        std::fs::rename(&path, dir.path().join("log.1")).expect("renames");
        log.reopen = true;
        log.put(G_LOG_LEVEL_CRITICAL, b"same");
        assert_eq!(texts(&path), [": (critical) same"]);
        assert_eq!(texts(&dir.path().join("log.1")), [": (critical) same"]);
    }
}
