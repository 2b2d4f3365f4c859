//! COM_STMT_FETCH: the next rows of a cursor.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_fetch.html>.

use super::open;
use crate::{Command, WireError, Writer};

/// A COM_STMT_FETCH command. The rows come without column definitions; they have those of the
/// execution that opened the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtFetch {
    /// Id of the statement.
    pub statement_id: u32,
    /// Most rows to send.
    pub rows: u32,
}

impl StmtFetch {
    /// Reads a payload, command byte included.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = open(payload, Command::STMT_FETCH, "COM_STMT_FETCH")?;
        let statement_id = r.u32()?; // int<4>
        let rows = r.u32()?; // int<4>
        Ok(Self { statement_id, rows })
    }

    /// The payload, 9 bytes.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(9);
        let mut w = Writer::new(&mut out);
        w.u8(Command::STMT_FETCH.0);
        w.u32(self.statement_id);
        w.u32(self.rows);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = b"\x1c\x02\x01\0\0\xe8\x03\0\0";

    #[test]
    fn golden_both_ways() {
        let fetch = StmtFetch { statement_id: 0x0102, rows: 1000 };
        assert_eq!(StmtFetch::parse(GOLDEN), Ok(fetch));
        assert_eq!(fetch.encode(), GOLDEN);
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        for end in 0..GOLDEN.len() {
            assert!(StmtFetch::parse(&GOLDEN[..end]).is_err(), "cut at {end}");
        }
        let error = WireError::Marker { packet: "COM_STMT_FETCH", found: 0x17 };
        assert_eq!(StmtFetch::parse(b"\x17\x02\x01\0\0\0\0\0\0"), Err(error));
    }
}
