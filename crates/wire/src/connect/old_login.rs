//! The login of a client older than 4.1 (HandshakeResponse320).
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html>,
//! "HandshakeResponse320".

use super::check_nul_free;
use crate::{Capabilities, Reader, WireError, Writer};

/// Largest `max_packet_size`, which has three bytes.
const MAX_SIZE: u32 = 0xff_ffff;

/// A login of the protocol before 4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldLogin<'p> {
    /// What the client wants: 16 bits, PROTOCOL_41 not among them.
    pub capabilities: Capabilities,
    /// Longest packet the client will send, in bytes; below 16 MiB.
    pub max_packet_size: u32,
    /// User name.
    pub username: &'p [u8],
    /// Answer to the scramble, or empty.
    pub auth_response: &'p [u8],
    /// Database to use; only with CONNECT_WITH_DB.
    pub database: Option<&'p [u8]>,
}

impl<'p> OldLogin<'p> {
    /// Reads a payload. Refuses a login of 4.1.
    pub fn parse(payload: &'p [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        let bits = r.u16()?; // int<2>
        let capabilities = Capabilities::from_bits_retain(bits.into());
        if capabilities.contains(Capabilities::PROTOCOL_41) {
            let [found, _] = bits.to_le_bytes();
            return Err(WireError::Marker { packet: "a login before 4.1", found });
        }
        let max_packet_size = r.u24()?; // int<3>
        let username = r.nul()?; // string<NUL>
        let (auth_response, database) = if capabilities.contains(Capabilities::CONNECT_WITH_DB) {
            (r.nul_or_rest(), Some(r.nul_or_rest())) // string<NUL>, string<NUL>
        } else {
            (r.nul_or_rest(), None) // string<EOF>, by some clients with a NUL
        };
        Ok(Self { capabilities, max_packet_size, username, auth_response, database })
    }

    /// The payload. CONNECT_WITH_DB is set or cleared to agree with the field; bits that this form
    /// cannot tell are left out, a larger size is sent as the largest it can tell.
    ///
    /// Refuses strings with a NUL inside.
    pub fn encode(&self) -> Result<Vec<u8>, WireError> {
        let mut caps = self.capabilities.difference(Capabilities::PROTOCOL_41);
        caps.set(Capabilities::CONNECT_WITH_DB, self.database.is_some());
        let [a, b, ..] = caps.bits().to_le_bytes();
        check_nul_free("user name", self.username)?;
        check_nul_free("auth data", self.auth_response)?;
        let mut out = Vec::new();
        let mut w = Writer::new(&mut out);
        w.bytes(&[a, b]);
        w.u24(self.max_packet_size.min(MAX_SIZE));
        w.nul(self.username);
        match self.database {
            Some(database) => {
                check_nul_free("database", database)?;
                w.nul(self.auth_response);
                w.nul(database);
            }
            None => w.bytes(self.auth_response),
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `LONG_PASSWORD`, packets up to 64 KiB, and an answer without NUL.
    const GOLDEN: &[u8] = b"\x01\0\0\0\x01root\0QQQQQQQQ";
    const WITH_DATABASE: &[u8] = b"\x09\0\0\0\x01root\0QQQQQQQQ\0world\0";

    fn login(database: Option<&[u8]>) -> OldLogin<'_> {
        let mut capabilities = Capabilities::LONG_PASSWORD;
        capabilities.set(Capabilities::CONNECT_WITH_DB, database.is_some());
        OldLogin {
            capabilities,
            max_packet_size: 0x1_0000,
            username: b"root",
            auth_response: b"QQQQQQQQ",
            database,
        }
    }

    #[test]
    fn golden_both_ways() {
        for (golden, login) in [(GOLDEN, login(None)), (WITH_DATABASE, login(Some(b"world")))] {
            assert_eq!(OldLogin::parse(golden), Ok(login));
            assert_eq!(login.encode().unwrap(), golden);
        }
    }

    #[test]
    fn the_last_string_may_have_a_nul_or_none() {
        assert_eq!(OldLogin::parse(&[GOLDEN, b"\0"].concat()), Ok(login(None)));
        let cut = &WITH_DATABASE[..WITH_DATABASE.len() - 1];
        assert_eq!(OldLogin::parse(cut), Ok(login(Some(b"world"))));
    }

    #[test]
    fn what_the_form_cannot_tell_is_left_out() {
        let capabilities =
            Capabilities::LONG_PASSWORD | Capabilities::PROTOCOL_41 | Capabilities::PLUGIN_AUTH;
        let large = OldLogin { capabilities, max_packet_size: 1 << 24, ..login(None) };
        assert!(large.encode().unwrap().starts_with(b"\x01\0\xff\xff\xff"));
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        assert!(OldLogin::parse(b"\x00\x02\0\0\x01root\0").is_err(), "a login of 4.1");
        for end in 0..9 {
            assert!(OldLogin::parse(&GOLDEN[..end]).is_err(), "cut at {end}");
        }
        let error = WireError::EmbeddedNul { field: "user name" };
        assert_eq!(OldLogin { username: b"a\0b", ..login(None) }.encode(), Err(error));
    }
}
