//! The points at which a script is asked.

/// One of the seven hooks of a connection's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    const fn bit(self) -> u8 {
        match self {
            Self::ConnectServer => 1,
            Self::ReadHandshake => 2,
            Self::ReadAuth => 4,
            Self::ReadAuthResult => 8,
            Self::ReadQuery => 16,
            Self::ReadQueryResult => 32,
            Self::DisconnectClient => 64,
        }
    }
}

/// Which hooks a script has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookSet(u8);

impl HookSet {
    /// With `hook`.
    pub const fn with(self, hook: Hook) -> Self {
        Self(self.0 | hook.bit())
    }

    /// With hooks among them that may wait before they say their verdict.
    pub const fn with_waiting(self) -> Self {
        Self(self.0 | Self::WAITS)
    }

    /// Whether some may wait before they say their verdict.
    #[inline]
    pub const fn may_wait(self) -> bool {
        self.0 & Self::WAITS != 0
    }

    const WAITS: u8 = 128;

    /// Whether `hook` is one of them.
    #[inline]
    pub const fn has(self, hook: Hook) -> bool {
        self.0 & hook.bit() != 0
    }
}

impl FromIterator<Hook> for HookSet {
    fn from_iter<I: IntoIterator<Item = Hook>>(hooks: I) -> Self {
        hooks.into_iter().fold(Self::default(), Self::with)
    }
}
