//! The options that the rules depend on.

use wire::Capabilities;

/// What happens to a query whose hook failed (`pyproxy-on-script-error`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnScriptError {
    /// The client gets an ERR.
    #[default]
    Reject,
    /// As if the hook had said nothing.
    Forward,
}

/// Which side uses TLS (`pyproxy-tls`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// A client is offered TLS if its server offers it; one that uses it has it on both sides, one that does not on neither.
    Mirror,
    /// Each side by itself.
    Hops {
        /// Towards clients.
        client: ClientTls,
        /// Towards servers.
        server: ServerTls,
    },
}

impl Default for Tls {
    /// Nowhere.
    fn default() -> Self {
        Self::Hops { client: ClientTls::Off, server: ServerTls::Off }
    }
}

/// TLS towards clients, whatever servers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientTls {
    /// It is not offered.
    Off,
    /// It is offered.
    Optional,
    /// It is offered, and a client that does without is refused, unless it comes over a unix socket.
    Required,
}

/// TLS towards servers, whatever clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerTls {
    /// It is not used.
    Off,
    /// It is used. A client whose server does not offer it is refused.
    Required,
}

/// Which side is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// None.
    #[default]
    Off,
    /// Both, if the server offers it and the client asks for it.
    Mirror,
    /// Towards clients that ask for it, whatever servers do.
    ClientOnly,
    /// Towards servers that offer zlib, whatever clients ask for.
    ServerOnly,
}

/// The options that matter while a connection is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What to do when a hook fails.
    pub on_script_error: OnScriptError,
    /// FALSE: `read_query` and `read_query_result` are not called (`pyproxy-skip-profiling`).
    pub profiling: bool,
    /// Which side uses TLS. For drivers that can: [`Effect::StartTls`](crate::Effect::StartTls).
    pub tls: Tls,
    /// Which side is compressed. For drivers that can: [`Effect::Compress`](crate::Effect::Compress).
    pub compression: Compression,
    /// The most connections that one user may have (`pyproxy-max-connections-per-user`); 0: any number.
    pub max_connections_per_user: usize,
    /// Servers are told who the client is, in a PROXY header (`pyproxy-backend-proxy-protocol`): a connection in the pool is for
    /// clients of the same address only.
    pub names_clients: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            on_script_error: OnScriptError::default(),
            profiling: true,
            tls: Tls::default(),
            compression: Compression::default(),
            max_connections_per_user: 0,
            names_clients: false,
        }
    }
}

impl Settings {
    /// What of a server's offer a client is offered.
    pub(crate) fn mirrored(&self) -> Capabilities {
        let mut mirrored = Capabilities::empty();
        mirrored.set(Capabilities::SSL, self.tls == Tls::Mirror);
        mirrored.set(Capabilities::COMPRESSION, self.compression == Compression::Mirror);
        mirrored
    }

    /// What a client is offered whatever its server offers.
    pub(crate) fn own_offer(&self) -> Capabilities {
        let mut own = Capabilities::empty();
        let tls = matches!(self.tls, Tls::Hops { client, .. } if client != ClientTls::Off);
        own.set(Capabilities::SSL, tls);
        own.set(Capabilities::COMPRESSION, self.compression == Compression::ClientOnly);
        own
    }
}
