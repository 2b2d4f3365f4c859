//! COM_STMT_RESET: drops what long data was sent and closes the cursor.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_reset.html>.

use super::open;
use crate::{Command, WireError, Writer};

/// A COM_STMT_RESET command. The statement and the types of its parameters stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtReset {
    /// Id of the statement.
    pub statement_id: u32,
}

impl StmtReset {
    /// Reads a payload, command byte included.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = open(payload, Command::STMT_RESET, "COM_STMT_RESET")?;
        Ok(Self { statement_id: r.u32()? }) // int<4>
    }

    /// The payload, 5 bytes.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(5);
        let mut w = Writer::new(&mut out);
        w.u8(Command::STMT_RESET.0);
        w.u32(self.statement_id);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = b"\x1a\x02\x01\0\0";

    #[test]
    fn golden_both_ways() {
        let command = StmtReset { statement_id: 0x0102 };
        assert_eq!(StmtReset::parse(GOLDEN), Ok(command));
        assert_eq!(command.encode(), GOLDEN);
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        for end in 0..GOLDEN.len() {
            assert!(StmtReset::parse(&GOLDEN[..end]).is_err(), "cut at {end}");
        }
        let error = WireError::Marker { packet: "COM_STMT_RESET", found: 0x17 };
        assert_eq!(StmtReset::parse(b"\x17\x02\x01\0\0"), Err(error));
    }
}
