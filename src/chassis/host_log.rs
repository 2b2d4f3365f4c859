//! The level of the host's log: what it drops. The host reads it for each message, so it can be changed at any time.

use std::sync::atomic::{AtomicU32, Ordering};

use chassis_sys as sys;
use glib_sys::{
    G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_DEBUG, G_LOG_LEVEL_ERROR, G_LOG_LEVEL_INFO,
    G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_WARNING, GLogLevelFlags,
};

/// The levels by their names in `log-level`, from the most to the least important.
const LEVELS: [(&str, GLogLevelFlags); 6] = [
    ("error", G_LOG_LEVEL_ERROR),
    ("critical", G_LOG_LEVEL_CRITICAL),
    ("warning", G_LOG_LEVEL_WARNING),
    ("message", G_LOG_LEVEL_MESSAGE),
    ("info", G_LOG_LEVEL_INFO),
    ("debug", G_LOG_LEVEL_DEBUG),
];

/// The level of the host's log.
#[derive(Debug, Clone, Copy)]
pub struct LogLevel(&'static AtomicU32);

impl LogLevel {
    /// That of this host; `None`: it has no log.
    ///
    /// # Safety
    /// `chas` is the host object, whose log lives as long as the plugin.
    pub unsafe fn of(chas: *const sys::chassis) -> Option<Self> {
        // SAFETY: the caller's promise; an aligned int, which the host reads and writes as a whole.
        unsafe {
            let head = (*chas).log.cast::<sys::chassis_log_head>();
            (!head.is_null()).then(|| Self(AtomicU32::from_ptr(&raw mut (*head).min_lvl)))
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let level = self.0.load(Ordering::Relaxed);
        LEVELS.iter().find(|(_, known)| *known == level).map_or("unknown", |(name, _)| name)
    }

    /// Sets it by its name; `false`: there is no such level.
    pub fn set(self, name: &str) -> bool {
        let found = LEVELS.iter().find(|(known, _)| *known == name);
        if let Some((_, level)) = found {
            self.0.store(*level, Ordering::Relaxed);
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_the_names_of_the_option() {
        let level = LogLevel(Box::leak(Box::new(AtomicU32::new(G_LOG_LEVEL_WARNING))));
        assert_eq!(level.name(), "warning");
        assert!(level.set("debug"));
        assert_eq!(level.0.load(Ordering::Relaxed), G_LOG_LEVEL_DEBUG);
        assert!(!level.set("DEBUG"));
        assert!(!level.set(""));
        assert_eq!(level.name(), "debug");
    }
}
