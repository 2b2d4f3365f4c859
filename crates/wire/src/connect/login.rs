//! The client's login (HandshakeResponse41) and what may come in its place.
//!
//! Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html>,
//! <https://mariadb.com/docs/server/reference/clientserver-protocol/1-connecting/connection#handshake-response-packet>.
//! How auth data is sent follows from the *client's* bits, whatever the server offered.

use super::{Attributes, check_nul_free, clear, set};
use crate::{Capabilities, Reader, WireError, Writer};

/// Length of an SSL request, and of the fixed part of a login.
const FIXED: usize = 32;
/// Filler bytes in the fixed part; four more hold MariaDB's extended capabilities.
const FILLER: usize = 19;

/// A 4.1 login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What the client wants, MariaDB's extended set included.
    pub capabilities: Capabilities,
    /// Longest packet the client will send, in bytes.
    pub max_packet_size: u32,
    /// Low byte of the connection's collation id.
    pub charset: u8,
    /// User name as the server takes it: without the pair of single quotes that it may be sent in.
    pub username: Vec<u8>,
    /// Answer to the scramble, or empty.
    pub auth_response: Vec<u8>,
    /// Database to use; only with CONNECT_WITH_DB.
    pub database: Option<Vec<u8>>,
    /// Authentication method; only with PLUGIN_AUTH.
    pub auth_plugin: Option<Vec<u8>>,
    /// Connection attributes without the length of the block; only with CONNECT_ATTRS.
    pub attributes: Option<Vec<u8>>,
    /// Compression level; only with ZSTD_COMPRESSION.
    pub zstd_level: Option<u8>,
}

/// The packets that may answer a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginKind {
    /// The client asks for TLS: exactly 32 bytes with the SSL bit set; the login follows encrypted.
    Ssl,
    /// A client older than 4.1.
    Pre41,
    /// A login.
    V41(Login),
}

impl LoginKind {
    /// Tells the kind and reads the login if it is one.
    pub fn classify(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        let low = Capabilities::from_words(r.u16()?.into(), 0);
        if !low.contains(Capabilities::PROTOCOL_41) {
            return Ok(Self::Pre41);
        }
        if payload.len() == FIXED && low.contains(Capabilities::SSL) {
            return Ok(Self::Ssl);
        }
        Login::parse(payload).map(Self::V41)
    }
}

impl Login {
    /// Reads a payload. A packet that ends before a field its bits announce has `None` there.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        let classic = r.u32()?; // int<4>
        if !Capabilities::from_words(classic, 0).contains(Capabilities::PROTOCOL_41) {
            return Err(WireError::Pre41);
        }
        let max_packet_size = r.u32()?; // int<4>
        let charset = r.u8()?; // int<1>
        r.bytes(FILLER)?; // string[19]
        let extended = r.u32()?; // int<4>, filler unless MariaDB
        let capabilities = Capabilities::from_words(classic, extended);
        let announced = |bit, r: &Reader<'_>| capabilities.contains(bit) && !r.is_empty();

