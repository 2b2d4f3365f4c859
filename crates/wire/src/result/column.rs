//! Column definitions of the 4.1 protocol.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html>.

use super::ColumnType;
use crate::{Reader, WireError, Writer};

/// Length of the fields of fixed size, which follows the names.
const FIXED: u64 = 12;

/// One column of a result set, or one parameter of a prepared statement. Names borrow from the
/// packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnDefinition<'p> {
    /// Always `def`.
    pub catalog: &'p [u8],
    /// Database of the table.
    pub database: &'p [u8],
    /// Table, or its alias.
    pub table: &'p [u8],
    /// Table behind the alias.
    pub org_table: &'p [u8],
    /// Column, or its alias.
    pub name: &'p [u8],
    /// Column behind the alias.
    pub org_name: &'p [u8],
    /// Collation id; 63 is binary.
    pub charset: u16,
    /// Longest value, in bytes.
    pub length: u32,
    /// Type of the values.
    pub column_type: ColumnType,
    /// Column flags (NOT NULL, primary key, unsigned and others).
    pub flags: u16,
    /// Digits behind the point; 31 for floating point without a limit.
    pub decimals: u8,
}

impl<'p> ColumnDefinition<'p> {
    /// A column with this name and type, and what a server sends for an expression: no table,
    /// utf8mb4 text.
    pub const fn named(name: &'p [u8], column_type: ColumnType) -> Self {
        Self {
            catalog: b"def",
            database: b"",
            table: b"",
            org_table: b"",
            name,
            org_name: b"",
            charset: 45,
            length: 0,
            column_type,
            flags: 0,
            decimals: 0,
        }
    }

    /// Reads a payload. What follows the known fields is ignored: COM_FIELD_LIST puts a default
    /// value there.
    pub fn parse(payload: &'p [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        let catalog = r.lenenc_bytes()?; // string<lenenc>
        let database = r.lenenc_bytes()?; // string<lenenc>
        let table = r.lenenc_bytes()?; // string<lenenc>
        let org_table = r.lenenc_bytes()?; // string<lenenc>
        let name = r.lenenc_bytes()?; // string<lenenc>
        let org_name = r.lenenc_bytes()?; // string<lenenc>
        let mut fixed = Reader::new(r.lenenc_bytes()?); // string<lenenc>, 12 bytes
        Ok(Self {
            catalog,
            database,
            table,
            org_table,
            name,
            org_name,
            charset: fixed.u16()?,                // int<2>
            length: fixed.u32()?,                 // int<4>
            column_type: ColumnType(fixed.u8()?), // int<1>
            flags: fixed.u16()?,                  // int<2>
            decimals: fixed.u8()?,                // int<1>
        })
    }

    /// Appends the payload to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        for name in
            [self.catalog, self.database, self.table, self.org_table, self.name, self.org_name]
        {
            w.lenenc_bytes(name);
        }
        w.lenenc(FIXED);
        w.u16(self.charset);
        w.u32(self.length);
        w.u8(self.column_type.0);
        w.u16(self.flags);
        w.u8(self.decimals);
        w.zeros(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT id AS i FROM test.t1 AS t`
    const GOLDEN: &[u8] =
        b"\x03def\x04test\x01t\x02t1\x01i\x02id\x0c\x3f\x00\x0b\x00\x00\x00\x03\x03\x42\x00\x00\x00";

    #[test]
    fn golden_both_ways() {
        let column = ColumnDefinition::parse(GOLDEN).unwrap();
        assert_eq!((column.catalog, column.database), (&b"def"[..], &b"test"[..]));
        assert_eq!((column.table, column.org_table), (&b"t"[..], &b"t1"[..]));
        assert_eq!((column.name, column.org_name), (&b"i"[..], &b"id"[..]));
        assert_eq!((column.charset, column.length), (63, 11));
        assert_eq!(
            (column.column_type, column.flags, column.decimals),
            (ColumnType::LONG, 0x4203, 0)
        );
        let mut out = Vec::new();
        column.encode(&mut out);
        assert_eq!(out, GOLDEN);
    }

    #[test]
    fn a_default_value_behind_the_fields_is_ignored() {
        let with_default = [GOLDEN, b"\x0242"].concat();
        assert_eq!(ColumnDefinition::parse(&with_default), ColumnDefinition::parse(GOLDEN));
    }

    #[test]
    fn cut_definitions_are_refused() {
        for end in 0..GOLDEN.len() {
            assert!(ColumnDefinition::parse(&GOLDEN[..end]).is_err(), "cut at {end}");
        }
    }
}
