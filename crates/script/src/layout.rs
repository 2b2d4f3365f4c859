//! One result set of a kept answer, as rows and fields need it: its columns, and where its rows lie.
//!
//! Computed once, when a script first asks for fields or rows; the rows themselves stay in their packets.

use std::borrow::Cow;
use std::sync::Arc;

use engine::Injection;
use wire::binary::ValueType;
use wire::result::{ColumnDefinition, KeptPackets};
use wire::{Capabilities, Command};

use crate::column::Column;

/// One result set.
#[derive(Debug)]
pub struct Layout {
    columns: Vec<Arc<Column>>,
    /// Of the columns, if the rows are of the binary protocol.
    binary_types: Option<Vec<ValueType>>,
    packets: wire::result::Layout,
}

impl Layout {
    /// The result set that begins with packet `start`; `None` if none does, or it was not kept.
    pub fn at(start: usize, injection: &Injection) -> Option<Self> {
        let command = Command(injection.query.packet.first().copied()?);
        let capabilities = injection.capabilities;
        let packets = wire::result::Layout::at(start, command, &injection.packets, capabilities)?;
        let columns = if command == Command::STMT_FETCH {
            // Rows of a cursor come without their columns.
            let definitions = injection.cursor.as_ref()?.iter().map(Vec::as_slice);
            columns(definitions, capabilities)
        } else {
            columns(packets.definitions(&injection.packets), capabilities)
        }?;
        let types = || columns.iter().map(|column| column.value_type()).collect();
        let binary_types = packets.is_binary().then(types);
        Some(Self { columns, binary_types, packets })
    }

    /// Which packet ends the definitions of the columns; `None` if none does.
    pub fn end_of_definitions(&self, capabilities: Capabilities) -> Option<usize> {
        let definitions = self.packets.definitions_at();
        let is_marked =
            !definitions.is_empty() && !capabilities.contains(Capabilities::DEPRECATE_EOF);
        is_marked.then_some(definitions.end)
    }

    /// The columns, in order. Never empty.
    pub fn columns(&self) -> &[Arc<Column>] {
        &self.columns
    }

    /// The types of the columns, if the rows are of the binary protocol; `None` if they are text.
    #[inline]
    pub fn binary_types(&self) -> Option<&[ValueType]> {
        self.binary_types.as_deref()
    }

    /// Number of rows of this result set.
    pub fn row_count(&self) -> usize {
        self.packets.row_count()
    }

    /// The payload of row `n`.
    #[inline]
    pub fn row<'p>(&self, packets: &'p KeptPackets, n: usize) -> Option<Cow<'p, [u8]>> {
        self.packets.row(packets, n)
    }
}

/// The columns that these payloads define; `None` if one is malformed.
fn columns<'p>(
    definitions: impl Iterator<Item = &'p [u8]>,
    capabilities: Capabilities,
) -> Option<Vec<Arc<Column>>> {
    let column = |payload| ColumnDefinition::parse(payload, capabilities);
    definitions.map(|payload| Some(Arc::new(column(payload).ok()?.into()))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use engine::Query;
    use wire::reply::StatusFlags;
    use wire::result::{ColumnType, ResultSetEncoder};

    fn injection(command: Command, rows: &[&[u8]], capabilities: Capabilities) -> Injection {
        let query = Query::new(1, vec![command.0], true, Instant::now()).expect("not empty");
        let mut injection = Injection::new(query, capabilities);
        let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
        let packets = Arc::make_mut(&mut injection.packets);
        let sink = |payload: &[u8]| packets.push(payload);
        let mut encoder =
            ResultSetEncoder::begin(&[column], capabilities, StatusFlags::AUTOCOMMIT, sink);
        for row in rows {
            encoder.text_row([Some(*row)]);
        }
        encoder.finish(StatusFlags::AUTOCOMMIT, 0);
        injection
    }

    #[test]
    fn columns_and_rows_are_found() {
        let injection = injection(Command::QUERY, &[b"x", b"yy"], Capabilities::DEPRECATE_EOF);
        let layout = Layout::at(0, &injection).expect("a result set");
        assert_eq!(layout.columns()[0].name, b"a");
        assert_eq!((layout.row_count(), layout.binary_types()), (2, None));
        assert_eq!(layout.row(&injection.packets, 1).as_deref(), Some(&b"\x02yy"[..]));
    }

    #[test]
    fn columns_that_make_no_sense_are_no_result_set() {
        let mut injection = injection(Command::QUERY, &[b"x"], Capabilities::empty());
        injection.packets = KeptPackets::from_iter([&b"\x01"[..], b"?", b"\xfe\0\0\x02\0"]).into();
        assert!(Layout::at(0, &injection).is_none());
    }

    #[test]
    fn rows_of_a_cursor_take_the_columns_of_its_execution() {
        let mut definition = Vec::new();
        let capabilities = Capabilities::MARIADB_EXTENDED_METADATA;
        let column = ColumnDefinition::named(b"a", ColumnType::TINY);
        ColumnDefinition { extended: b"\x00\x01x", ..column }.encode(&mut definition, capabilities);
        let mut injection = injection(Command::STMT_FETCH, &[], capabilities);
        injection.packets = KeptPackets::from_iter([&b"\0\0\x07"[..], b"\xfe\0\0\x82\0"]).into();
        assert!(Layout::at(0, &injection).is_none(), "columns that nobody knows");
        injection.cursor = Some(Arc::new(vec![definition]));
        let layout = Layout::at(0, &injection).expect("rows");
        assert_eq!((layout.columns().len(), layout.row_count()), (1, 1));
        assert_eq!(layout.columns()[0].extended, b"\x00\x01x");
        assert_eq!(layout.binary_types().map(<[_]>::len), Some(1));
    }

    #[test]
    fn binary_rows_have_types() {
        let injection = injection(Command::STMT_EXECUTE, &[b"x"], Capabilities::empty());
        let layout = Layout::at(0, &injection).expect("columns");
        let types = [ValueType::new(ColumnType::VAR_STRING)];
        assert_eq!(layout.binary_types(), Some(&types[..]));
    }
}
