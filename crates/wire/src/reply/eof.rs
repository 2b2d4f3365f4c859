//! EOF: ends column definitions and rows on connections without DEPRECATE_EOF.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_eof_packet.html>.

use super::StatusFlags;
use crate::{Reader, WireError, Writer, marker};

/// Whether `payload` is an EOF packet where rows or definitions may stand: starts 0xfe and is
/// shorter than 9 bytes. A longer packet with that first byte is a row whose first cell has 16 MiB
/// or more.
pub fn is_eof(payload: &[u8]) -> bool {
    payload.first() == Some(&marker::EOF) && payload.len() < 9
}

/// An EOF packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EofPacket {
    /// Number of warnings.
    pub warnings: u16,
    /// State of the connection, and what is special about this answer.
    pub status: StatusFlags,
}

impl EofPacket {
    /// Reads a payload. Only the fields are checked, not the length; see [`is_eof`].
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match r.u8()? {
            marker::EOF => {}
            found => return Err(WireError::Marker { packet: "an EOF packet", found }),
        }
        let warnings = r.u16()?; // int<2>
        let status = StatusFlags::from_bits_retain(r.u16()?); // int<2>
        Ok(Self { warnings, status })
    }

    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(5);
        let mut w = Writer::new(&mut out);
        w.u8(marker::EOF);
        w.u16(self.warnings);
        w.u16(self.status.bits());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_both_ways() {
        let eof =
            EofPacket { warnings: 1, status: StatusFlags::AUTOCOMMIT | StatusFlags::NO_INDEX_USED };
        assert_eq!(EofPacket::parse(b"\xfe\x01\x00\x22\x00"), Ok(eof));
        assert_eq!(eof.encode(), b"\xfe\x01\x00\x22\x00");
    }

    #[test]
    fn only_short_packets_are_eof() {
        assert!(is_eof(b"\xfe"));
        assert!(is_eof(b"\xfe\0\0\x02\0\0\0\0"));
        assert!(!is_eof(b"\xfe\0\0\0\x01\0\0\0\0"), "nine bytes: a row or a count");
        assert!(!is_eof(b"\x00\0\0\0\0"));
        assert!(!is_eof(b""));
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        assert!(EofPacket::parse(b"\xfe\0\0\x02").is_err());
        assert!(EofPacket::parse(b"\x00\0\0\x02\0").is_err());
    }
}
