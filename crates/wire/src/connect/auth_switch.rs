//! The request to authenticate with another method.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html>.
//! `fe` alone (the request for a scramble of the protocol before 4.1) is not this packet; see
//! [`AuthReply::OldPassword`](crate::connect::AuthReply::OldPassword).

use super::check_nul_free;
use crate::{Reader, WireError, Writer, marker};

/// Server to client: use this method instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthSwitch {
    /// Name of the method.
    pub plugin: Vec<u8>,
    /// Its first data, as on the wire: for the built-in methods a scramble of 20 bytes and a NUL.
    pub data: Vec<u8>,
}

impl AuthSwitch {
    /// Reads a payload. A name without its NUL is an error, as the host refuses it too.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match r.u8()? {
            marker::AUTH_SWITCH => {}
            found => return Err(WireError::Marker { packet: "an auth switch request", found }),
        }
        let plugin = r.nul()?.to_vec(); // string<NUL>
        let data = r.rest().to_vec(); // string<EOF>
        Ok(Self { plugin, data })
    }

    /// The payload. A method name with a NUL inside is refused.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        check_nul_free("method name", &self.plugin)?;
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.u8(marker::AUTH_SWITCH);
        w.nul(&self.plugin);
        w.bytes(&self.data);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = b"\xfemysql_native_password\0ABCDEFGHIJKLMNOPQRST\0";

    #[test]
    fn golden_both_ways() {
        let switch = AuthSwitch::parse(GOLDEN).unwrap();
        assert_eq!(switch.plugin, b"mysql_native_password");
        assert_eq!(switch.data, b"ABCDEFGHIJKLMNOPQRST\0");
        assert_eq!(switch.encode().unwrap(), GOLDEN);
    }

    #[test]
    fn refuses_what_is_no_switch() {
        assert_eq!(AuthSwitch::parse(b"\xfename"), Err(WireError::MissingNul));
        assert_eq!(AuthSwitch::parse(b"\xfe"), Err(WireError::MissingNul));
        assert!(AuthSwitch::parse(b"").is_err());
        assert!(matches!(AuthSwitch::parse(b"\x01\x03"), Err(WireError::Marker { .. })));
        let bad = AuthSwitch { plugin: b"a\0b".to_vec(), data: Vec::new() };
        assert_eq!(bad.encode(), Err(WireError::EmbeddedNul { field: "method name" }));
    }
}
