//! The client's side of a connection.

use std::sync::Arc;

use wire::connect::{Handshake, Login};

use crate::{Address, Algorithm, TlsInfo};

/// What is known of the client. What is not known yet is `None` or empty.
#[derive(Debug, Default)]
pub struct Client {
    /// The peer.
    pub src: Address,
    /// The local end.
    pub dst: Address,
    /// The handshake that was sent to the client.
    pub handshake: Option<Arc<Handshake>>,
    /// The client's login, as it arrived with masked capabilities; follows COM_CHANGE_USER.
    pub login: Option<Arc<Login>>,
    /// The user that servers know this client as: another one than in `login` if a script replaced the login.
    pub server_user: Option<Vec<u8>>,
    /// The database the client believes to be in.
    pub default_db: Vec<u8>,
    /// What its TLS handshake agreed on; `None` without TLS.
    pub tls: Option<Arc<TlsInfo>>,
    /// How its packets are compressed from the end of its login on.
    pub compression: Option<Algorithm>,
    /// The challenge of the last switch request that it got; before the first one that of its handshake counts.
    pub challenge: Option<Vec<u8>>,
}

impl Client {
    /// The user name, once the client has told it.
    pub fn username(&self) -> Option<&[u8]> {
        self.login.as_ref().map(|login| login.username.as_slice())
    }

    /// What the client and the proxy agreed on; nothing before the login.
    pub fn capabilities(&self) -> wire::Capabilities {
        self.login.as_ref().map(|login| login.capabilities).unwrap_or_default()
    }
}
