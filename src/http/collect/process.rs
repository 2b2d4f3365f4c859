//! The process: which version runs, and since when.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Exposition, Kind};

use crate::boundary::PANICS;

/// When this was asked first, which is at the start: in nanoseconds since 1970.
pub fn started_at() -> u64 {
    static AT: OnceLock<u64> = OnceLock::new();
    *AT.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

pub fn collect(out: &mut Exposition) {
    out.family(Kind::Info, "pyproxy_build", "Version of the plugin, always 1.")
        .number(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.family(Kind::Gauge, "pyproxy_start_time_seconds", "When the plugin started, as Unix time.")
        .time(&[], started_at());
    out.family(Kind::Counter, "pyproxy_panics", "Internal errors that were caught.")
        .number(&[], PANICS.load(Ordering::Relaxed));
}
