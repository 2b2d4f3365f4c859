//! COM_STMT_PREPARE: the text of a statement.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html>.

use super::open;
use crate::{Command, WireError, Writer};

/// A COM_STMT_PREPARE command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StmtPrepare<'p> {
    /// The statement, in the client's character set.
    pub query: &'p [u8],
}

impl<'p> StmtPrepare<'p> {
    /// Reads a payload, command byte included.
    pub fn parse(payload: &'p [u8]) -> Result<Self, WireError> {
        let mut r = open(payload, Command::STMT_PREPARE, "COM_STMT_PREPARE")?;
        Ok(Self { query: r.rest() }) // string<EOF>
    }

    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.query.len().saturating_add(1));
        let mut w = Writer::new(&mut out);
        w.u8(Command::STMT_PREPARE.0);
        w.bytes(self.query);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_both_ways() {
        let prepare = StmtPrepare { query: b"SELECT ?" };
        assert_eq!(StmtPrepare::parse(b"\x16SELECT ?"), Ok(prepare));
        assert_eq!(prepare.encode(), b"\x16SELECT ?");
    }

    #[test]
    fn refuses_other_commands() {
        let error = WireError::Marker { packet: "COM_STMT_PREPARE", found: 3 };
        assert_eq!(StmtPrepare::parse(b"\x03SELECT 1"), Err(error));
        assert!(StmtPrepare::parse(b"").is_err());
    }
}
