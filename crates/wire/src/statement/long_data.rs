//! COM_STMT_SEND_LONG_DATA: a piece of one parameter, ahead of the execution.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_send_long_data.html>.
//! It has no answer, not even an error; pieces of the same parameter add up.

use super::open;
use crate::{Command, WireError, Writer};

/// A COM_STMT_SEND_LONG_DATA command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtSendLongData<'p> {
    /// Id of the statement.
    pub statement_id: u32,
    /// The parameter, counted from 0.
    pub param: u16,
    /// The piece.
    pub data: &'p [u8],
}

impl<'p> StmtSendLongData<'p> {
    /// Reads a payload, command byte included.
    pub fn parse(payload: &'p [u8]) -> Result<Self, WireError> {
        let mut r = open(payload, Command::STMT_SEND_LONG_DATA, "COM_STMT_SEND_LONG_DATA")?;
        let statement_id = r.u32()?; // int<4>
        let param = r.u16()?; // int<2>
        let data = r.rest(); // string<EOF>
        Ok(Self { statement_id, param, data })
    }

    /// The payload, 7 bytes and the data.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len().saturating_add(7));
        let mut w = Writer::new(&mut out);
        w.u8(Command::STMT_SEND_LONG_DATA.0);
        w.u32(self.statement_id);
        w.u16(self.param);
        w.bytes(self.data);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = b"\x18\x02\x01\0\0\x05\0abc\0";

    #[test]
    fn golden_both_ways() {
        let piece = StmtSendLongData { statement_id: 0x0102, param: 5, data: b"abc\0" };
        assert_eq!(StmtSendLongData::parse(GOLDEN), Ok(piece));
        assert_eq!(piece.encode(), GOLDEN);
    }

    #[test]
    fn a_piece_may_be_empty() {
        assert_eq!(StmtSendLongData::parse(&GOLDEN[..7]).map(|piece| piece.data), Ok(&b""[..]));
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        for end in 0..7 {
            assert!(StmtSendLongData::parse(&GOLDEN[..end]).is_err(), "cut at {end}");
        }
        let error = WireError::Marker { packet: "COM_STMT_SEND_LONG_DATA", found: 0x17 };
        assert_eq!(StmtSendLongData::parse(b"\x17\x02\x01\0\0\x05\0abc"), Err(error));
    }
}
