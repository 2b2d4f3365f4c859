//! How packets travel between the proxy and one peer, as the peer knows it.

use engine::{Algorithm, ClientTls, Compression, ServerTls, Settings, Tls};
use wire::Capabilities;
use wire::connect::Login;

/// Where TLS stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// None.
    #[default]
    Plain,
    /// It was asked for.
    Asked,
    /// The handshake goes on.
    Handshake,
    /// Everything is encrypted.
    Up,
}

#[derive(Debug, Default)]
pub struct Hop {
    pub stage: Stage,
    /// The packet that asked for TLS.
    pub request: Vec<u8>,
    /// What both ends agreed on in the login.
    agreed: Option<Algorithm>,
    in_force: Option<Algorithm>,
    /// The proxy said that the next packet begins an exchange.
    is_fresh: bool,
}

impl Hop {
    pub fn ask(&mut self, request: &[u8]) {
        self.request = request.to_vec();
        self.stage = Stage::Asked;
    }

    pub fn start(&mut self) {
        assert_eq!(self.stage, Stage::Asked, "a handshake that nobody asked for");
        self.stage = Stage::Handshake;
    }

    pub fn secure(&mut self) {
        assert_eq!(self.stage, Stage::Handshake);
        self.stage = Stage::Up;
    }

    pub fn is_secured(&self) -> bool {
        self.stage == Stage::Up
    }

    /// A login of these capabilities, as far as the other end knows them.
    pub fn agree(&mut self, capabilities: Capabilities, level: Option<u8>) {
        self.agreed = if capabilities.contains(Capabilities::COMPRESS) {
            Some(Algorithm::Zlib)
        } else {
            let is_zstd = capabilities.contains(Capabilities::ZSTD_COMPRESSION);
            // The usual level stands for one that a login was cut before.
            is_zstd.then(|| Algorithm::Zstd { level: level.unwrap_or(3).clamp(1, 22) })
        };
    }

    pub fn agrees_on_compression(&self) -> bool {
        self.agreed.is_some()
    }

    /// The proxy compresses from now on.
    pub fn compress(&mut self, algorithm: Algorithm) {
        assert_eq!(self.in_force, None, "compression begins twice");
        assert_eq!(Some(algorithm), self.agreed, "nobody agreed on that");
        self.in_force = Some(algorithm);
    }

    pub fn is_compressed(&self) -> bool {
        self.in_force.is_some()
    }

    pub fn begin(&mut self) {
        assert!(self.is_compressed(), "nobody numbers frames here");
        self.is_fresh = true;
    }

    /// A packet for a peer that is logged in.
    pub fn check_logged_in(&mut self, begins: bool) {
        assert_eq!(self.in_force, self.agreed, "one end compresses, the other does not");
        let is_fresh = std::mem::take(&mut self.is_fresh);
        assert_eq!(is_fresh, begins && self.is_compressed(), "frames have wrong numbers");
    }
}

/// What clients get of these settings, if they ask for everything that they are offered.
pub fn usable_compression(settings: &Settings, by_script: bool) -> Capabilities {
    match settings.compression {
        Compression::Mirror if by_script => Capabilities::empty(),
        Compression::Mirror | Compression::ClientOnly => Capabilities::COMPRESSION,
        Compression::Off | Compression::ServerOnly => Capabilities::empty(),
    }
}

/// Whether a client may ask for TLS that was offered.
pub fn may_use_tls(settings: &Settings, by_script: bool) -> bool {
    match settings.tls {
        Tls::Mirror => !by_script,
        Tls::Hops { client, .. } => client != ClientTls::Off,
    }
}

/// What reaches a server goes through TLS where that is agreed on, and only there.
pub fn check_server(settings: &Settings, client: &Hop, server: &Hop, payload: &[u8]) {
    let wants = match settings.tls {
        Tls::Mirror => client.is_secured(),
        Tls::Hops { server, .. } => server == ServerTls::Required,
    };
    let is_request = server.stage == Stage::Plain
        && Login::tls_request(payload).is_some_and(|request| request == payload);
    assert!(
        server.is_secured() == wants || wants && is_request,
        "TLS is wanted: {wants}, {server:?} gets {payload:02x?}"
    );
}

/// A client that has to use TLS gets no further without.
pub fn check_client(settings: &Settings, client: &Hop) {
    if matches!(settings.tls, Tls::Hops { client: ClientTls::Required, .. }) {
        assert!(client.is_secured(), "a client without TLS is served");
    }
}
