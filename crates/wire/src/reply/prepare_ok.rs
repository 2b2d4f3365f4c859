//! The first packet of the answer to COM_STMT_PREPARE.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html>.

use crate::{Reader, WireError, Writer, marker};

/// A prepared statement's id and sizes. Definitions follow: parameters first, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrepareOk {
    /// Id of the statement.
    pub statement_id: u32,
    /// Number of columns of its result.
    pub columns: u16,
    /// Number of its parameters.
    pub params: u16,
    /// Number of warnings.
    pub warnings: u16,
}

impl PrepareOk {
    /// Reads a payload of 12 bytes or more.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match r.u8()? {
            marker::OK => {}
            found => return Err(WireError::Marker { packet: "a prepare answer", found }),
        }
        let statement_id = r.u32()?; // int<4>
        let columns = r.u16()?; // int<2>
        let params = r.u16()?; // int<2>
        r.u8()?; // int<1>, filler
        let warnings = r.u16()?; // int<2>
        Ok(Self { statement_id, columns, params, warnings })
    }

    /// The payload, 12 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12);
        let mut w = Writer::new(&mut out);
        w.u8(marker::OK);
        w.u32(self.statement_id);
        w.u16(self.columns);
        w.u16(self.params);
        w.u8(0);
        w.u16(self.warnings);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = b"\x00\x01\0\0\0\x02\0\x03\0\0\x04\0";

    #[test]
    fn golden_both_ways() {
        let ok = PrepareOk { statement_id: 1, columns: 2, params: 3, warnings: 4 };
        assert_eq!(PrepareOk::parse(GOLDEN), Ok(ok));
        assert_eq!(ok.encode(), GOLDEN);
    }

    #[test]
    fn refuses_other_and_cut_packets() {
        for end in 0..GOLDEN.len() {
            assert!(PrepareOk::parse(&GOLDEN[..end]).is_err(), "cut at {end}");
        }
        assert!(PrepareOk::parse(b"\xff\x01\0\0\0\x02\0\x03\0\0\x04\0").is_err());
    }
}
