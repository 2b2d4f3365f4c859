//! COM_CHANGE_USER: a new login on an open connection.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html>.
//! Unlike the login it carries no capabilities, so both directions need those of the login.

use super::{Attributes, check_nul_free};
use crate::{Capabilities, Command, Reader, WireError, Writer};

/// A COM_CHANGE_USER command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeUser {
    /// User name.
    pub username: Vec<u8>,
    /// Answer to the scramble of the handshake, or empty.
    pub auth_response: Vec<u8>,
    /// Database to use; empty for none.
    pub database: Vec<u8>,
    /// Collation id; absent in the shortest form of the packet.
    pub charset: Option<u16>,
    /// Authentication method; only with PLUGIN_AUTH.
    pub auth_plugin: Option<Vec<u8>>,
    /// Connection attributes without the length of the block; only with CONNECT_ATTRS.
    pub attributes: Option<Vec<u8>>,
}

impl ChangeUser {
    /// Longest auth data that is sent, in bytes: more cannot be told from a length-encoded integer.
    pub const MAX_AUTH_RESPONSE: usize = 249;

    /// Reads a payload, command byte included. `caps` are those of the client's login.
    pub fn parse(payload: &[u8], caps: Capabilities) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match Command(r.u8()?) {
            Command::CHANGE_USER => {}
            Command(found) => return Err(WireError::Marker { packet: "COM_CHANGE_USER", found }),
        }
        let username = r.nul()?.to_vec(); // string<NUL>
        let auth_response = if caps.contains(Capabilities::SECURE_CONNECTION) {
            let len = r.u8()?; // int<1>
            r.bytes(len.into())?.to_vec()
        } else {
            r.nul()?.to_vec() // string<NUL>
        };
        let database = r.nul_or_rest().to_vec(); // string<NUL>
        // Everything below is left out by short forms of the packet.
        let charset = if r.is_empty() { None } else { Some(r.u16()?) }; // int<2>
        let auth_plugin = (caps.contains(Capabilities::PLUGIN_AUTH) && !r.is_empty())
            .then(|| r.nul_or_rest().to_vec()); // string<NUL>
        let attributes = if caps.contains(Capabilities::CONNECT_ATTRS) && !r.is_empty() {
            Some(r.lenenc_bytes()?.to_vec()) // string<lenenc>
        } else {
            None
        };
        Ok(Self { username, auth_response, database, charset, auth_plugin, attributes })
    }

    /// The payload for a connection with these capabilities. What they do not allow is left out,
    /// and attributes need a method in front of them when PLUGIN_AUTH is set: it is then sent
    /// empty.
    ///
    /// Refuses auth data longer than [`MAX_AUTH_RESPONSE`](Self::MAX_AUTH_RESPONSE) and strings
    /// with a NUL.
    pub fn encode(&self, caps: Capabilities) -> Result<Vec<u8>, WireError> {
        check_nul_free("user name", &self.username)?;
        check_nul_free("database", &self.database)?;
        let len = self.auth_response.len();
        if len > Self::MAX_AUTH_RESPONSE {
            let max = Self::MAX_AUTH_RESPONSE;
            return Err(WireError::TooLong { field: "auth data", len, max });
        }
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.u8(Command::CHANGE_USER.0);
        w.nul(&self.username);
        if caps.contains(Capabilities::SECURE_CONNECTION) {
            // Up to 250 bytes a length-encoded length is a single length byte.
            w.lenenc_bytes(&self.auth_response);
        } else {
            check_nul_free("auth data", &self.auth_response)?;
            w.nul(&self.auth_response);
        }
        w.nul(&self.database);
        let plugin =
            self.auth_plugin.as_deref().filter(|_| caps.contains(Capabilities::PLUGIN_AUTH));
        let attributes =
            self.attributes.as_deref().filter(|_| caps.contains(Capabilities::CONNECT_ATTRS));
        let tail = plugin.is_some() || attributes.is_some();
        if let Some(charset) = self.charset.or(tail.then_some(0)) {
            w.u16(charset);
        }
        if caps.contains(Capabilities::PLUGIN_AUTH) && tail {
            let plugin = plugin.unwrap_or_default();
            check_nul_free("method name", plugin)?;
            w.nul(plugin);
        }
        if let Some(attributes) = attributes {
            w.lenenc_bytes(attributes);
        }
        Ok(out)
    }

    /// The connection attributes; none if the command has none.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::new(self.attributes.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Capabilities {
        Capabilities::SECURE_CONNECTION | Capabilities::PLUGIN_AUTH | Capabilities::CONNECT_ATTRS
    }

    const GOLDEN: &[u8] =
        b"\x11bob\0\x14AAAAAAAAAAAAAAAAAAAAtest\0\x21\0mysql_native_password\0\x08\x04_pid\x0242";

    #[test]
    fn golden_both_ways() {
        let change = ChangeUser::parse(GOLDEN, full()).unwrap();
        assert_eq!(change.username, b"bob");
        assert_eq!(change.auth_response, [b'A'; 20]);
        assert_eq!(change.database, b"test");
        assert_eq!(change.charset, Some(33));
        assert_eq!(change.auth_plugin.as_deref(), Some(&b"mysql_native_password"[..]));
        assert_eq!(change.attributes().next(), Some(Ok((&b"_pid"[..], &b"42"[..]))));
        assert_eq!(change.encode(full()).unwrap(), GOLDEN);
    }

    #[test]
    fn short_and_old_forms() {
        let caps = Capabilities::SECURE_CONNECTION;
        let change = ChangeUser::parse(b"\x11u\0\0\0", caps).unwrap();
        assert_eq!((change.charset, change.auth_plugin.as_ref()), (None, None));
        assert_eq!(change.encode(caps).unwrap(), b"\x11u\0\0\0");
        let old = ChangeUser::parse(b"\x11u\0scramble\0db\0", Capabilities::empty()).unwrap();
        assert_eq!(old.auth_response, b"scramble");
        assert_eq!(old.encode(Capabilities::empty()).unwrap(), b"\x11u\0scramble\0db\0");
    }

    #[test]
    fn long_auth_data_is_refused() {
        let mut change = ChangeUser::parse(GOLDEN, full()).unwrap();
        change.auth_response = vec![1; 249];
        assert!(change.encode(full()).is_ok());
        change.auth_response.push(1);
        let error = WireError::TooLong { field: "auth data", len: 250, max: 249 };
        assert_eq!(change.encode(full()), Err(error));
    }

    #[test]
    fn truncated_or_other_packets_are_refused() {
        for end in 0..10 {
            assert!(ChangeUser::parse(&GOLDEN[..end], full()).is_err(), "cut at {end}");
        }
        assert!(matches!(ChangeUser::parse(b"\x0e", full()), Err(WireError::Marker { .. })));
    }
}
