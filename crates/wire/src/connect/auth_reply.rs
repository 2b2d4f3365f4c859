//! What a server's packet means between login (or COM_CHANGE_USER) and the final OK or ERR.
//!
//! Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html>,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html>.

use crate::{WireError, marker};

/// Kind of a server packet during authentication, told from its bytes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthReply {
    /// `00`: logged in.
    Ok,
    /// `ff`: refused.
    Err,
    /// `01 03`: if the method in force is `caching_sha2_password`, the server speaks again at once
    /// (OK). Under another method it is [`MoreData`](Self::MoreData).
    FastSuccess,
    /// `01 04`: `caching_sha2_password` wants the full exchange; the client speaks next.
    FullAuthentication,
    /// `01` and other data, such as a public key; the client speaks next.
    MoreData,
    /// `fe`, method name, data: use another method; the client speaks next.
    Switch,
    /// `fe` alone: the client shall send the scramble of the protocol before 4.1.
    OldPassword,
    /// Any other byte, such as `02` for the next factor; the client speaks next.
    PluginData,
}

impl AuthReply {
    /// Tells the kind. An empty payload is an error.
    pub fn classify(payload: &[u8]) -> Result<Self, WireError> {
        Ok(match payload {
            [] => return Err(WireError::Truncated { needed: 1, left: 0 }),
            [marker::OK, ..] => Self::Ok,
            [marker::ERR, ..] => Self::Err,
            [marker::AUTH_MORE_DATA, 0x03] => Self::FastSuccess,
            [marker::AUTH_MORE_DATA, 0x04] => Self::FullAuthentication,
            [marker::AUTH_MORE_DATA, ..] => Self::MoreData,
            [marker::AUTH_SWITCH] => Self::OldPassword,
            [marker::AUTH_SWITCH, ..] => Self::Switch,
            _ => Self::PluginData,
        })
    }

    /// Whether authentication is over.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Ok | Self::Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_first_bytes() {
        let cases: [(&[u8], AuthReply); 10] = [
            (b"\x00\x00\x00\x02\x00\x00\x00", AuthReply::Ok),
            (b"\xff\x15\x04#28000no", AuthReply::Err),
            (b"\x01\x03", AuthReply::FastSuccess),
            (b"\x01\x04", AuthReply::FullAuthentication),
            (b"\x01", AuthReply::MoreData),
            (b"\x01\x03\x00", AuthReply::MoreData),
            (b"\x01-----BEGIN PUBLIC KEY-----", AuthReply::MoreData),
            (b"\xfemysql_native_password\0salt\0", AuthReply::Switch),
            (b"\xfe", AuthReply::OldPassword),
            (b"\x02mfa", AuthReply::PluginData),
        ];
        for (payload, kind) in cases {
            assert_eq!(AuthReply::classify(payload), Ok(kind), "{payload:x?}");
            assert_eq!(kind.is_final(), matches!(payload[0], 0x00 | 0xff));
        }
        assert!(AuthReply::classify(b"").is_err());
    }
}
