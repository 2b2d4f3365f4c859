//! The handshake of a scripted server.

use crate::proto::bytes::put_cstr;
use crate::proto::caps;

/// The default scramble: 20 bytes, none of them NUL.
pub const SCRAMBLE: [u8; 20] = *b"0123456789abcdefghij";

/// A protocol 10 handshake, every field of which a test can set.
#[derive(Debug, Clone)]
pub struct Greeting {
    version: String,
    capabilities: u32,
    method: String,
    scramble: [u8; 20],
    auth_length: Option<u8>,
    filler: [u8; 10],
}

impl Default for Greeting {
    fn default() -> Self {
        Self {
            version: "5.5.5-10.11.2-MariaDB".into(),
            capabilities: caps::SERVER_DEFAULT,
            method: "mysql_native_password".into(),
            scramble: SCRAMBLE,
            auth_length: None,
            filler: [0; 10],
        }
    }
}

impl Greeting {
    /// Sets the version text.
    pub fn version(mut self, text: &str) -> Self {
        self.version = text.into();
        self
    }

    /// Offers more capability bits.
    pub fn with(mut self, bits: u32) -> Self {
        self.capabilities |= bits;
        self
    }

    /// Offers fewer capability bits.
    pub fn without(mut self, bits: u32) -> Self {
        self.capabilities &= !bits;
        self
    }

    /// Names another authentication method.
    pub fn method(mut self, name: &str) -> Self {
        self.method = name.into();
        self
    }

    /// Sets the scramble; a NUL in it would end it early.
    pub fn scramble(mut self, bytes: [u8; 20]) -> Self {
        self.scramble = bytes;
        self
    }

    /// Claims another length of the authentication data than the 21 bytes it has.
    pub fn auth_length(mut self, length: u8) -> Self {
        self.auth_length = Some(length);
        self
    }

    /// Sets MariaDB's extended capabilities (the last four of the ten filler bytes).
    pub fn extended(mut self, bits: u32) -> Self {
        self.filler[6..].copy_from_slice(&bits.to_le_bytes());
        self
    }

    /// The payload.
    pub fn payload(&self) -> Vec<u8> {
        let capabilities = self.capabilities.to_le_bytes();
        let mut payload = vec![10];
        put_cstr(&mut payload, self.version.as_bytes());
        payload.extend_from_slice(&77_u32.to_le_bytes());
        put_cstr(&mut payload, &self.scramble[..8]);
        payload.extend_from_slice(&capabilities[..2]);
        payload.push(45);
        payload.extend_from_slice(&caps::STATUS_AUTOCOMMIT.to_le_bytes());
        payload.extend_from_slice(&capabilities[2..]);
        payload.push(self.auth_length.unwrap_or(21));
        payload.extend_from_slice(&self.filler);
        put_cstr(&mut payload, &self.scramble[8..]);
        put_cstr(&mut payload, self.method.as_bytes());
        payload
    }
}
