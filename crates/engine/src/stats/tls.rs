//! Handshakes of TLS, by version.

use super::Counter;
use crate::Side;

/// The versions that are told apart, as OpenSSL names them.
const VERSIONS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// Handshakes that were completed, with clients and with servers.
#[derive(Debug, Default)]
pub struct TlsHandshakes {
    clients: [Counter; VERSIONS.len()],
    servers: [Counter; VERSIONS.len()],
}

impl TlsHandshakes {
    /// Counts one with this side.
    pub fn count(&self, side: Side, version: &str) {
        let own = VERSIONS.into_iter().zip(self.of(side)).find(|(name, _)| *name == version);
        if let Some((_, counter)) = own {
            counter.increment();
        }
    }

    fn of(&self, side: Side) -> &[Counter] {
        match side {
            Side::Client => &self.clients,
            Side::Server => &self.servers,
        }
    }

    /// The versions, and how many there were with this side.
    pub fn all(&self, side: Side) -> impl Iterator<Item = (&'static str, u64)> {
        VERSIONS.into_iter().zip(self.of(side).iter().map(Counter::get))
    }
}
