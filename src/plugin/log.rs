//! The `log` facade on the host's log: `g_log` is the only way there (`docs/internals/life.md#the-log`).

use std::ffi::CString;

use glib_sys::{
    G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_DEBUG, G_LOG_LEVEL_INFO, G_LOG_LEVEL_MESSAGE,
    G_LOG_LEVEL_WARNING,
};
use log::{Level, LevelFilter, Log, Metadata, Record};

use script::escape;
use script::log_target::SCRIPT;

struct HostLog;

impl Log for HostLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Never G_LOG_LEVEL_ERROR: GLib aborts the process on it.
        let level = match record.level() {
            Level::Error => G_LOG_LEVEL_CRITICAL,
            Level::Warn => G_LOG_LEVEL_WARNING,
            Level::Info if record.target() == SCRIPT => G_LOG_LEVEL_INFO,
            // Whoever runs the proxy wants to know; level info of the host is for those who write scripts.
            Level::Info => G_LOG_LEVEL_MESSAGE,
            Level::Debug | Level::Trace => G_LOG_LEVEL_DEBUG,
        };
        let text = c_text(&format!("pyproxy: {}", record.args()));
        // SAFETY: a fixed format with one string argument; GLib copies it. g_log may be called from any thread.
        unsafe {
            glib_sys::g_log(std::ptr::null(), level, c"%s".as_ptr(), text.as_ptr());
        }
    }

    fn flush(&self) {}
}

/// Log text is data: what was escaped has no NUL, which C would take for its end.
fn c_text(text: &str) -> CString {
    CString::new(escape::lines(text)).expect("every NUL was escaped")
}

/// Sends everything logged through the `log` crate to the host. Idempotent.
pub fn install() {
    if log::set_logger(&HostLog).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_does_not_cut_a_message() {
        assert_eq!(c_text("select '\0', %s").as_bytes(), b"select '\\x00', %s");
    }
}
