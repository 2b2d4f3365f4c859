//! The points at which a script is asked.

/// One of the seven hooks of a connection's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Hook {
    /// A client connected; no backend is chosen yet.
    ConnectServer,
    /// The server's handshake arrived.
    ReadHandshake,
    /// The client's login packet arrived.
    ReadAuth,
    /// The server answered the login.
    ReadAuthResult,
    /// A command arrived.
    ReadQuery,
    /// A queued query's result is complete.
    ReadQueryResult,
    /// The client is gone.
    DisconnectClient,
}

impl Hook {
    /// All hooks, in the order of a connection's life.
    pub const ALL: [Self; 7] = [
        Self::ConnectServer,
        Self::ReadHandshake,
        Self::ReadAuth,
        Self::ReadAuthResult,
        Self::ReadQuery,
        Self::ReadQueryResult,
        Self::DisconnectClient,
    ];

    /// The name of the function in a script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConnectServer => "connect_server",
            Self::ReadHandshake => "read_handshake",
            Self::ReadAuth => "read_auth",
            Self::ReadAuthResult => "read_auth_result",
            Self::ReadQuery => "read_query",
            Self::ReadQueryResult => "read_query_result",
            Self::DisconnectClient => "disconnect_client",
        }
    }

    /// Position in [`Hook::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}
