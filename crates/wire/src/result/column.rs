//! Column definitions of the 4.1 protocol.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html>,
//! <https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/result-set-packets#column-definition-packet>
//! for the extended metadata.

use super::{ColumnFlags, ColumnType};
use crate::{Capabilities, Reader, WireError, Writer, collation};

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
    /// What MariaDB adds with MARIADB_EXTENDED_METADATA, else empty: pairs of a kind (0 type name,
    /// 1 format) and a length-encoded text, such as `\x01\x04json`.
    pub extended: &'p [u8],
    /// Collation id; 63 is [binary](crate::collation::BINARY).
    pub charset: u16,
    /// Longest value, in bytes.
    pub length: u32,
    /// Type of the values.
    pub column_type: ColumnType,
    /// Column flags (NOT NULL, primary key, unsigned and others).
    pub flags: ColumnFlags,
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
            extended: b"",
            charset: collation::UTF8MB4_GENERAL_CI,
            length: 0,
            column_type,
            flags: ColumnFlags::empty(),
            decimals: 0,
        }
    }

    /// Reads a payload in the form that `caps` asked the server for. What follows the known fields
    /// is ignored: COM_FIELD_LIST puts a default value there.
    pub fn parse(payload: &'p [u8], caps: Capabilities) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        let catalog = r.lenenc_bytes()?; // string<lenenc>
        let database = r.lenenc_bytes()?; // string<lenenc>
        let table = r.lenenc_bytes()?; // string<lenenc>
        let org_table = r.lenenc_bytes()?; // string<lenenc>
        let name = r.lenenc_bytes()?; // string<lenenc>
        let org_name = r.lenenc_bytes()?; // string<lenenc>
        let extended = if caps.contains(Capabilities::MARIADB_EXTENDED_METADATA) {
            r.lenenc_bytes()? // string<lenenc>
        } else {
            &[]
        };
        let mut fixed = Reader::new(r.lenenc_bytes()?); // string<lenenc>, 12 bytes
        Ok(Self {
            catalog,
            database,
            table,
            org_table,
            name,
            org_name,
            extended,
            charset: fixed.u16()?,                              // int<2>
            length: fixed.u32()?,                               // int<4>
            column_type: ColumnType(fixed.u8()?),               // int<1>
            flags: ColumnFlags::from_bits_retain(fixed.u16()?), // int<2>
            decimals: fixed.u8()?,                              // int<1>
        })
    }

    /// Appends the payload to `out`, in the form that a client with `caps` reads.
    pub fn encode(&self, out: &mut Vec<u8>, caps: Capabilities) {
        let mut w = Writer::new(out);
        for name in
            [self.catalog, self.database, self.table, self.org_table, self.name, self.org_name]
        {
            w.lenenc_bytes(name);
        }
        if caps.contains(Capabilities::MARIADB_EXTENDED_METADATA) {
            w.lenenc_bytes(self.extended);
        }
        w.lenenc(FIXED);
        w.u16(self.charset);
        w.u32(self.length);
        w.u8(self.column_type.0);
        w.u16(self.flags.bits());
        w.u8(self.decimals);
        w.zeros(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Capabilities = Capabilities::empty();
    const EXTENDED: Capabilities = Capabilities::MARIADB_EXTENDED_METADATA;

    /// `SELECT j FROM test.t`, where `j` has type JSON, by MariaDB 10.11.
    const GOLDEN_JSON: &[u8] = b"\x03def\x04test\x01t\x01t\x01j\x01j\x06\x01\x04json\x0c\xe0\x00\xff\xff\xff\xff\xfc\x10\x00\x00\x00\x00";

    /// `SELECT id AS i FROM test.t1 AS t`
    const GOLDEN: &[u8] =
        b"\x03def\x04test\x01t\x02t1\x01i\x02id\x0c\x3f\x00\x0b\x00\x00\x00\x03\x03\x42\x00\x00\x00";

    #[test]
    fn golden_both_ways() {
        let column = ColumnDefinition::parse(GOLDEN, PLAIN).unwrap();
        assert_eq!((column.catalog, column.database), (&b"def"[..], &b"test"[..]));
        assert_eq!((column.table, column.org_table), (&b"t"[..], &b"t1"[..]));
        assert_eq!((column.name, column.org_name), (&b"i"[..], &b"id"[..]));
        assert_eq!((column.charset, column.length), (63, 11));
        assert_eq!(
            (column.column_type, column.flags.bits(), column.decimals),
            (ColumnType::LONG, 0x4203, 0)
        );
        let mut out = Vec::new();
        column.encode(&mut out, PLAIN);
        assert_eq!(out, GOLDEN);
    }

    #[test]
    fn extended_metadata_both_ways() {
        let column = ColumnDefinition::parse(GOLDEN_JSON, EXTENDED).unwrap();
        assert_eq!((column.org_name, column.extended), (&b"j"[..], &b"\x01\x04json"[..]));
        assert_eq!((column.charset, column.column_type), (224, ColumnType::BLOB));
        let mut out = Vec::new();
        column.encode(&mut out, EXTENDED);
        assert_eq!(out, GOLDEN_JSON);
        out.clear();
        column.encode(&mut out, PLAIN);
        let plain = ColumnDefinition::parse(&out, PLAIN).unwrap();
        assert_eq!(plain, ColumnDefinition { extended: b"", ..column });
    }

    #[test]
    fn a_column_without_extended_metadata_has_an_empty_one_on_the_wire() {
        let mut out = Vec::new();
        ColumnDefinition::named(b"a", ColumnType::LONG).encode(&mut out, EXTENDED);
        assert_eq!(&out[..12], b"\x03def\0\0\0\x01a\0\0\x0c");
        assert_eq!(ColumnDefinition::parse(&out, EXTENDED).unwrap().extended, b"");
    }

    #[test]
    fn a_default_value_behind_the_fields_is_ignored() {
        let with_default = [GOLDEN, b"\x0242"].concat();
        assert_eq!(
            ColumnDefinition::parse(&with_default, PLAIN),
            ColumnDefinition::parse(GOLDEN, PLAIN)
        );
    }

    #[test]
    fn cut_definitions_are_refused() {
        for end in 0..GOLDEN.len() {
            assert!(ColumnDefinition::parse(&GOLDEN[..end], PLAIN).is_err(), "cut at {end}");
        }
        for end in 0..GOLDEN_JSON.len() {
            assert!(ColumnDefinition::parse(&GOLDEN_JSON[..end], EXTENDED).is_err(), "at {end}");
        }
    }
}
