//! Which idle connections a client that is logged in may have.

use std::borrow::Cow;

use wire::Capabilities;

use crate::{Address, Server, SessionState};

/// A client, as far as that decides about it.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    user: Cow<'a, [u8]>,
    client: Cow<'a, Address>,
    capabilities: Capabilities,
    /// It may have one that is in a database, or that has a role: it has these, too, or does not care.
    takes_database: bool,
    takes_role: bool,
}

impl<'a> Claim<'a> {
    /// Of `user`, from this address, with these capabilities. What the session on the connection is like does not matter.
    pub fn new(user: &'a [u8], client: &'a Address, capabilities: Capabilities) -> Self {
        Self {
            user: Cow::Borrowed(user),
            client: Cow::Borrowed(client),
            capabilities,
            takes_database: true,
            takes_role: true,
        }
    }

    /// The connection can be made this client's own: none is taken out of a database, and no server says what the role of a login
    /// was.
    pub(crate) fn of_session(self, has_database: bool, state: &SessionState) -> Self {
        Self { takes_database: has_database, takes_role: state.role.is_some(), ..self }
    }

    /// The same, for longer than the client's session is at hand.
    pub(crate) fn into_owned(self) -> Claim<'static> {
        Claim {
            user: Cow::Owned(self.user.into_owned()),
            client: Cow::Owned(self.client.into_owned()),
            ..self
        }
    }

    /// Whether the client may have this connection. One with an open transaction is left to the client that began it.
    pub fn fits(&self, server: &Server) -> bool {
        server.username() == &*self.user
            && server.is_for(&self.client)
            && server.speaks(self.capabilities)
            && !server.in_transaction()
            && (self.takes_database || server.default_db.is_empty())
            && (self.takes_role || server.session.state.role.is_none())
    }
}