        let username = unquoted(r.nul()?).to_vec(); // string<NUL>
        let auth_response = if capabilities.contains(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            r.lenenc_bytes()?.to_vec() // string<lenenc>
        } else if capabilities.contains(Capabilities::SECURE_CONNECTION) {
            let len = r.u8()?; // int<1>
            r.bytes(len.into())?.to_vec()
        } else {
            r.nul_or_rest().to_vec() // string<NUL>
        };
        let database =
            announced(Capabilities::CONNECT_WITH_DB, &r).then(|| r.nul_or_rest().to_vec());
        let auth_plugin =
            announced(Capabilities::PLUGIN_AUTH, &r).then(|| r.nul_or_rest().to_vec());
        let attributes = if announced(Capabilities::CONNECT_ATTRS, &r) {
            Some(r.lenenc_bytes()?.to_vec()) // string<lenenc>
        } else {
            None
        };
        let zstd_level = if announced(Capabilities::ZSTD_COMPRESSION, &r) {
            Some(r.u8()?) // int<1>
        } else {
            None
        };
        Ok(Self {
            capabilities,
            max_packet_size,
            charset,
            username,
            auth_response,
            database,
            auth_plugin,
            attributes,
            zstd_level,
        })
    }

    /// The payload. The bits of optional fields are set or cleared to agree with the fields, and
    /// PROTOCOL_41 is always set; the form of the auth data is that of `capabilities`.
    ///
    /// Refuses strings with a NUL inside and auth data that is too long for its form.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let mut caps = self.capabilities | Capabilities::PROTOCOL_41;
        caps.set(Capabilities::CONNECT_WITH_DB, self.database.is_some());
        caps.set(Capabilities::PLUGIN_AUTH, self.auth_plugin.is_some());
        caps.set(Capabilities::CONNECT_ATTRS, self.attributes.is_some());
        caps.set(Capabilities::ZSTD_COMPRESSION, self.zstd_level.is_some());
        let (classic, extended) = caps.to_words();

        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.bytes(&classic);
        w.u32(self.max_packet_size);
        w.u8(self.charset);
        w.zeros(FILLER);
        w.bytes(&extended);
        check_nul_free("user name", &self.username)?;
        write_username(&mut w, &self.username);
        write_auth_response(&mut w, caps, &self.auth_response)?;
        if let Some(database) = &self.database {
            check_nul_free("database", database)?;
            w.nul(database);
        }
        if let Some(plugin) = &self.auth_plugin {
            check_nul_free("method name", plugin)?;
            w.nul(plugin);
        }
        if let Some(attributes) = &self.attributes {
            w.lenenc_bytes(attributes);
        }
        if let Some(level) = self.zstd_level {
            w.u8(level);
        }
        Ok(out)
    }

    /// The connection attributes; none if the login has none.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::new(self.attributes.as_deref().unwrap_or_default())
    }

    /// Clears `unsupported` bits in a raw payload. When ZSTD_COMPRESSION goes, its level byte at
    /// the end goes too, so the payload may get one byte shorter; every other byte stays as it is.
    ///
    /// MariaDB's extended bits are cleared only where they are capabilities, that is when
    /// LONG_PASSWORD is clear. Refuses bits that decide the layout otherwise, and payloads that
    /// [`parse`](Self::parse) refuses.
    pub fn mask(payload: &mut Vec<u8>, unsupported: Capabilities) -> Result<(), WireError> {
        let layout = unsupported
            & (Capabilities::LONG_PASSWORD
                | Capabilities::PROTOCOL_41
                | Capabilities::CONNECT_WITH_DB
                | Capabilities::SECURE_CONNECTION
                | Capabilities::PLUGIN_AUTH
                | Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA
                | Capabilities::CONNECT_ATTRS);
        if layout != Capabilities::empty() {
            return Err(WireError::LayoutBits(layout.bits()));
        }
        let login = Self::parse(payload)?;
        if login.zstd_level.is_some() && unsupported.contains(Capabilities::ZSTD_COMPRESSION) {
            payload.pop();
        }
        let (classic, extended) = unsupported.to_words();
        clear(payload, 0, classic);
        if !login.capabilities.contains(Capabilities::LONG_PASSWORD) {
            clear(payload, FIXED - extended.len(), extended);
        }
        Ok(())
    }

    /// Makes a raw payload ask for the same as `client` of what decides about the form of packets
    /// ([`MUTUAL`](Capabilities::MUTUAL)), so that the server and a client that logged in with another packet understand
    /// each other. Refuses payloads that [`parse`](Self::parse) refuses.
    pub fn copy_form(payload: &mut [u8], client: Capabilities) -> Result<(), WireError> {
        let has_filler = Self::parse(payload)?.capabilities.contains(Capabilities::LONG_PASSWORD);
        const FORM: Capabilities = Capabilities::MUTUAL.difference(Capabilities::MARIADB_EXTENDED);
        clear(payload, 0, FORM.to_words().0);
        for (byte, bits) in payload.iter_mut().zip(client.intersection(FORM).to_words().0) {
            *byte |= bits;
        }
        let wanted = client.mariadb_extended();
        if wanted == Capabilities::empty() && has_filler {
            return Ok(());
        }
        clear(payload, 0, Capabilities::LONG_PASSWORD.to_words().0);
        let (_, extended) = wanted.to_words();
        if let Some(place) = payload.get_mut(FIXED - extended.len()..FIXED) {
            place.copy_from_slice(&extended);
        }
        Ok(())
    }

    /// Asks for TLS, for zlib compression, or for [`TRACKED`](Capabilities::TRACKED) in a raw payload. Other bits of `wanted` do not
    /// count.
    pub fn ask(payload: &mut [u8], wanted: Capabilities) {
        let place = Capabilities::SSL.union(Capabilities::COMPRESS).union(Capabilities::TRACKED);
        set(payload, 0, wanted.intersection(place).to_words().0);
    }

    /// The request for TLS that belongs in front of this login: its fixed part, with the SSL bit. `None` for a payload that is
    /// no login.
    pub fn tls_request(payload: &[u8]) -> Option<Vec<u8>> {
        let mut request = payload.get(..FIXED)?.to_vec();
        Self::ask(&mut request, Capabilities::SSL);
        Some(request)
    }

    /// Gives a login that came through TLS the capabilities that the request for TLS asked for: servers take them from the
    /// request, and read the login accordingly. What is filler in the request stays as it is.
    pub fn obey_request(payload: &mut [u8], request: &[u8]) {
        let extended = FIXED - size_of::<u32>()..FIXED;
        let mut copy = |range: std::ops::Range<usize>| {
            if let (Some(to), Some(from)) = (payload.get_mut(range.clone()), request.get(range)) {
                to.copy_from_slice(from);
            }
        };
        copy(0..size_of::<u32>());
        let has_filler = Capabilities::LONG_PASSWORD.to_words().0;
        let is_filler = request.iter().zip(has_filler).any(|(byte, bit)| byte & bit != 0);
        if !is_filler {
            copy(extended);
        }
    }
}

/// A user name of a login as the server takes it. It strips exactly one pair of single quotes; other quotes are part of
/// the name. COM_CHANGE_USER has no such rule. Seen in MariaDB 10.11 and 11.8 and in MySQL 9.7.
fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"'").and_then(|name| name.strip_suffix(b"'")).unwrap_or(name)
}

/// Writes a user name so that the server takes it as it is.
fn write_username(w: &mut Writer<'_>, name: &[u8]) {
    if unquoted(name).len() == name.len() {
        w.nul(name);
    } else {
        w.bytes(b"'");
        w.bytes(name);
        w.nul(b"'");
    }
}

/// Auth data in the form that `caps` ask for.
fn write_auth_response(
    w: &mut Writer<'_>,
    caps: Capabilities,
    data: &[u8],
) -> Result<(), WireError> {
    const FIELD: &str = "auth data";
    if caps.contains(Capabilities::PLUGIN_AUTH_LENENC_CLIENT_DATA) {
        w.lenenc_bytes(data);
    } else if caps.contains(Capabilities::SECURE_CONNECTION) {
        let max = usize::from(u8::MAX);
        let len = u8::try_from(data.len()).map_err(|_| WireError::TooLong {
            field: FIELD,
            len: data.len(),
            max,
        })?;
        w.u8(len);
        w.bytes(data);
    } else {
        check_nul_free(FIELD, data)?;
        w.nul(data);
    }
    Ok(())
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
