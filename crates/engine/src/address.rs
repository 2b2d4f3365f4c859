//! One end of a connection.

/// One end of a connection, as it is shown to scripts and in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Printable form: `ip:port`, `[ip6]:port` or a path.
    pub name: String,
    /// The numeric IP address or the path.
    pub address: Option<String>,
    /// The port; `None` for a unix socket.
    pub port: Option<u16>,
    /// The address family (`AF_INET`, `AF_INET6`, `AF_UNIX`).
    pub family: u16,
}

impl Address {
    /// Whether it is one end of a unix socket, which servers and clients take to be secure.
    pub fn is_unix(&self) -> bool {
        const AF_UNIX: u16 = 1;
        self.family == AF_UNIX
    }
}
