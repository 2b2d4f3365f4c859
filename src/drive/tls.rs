//! Certificates and keys: how TLS is begun with clients and with servers.

use std::sync::{OnceLock, PoisonError, RwLock};

use transport::password::PasswordKey;
use transport::{Stream, TlsClient, TlsError, TlsServer};

/// What the connections begin TLS with. Either side may be missing: nothing ever asks for it then.
#[derive(Debug, Default)]
pub struct Tls {
    server: RwLock<Option<TlsServer>>,
    client: RwLock<Option<TlsClient>>,
    password_key: OnceLock<Option<PasswordKey>>,
}

impl Tls {
    /// `server` is towards clients, `client` towards servers.
    pub fn new(server: Option<TlsServer>, client: Option<TlsClient>) -> Self {
        let (server, client) = (RwLock::new(server), RwLock::new(client));
        Self { server, client, password_key: OnceLock::new() }
    }

    /// Begins TLS with a client.
    pub fn start_server(&self, stream: &mut Stream) -> Result<(), TlsError> {
        let server = self.server.read().unwrap_or_else(PoisonError::into_inner).clone();
        stream.start_tls_server(&server.ok_or(TlsError::Options("there is no certificate"))?)
    }

    /// Begins TLS with the server of this address.
    pub fn start_client(&self, stream: &mut Stream, address: &str) -> Result<(), TlsError> {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let client = client.ok_or(TlsError::Options("TLS with servers is off"))?;
        stream.start_tls_client(&client, address, Some(host(address)))
    }

    /// The key that clients without TLS encrypt their password with, if their server has TLS. Made at the first use.
    pub fn password_key(&self) -> Option<&PasswordKey> {
        self.password_key.get_or_init(|| PasswordKey::generate().ok()).as_ref()
    }
}

/// The host of `host:port` or `[v6]:port`.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts() {
        for (address, expected) in [
            ("db:3306", "db"),
            ("[::1]:3306", "::1"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("/a/b", "/a/b"),
        ] {
            assert_eq!(host(address), expected);
        }
    }
}
