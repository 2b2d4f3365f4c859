//! The login packet (HandshakeResponse41) of a scripted client.

use super::handshake::Handshake;
use crate::proto::bytes::{put_cstr, put_lenenc_bytes};
use crate::proto::caps;
use crate::proto::scramble;

/// What a client puts into its login. Capability bits are sent exactly as set here, offered by the
/// server or not.
#[derive(Debug, Clone)]
pub struct Login {
    user: String,
    password: String,
    database: Option<String>,
    capabilities: u32,
    extended: u32,
    method: String,
    auth_data: Option<Vec<u8>>,
    attributes: Vec<(String, String)>,
    max_packet: u32,
    charset: u8,
}

impl Login {
    /// A login with `mysql_native_password` and the bits of a plain modern client.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            database: None,
            capabilities: caps::CLIENT_DEFAULT,
            extended: 0,
            method: "mysql_native_password".into(),
            auth_data: None,
            attributes: Vec::new(),
            max_packet: 1 << 30,
            charset: 45,
        }
    }

    /// Names a database.
    pub fn database(mut self, name: &str) -> Self {
        self.database = Some(name.into());
        self.capabilities |= caps::CONNECT_WITH_DB;
        self
    }

    /// Sets more capability bits.
    pub fn with(mut self, bits: u32) -> Self {
        self.capabilities |= bits;
        self
    }

    /// Clears capability bits.
    pub fn without(mut self, bits: u32) -> Self {
        self.capabilities &= !bits;
        self
    }

    /// Sets MariaDB's extended bits (last four of the 23 filler bytes).
    pub fn extended(mut self, bits: u32) -> Self {
        self.extended = bits;
        self
    }

    /// Claims another authentication method.
    pub fn method(mut self, name: &str) -> Self {
        self.method = name.into();
        self
    }

    /// Sets the number of the collation.
    pub fn charset(mut self, collation: u8) -> Self {
        self.charset = collation;
        self
    }

    /// Sends these bytes in place of the scrambled password.
    pub fn auth_data(mut self, bytes: &[u8]) -> Self {
        self.auth_data = Some(bytes.into());
        self
    }

    /// Adds a connection attribute.
    pub fn attribute(mut self, key: &str, value: &str) -> Self {
        self.attributes.push((key.into(), value.into()));
        self.capabilities |= caps::CONNECT_ATTRS;
        self
    }

    /// The password, for an authentication switch.
    pub fn password_text(&self) -> &str {
        &self.password
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The capability bits.
    pub fn capabilities(&self) -> u32 {
        self.capabilities
    }

    /// The payload that answers `handshake`.
    pub fn payload(&self, handshake: &Handshake) -> Vec<u8> {
        let mut payload = Vec::new();
        payload.extend_from_slice(&self.capabilities.to_le_bytes());
        payload.extend_from_slice(&self.max_packet.to_le_bytes());
        payload.push(self.charset);
        payload.extend_from_slice(&[0; 19]);
        payload.extend_from_slice(&self.extended.to_le_bytes());
        put_cstr(&mut payload, self.user.as_bytes());
        let native = || scramble::native(&self.password, &handshake.scramble);
        let data = self.auth_data.clone().unwrap_or_else(native);
        if self.capabilities & caps::PLUGIN_AUTH_LENENC != 0 {
            put_lenenc_bytes(&mut payload, &data);
        } else {
            payload.push(u8::try_from(data.len()).expect("one length byte"));
            payload.extend_from_slice(&data);
        }
        if let Some(name) = &self.database {
            put_cstr(&mut payload, name.as_bytes());
        }
        if self.capabilities & caps::PLUGIN_AUTH != 0 {
            put_cstr(&mut payload, self.method.as_bytes());
        }
        if self.capabilities & caps::CONNECT_ATTRS != 0 {
            let mut block = Vec::new();
            for (key, value) in &self.attributes {
                put_lenenc_bytes(&mut block, key.as_bytes());
                put_lenenc_bytes(&mut block, value.as_bytes());
            }
            put_lenenc_bytes(&mut payload, &block);
        }
        payload
    }
}
