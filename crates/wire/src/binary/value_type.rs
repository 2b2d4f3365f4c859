//! What has to be known of a binary value before it can be read: its type and its sign.
//!
//! Sources: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html>
//! for the two bytes of a parameter.

use crate::result::{ColumnDefinition, ColumnFlags, ColumnType};
use crate::{Reader, WireError, Writer};

/// Type of a binary value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValueType {
    /// Type byte.
    pub column_type: ColumnType,
    /// Whether integers are unsigned; without meaning for all other types.
    pub unsigned: bool,
}

/// How a type is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// Nothing at all.
    Null,
    Int1,
    Int2,
    Int4,
    Int8,
    Float,
    Double,
    Date,
    DateTime,
    Time,
    /// `string<lenenc>`
    Bytes,
}

impl ValueType {
    /// In the second byte of a parameter's type, what [`ColumnFlags::UNSIGNED`] is in a column
    /// definition.
    pub(crate) const UNSIGNED_FLAG: u8 = 0x80;

    /// A type without the unsigned flag.
    pub const fn new(column_type: ColumnType) -> Self {
        Self { column_type, unsigned: false }
    }

    /// An integer type with the unsigned flag.
    pub const fn unsigned(column_type: ColumnType) -> Self {
        Self { column_type, unsigned: true }
    }

    /// The type of a column's cells.
    pub const fn of_column(column: &ColumnDefinition<'_>) -> Self {
        Self {
            column_type: column.column_type,
            unsigned: column.flags.contains(ColumnFlags::UNSIGNED),
        }
    }

    /// Reads the type of a parameter, 2 bytes. Flags other than unsigned are dropped.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let column_type = ColumnType(r.u8()?); // int<1>
        let unsigned = r.u8()? & Self::UNSIGNED_FLAG != 0; // int<1>
        Ok(Self { column_type, unsigned })
    }

    /// Writes the type of a parameter, 2 bytes.
    pub fn write(self, w: &mut Writer<'_>) {
        w.u8(self.column_type.0);
        w.u8(if self.unsigned { Self::UNSIGNED_FLAG } else { 0 });
    }

    /// The layout. Bytes that no server and no client sends as a type are refused, because the
    /// length of such a value is unknown.
    pub(super) const fn storage(self) -> Result<Storage, WireError> {
        Ok(match self.column_type {
            ColumnType::NULL => Storage::Null,
            ColumnType::TINY => Storage::Int1,
            ColumnType::SHORT | ColumnType::YEAR => Storage::Int2,
            ColumnType::LONG | ColumnType::INT24 => Storage::Int4,
            ColumnType::LONGLONG => Storage::Int8,
            ColumnType::FLOAT => Storage::Float,
            ColumnType::DOUBLE => Storage::Double,
            ColumnType::DATE | ColumnType::NEWDATE => Storage::Date,
            ColumnType::DATETIME | ColumnType::TIMESTAMP => Storage::DateTime,
            ColumnType::TIME => Storage::Time,
            ColumnType::DECIMAL
            | ColumnType::NEWDECIMAL
            | ColumnType::VARCHAR
            | ColumnType::VAR_STRING
            | ColumnType::STRING
            | ColumnType::BIT
            | ColumnType::VECTOR
            | ColumnType::JSON
            | ColumnType::ENUM
            | ColumnType::SET
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB
            | ColumnType::GEOMETRY => Storage::Bytes,
            ColumnType(byte) => return Err(WireError::UnknownType(byte)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_whether_it_is_unsigned() {
        let mut column = ColumnDefinition::named(b"n", ColumnType::LONG);
        assert_eq!(ValueType::of_column(&column), ValueType::new(ColumnType::LONG));
        column.flags = ColumnFlags::from_bits_retain(0x1021);
        assert_eq!(ValueType::of_column(&column), ValueType::unsigned(ColumnType::LONG));
    }

    #[test]
    fn parameter_golden_both_ways() {
        for (golden, value_type) in [
            (&[0x08, 0x80], ValueType::unsigned(ColumnType::LONGLONG)),
            (&[0xfd, 0x00], ValueType::new(ColumnType::VAR_STRING)),
        ] {
            assert_eq!(ValueType::read(&mut Reader::new(golden)), Ok(value_type));
            let mut out = Vec::new();
            value_type.write(&mut Writer::new(&mut out));
            assert_eq!(out, golden);
        }
        assert!(ValueType::read(&mut Reader::new(&[0x08])).is_err());
    }

    #[test]
    fn every_named_type_has_a_layout_and_no_other() {
        for byte in 0..=255 {
            let value_type = ValueType::new(ColumnType(byte));
            let named = value_type.column_type.name().is_some();
            assert_eq!(value_type.storage().is_ok(), named, "{byte}");
        }
    }
}
