//! A column of a result set, owned: what a field object shows and what a response is encoded with.

use wire::binary::ValueType;
use wire::collation;
use wire::result::{ColumnDefinition, ColumnFlags, ColumnType};

use crate::codec::Codec;

/// A column definition that does not borrow from a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Column, or its alias.
    pub name: Vec<u8>,
    /// Column behind the alias.
    pub org_name: Vec<u8>,
    /// Table, or its alias.
    pub table: Vec<u8>,
    /// Table behind the alias.
    pub org_table: Vec<u8>,
    /// Database of the table.
    pub database: Vec<u8>,
    /// MariaDB's extended metadata, for clients that asked for them.
    pub extended: Vec<u8>,
    /// Type of the values.
    pub column_type: ColumnType,
    /// Collation id.
    pub charset: u16,
    /// Longest value, in bytes.
    pub length: u32,
    /// Column flags.
    pub flags: ColumnFlags,
    /// Digits behind the point.
    pub decimals: u8,
    /// How its cells are shown.
    pub codec: Codec,
}

impl From<ColumnDefinition<'_>> for Column {
    fn from(definition: ColumnDefinition<'_>) -> Self {
        Self {
            name: definition.name.to_vec(),
            org_name: definition.org_name.to_vec(),
            table: definition.table.to_vec(),
            org_table: definition.org_table.to_vec(),
            database: definition.database.to_vec(),
            extended: definition.extended.to_vec(),
            column_type: definition.column_type,
            charset: definition.charset,
            length: definition.length,
            flags: definition.flags,
            decimals: definition.decimals,
            codec: Codec::of(definition.charset, definition.column_type),
        }
    }
}

impl Column {
    /// The same column with text in this character set, or with bytes.
    pub fn in_charset(&self, charset: u16) -> Self {
        let mut flags = self.flags;
        flags.set(ColumnFlags::BINARY, charset == collation::BINARY);
        Self { charset, flags, codec: Codec::of(charset, self.column_type), ..self.clone() }
    }

    /// How its cells are laid out in the binary protocol.
    pub fn value_type(&self) -> ValueType {
        ValueType::of_column(&self.definition())
    }

    /// Whether its cells are numbers.
    pub fn is_numeric(&self) -> bool {
        matches!(
            self.column_type,
            ColumnType::TINY
                | ColumnType::SHORT
                | ColumnType::INT24
                | ColumnType::LONG
                | ColumnType::LONGLONG
                | ColumnType::FLOAT
                | ColumnType::DOUBLE
                | ColumnType::DECIMAL
                | ColumnType::NEWDECIMAL
                | ColumnType::YEAR
        )
    }

    /// The definition for the wire.
    pub fn definition(&self) -> ColumnDefinition<'_> {
        ColumnDefinition {
            catalog: b"def",
            database: &self.database,
            table: &self.table,
            org_table: &self.org_table,
            name: &self.name,
            org_name: &self.org_name,
            extended: &self.extended,
            charset: self.charset,
            length: self.length,
            column_type: self.column_type,
            flags: self.flags,
            decimals: self.decimals,
        }
    }
}
