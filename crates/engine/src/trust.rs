//! With which files servers are verified: they may be replaced while the proxy runs.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counts the versions of the files that TLS with servers begins with: their CAs, and the certificate and key that they are
/// shown. How servers are verified is an option, and the same for all; with what is in these files.
#[derive(Debug, Default)]
pub struct Trust(AtomicU32);

impl Trust {
    /// The version in use.
    pub fn version(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// `version` is in use from now on, or a later one.
    pub fn renew(&self, version: u32) {
        self.0.fetch_max(version, Ordering::AcqRel);
    }
}
