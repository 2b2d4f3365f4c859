//! What `pyproxy.chassis` asks of the host.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::Shared;
use pyo3::prelude::*;

use crate::boundary::PANICS;
use crate::chassis::host;

/// mysql-proxy, with the counters of this plugin.
#[derive(Debug)]
struct Host(Arc<Shared>);

impl script::chassis::Host for Host {
    fn stats(&self) -> Vec<(String, u64)> {
        self.0.stats.report(PANICS.load(Ordering::Relaxed))
    }

    fn request_shutdown(&self, place: &str) {
        // A path has no NUL.
        host::request_shutdown(&CString::new(place).unwrap_or_default());
    }
}

/// The module.
pub fn module(py: Python<'_>, shared: Arc<Shared>) -> PyResult<Bound<'_, PyModule>> {
    script::chassis::module(py, Arc::new(Host(shared)))
}
