//! Where the parts of a buffered result lie: the columns of its first result set, and the packets of its rows.
//!
//! Computed once, when a script first asks for fields or rows; the rows themselves stay in their packets.

use std::borrow::Cow;
use std::sync::Arc;

use wire::binary::ValueType;
use wire::reply::{is_eof, is_err};
use wire::result::{ColumnDefinition, KeptPackets};
use wire::{Capabilities, Command, MAX_PAYLOAD, Reader};

use super::column::Column;
use engine::Injection;

/// The map of one result set.
#[derive(Debug)]
pub struct Layout {
    columns: Vec<Arc<Column>>,
    /// Of the columns, if the rows are of the binary protocol.
    binary_types: Option<Vec<ValueType>>,
    rows: Rows,
}

/// The packets of the rows.
#[derive(Debug)]
enum Rows {
    /// One packet each, from `first` on.
    Single { first: usize, count: usize },
    /// Some row spans several packets: where each starts, and at last where the rows end.
    Starts(Vec<usize>),
}

impl Layout {
    /// The map of the first result set; `None` if there is none, or it was not kept.
    pub fn of(injection: &Injection) -> Option<Self> {
        let command = Command(injection.query.packet.first().copied()?);
        if command == Command::STMT_FETCH {
            return Self::of_fetch(injection);
        }
        let binary = match command {
            Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE => true,
            Command::QUERY | Command::PROCESS_INFO => false,
            _ => return None,
        };
        let packets = &injection.packets;
        let head = packets.first()?;
        // OK, a file request, ERR: no result set.
        if matches!(head.first()?, 0 | 0xfb | 0xff) {
            return None;
        }
        let count = usize::try_from(Reader::new(head).lenenc_int().ok()?).ok()?;
        if packets.len() <= count {
            return None;
        }
        let columns = columns(packets.from(1).take(count), injection.capabilities)?;
        let deprecate_eof = injection.capabilities.contains(Capabilities::DEPRECATE_EOF);
        let first = if deprecate_eof { count + 1 } else { count + 2 };
        let binary_types =
            binary.then(|| columns.iter().map(|column| column.value_type()).collect());
        Some(Self { columns, binary_types, rows: Rows::find(packets, first) })
    }

    /// Rows of a cursor come without their columns.
    fn of_fetch(injection: &Injection) -> Option<Self> {
        if is_err(injection.packets.first()?) {
            return None;
        }
        let definitions = injection.cursor.as_ref()?.iter().map(Vec::as_slice);
        let columns = columns(definitions, injection.capabilities)?;
        let binary_types = columns.iter().map(|column| column.value_type()).collect();
        let rows = Rows::find(&injection.packets, 0);
        Some(Self { columns, binary_types: Some(binary_types), rows })
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
        match &self.rows {
            Rows::Single { count, .. } => *count,
            Rows::Starts(starts) => starts.len().saturating_sub(1),
        }
    }

    /// The payload of row `n`.
    #[inline]
    pub fn row<'p>(&self, packets: &'p KeptPackets, n: usize) -> Option<Cow<'p, [u8]>> {
        match &self.rows {
            Rows::Single { first, count } if n < *count => {
                packets.get(first + n).map(Cow::Borrowed)
            }
            Rows::Starts(starts) => {
                let (start, end) = (*starts.get(n)?, *starts.get(n + 1)?);
                let parts: Vec<_> = packets.from(start).take(end - start).collect();
                Some(Cow::Owned(parts.concat()))
            }
            Rows::Single { .. } => None,
        }
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

impl Rows {
    /// Looks for the end of the rows: an EOF, the OK in its place, or an ERR.
    fn find(packets: &KeptPackets, first: usize) -> Self {
        let mut starts = Vec::new();
        let mut continues = false;
        let mut several = false;
        let mut end = first;
        for (n, payload) in (first..).zip(packets.from(first)) {
            if !continues {
                if ends_rows(payload) {
                    break;
                }
                starts.push(n);
            }
            several |= continues;
            continues = payload.len() == MAX_PAYLOAD;
            end = n + 1;
        }
        if several {
            starts.push(end);
            Self::Starts(starts)
        } else {
            Self::Single { first, count: starts.len() }
        }
    }
}

/// Whether a packet in the place of a row is none. A row may begin with 0xfe too, if its first cell is longer than a
/// packet, and never with 0xff.
fn ends_rows(payload: &[u8]) -> bool {
    is_err(payload)
        || is_eof(payload)
        || (payload.first() == Some(&0xfe) && payload.len() < MAX_PAYLOAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Query;
    use wire::packet::frame;
    use wire::result::{ColumnType, ResultSetEncoder};

    fn injection(command: u8, rows: &[&[u8]], capabilities: Capabilities) -> Injection {
        let query = Query::new(1, vec![command], true).expect("not empty");
        let mut injection = Injection::new(query, capabilities);
        let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
        let packets = Arc::make_mut(&mut injection.packets);
        let sink = |payload: &[u8]| {
            let mut framed = Vec::new();
            frame(payload, 0, &mut framed);
            for packet in wire::packet::packets(&framed) {
                packets.push(packet.expect("framed by us").1);
            }
        };
        let mut encoder = ResultSetEncoder::begin(&[column], capabilities, 2, sink);
        for row in rows {
            encoder.text_row([Some(*row)]);
        }
        encoder.finish(2, 0);
        injection
    }

    #[test]
    fn rows_are_found_in_both_forms() {
        for capabilities in [Capabilities::NONE, Capabilities::DEPRECATE_EOF] {
            let injection = injection(3, &[b"x", b"yy"], capabilities);
            let layout = Layout::of(&injection).expect("a result set");
            assert_eq!(layout.columns()[0].name, b"a");
            assert_eq!(layout.row_count(), 2);
            assert_eq!(layout.binary_types(), None);
            assert_eq!(layout.row(&injection.packets, 1).as_deref(), Some(&b"\x02yy"[..]));
            assert_eq!(layout.row(&injection.packets, 2), None);
        }
    }

    #[test]
    fn a_row_of_several_packets_is_joined() {
        let long = vec![b'x'; MAX_PAYLOAD + 10];
        let injection = injection(3, &[b"a", &long, b"b"], Capabilities::DEPRECATE_EOF);
        let layout = Layout::of(&injection).expect("a result set");
        assert_eq!(layout.row_count(), 3);
        assert_eq!(layout.row(&injection.packets, 0).as_deref(), Some(&b"\x01a"[..]));
        let row = layout.row(&injection.packets, 1).expect("the long row");
        assert!(row.len() > long.len() && row.ends_with(&long));
        assert_eq!(layout.row(&injection.packets, 2).as_deref(), Some(&b"\x01b"[..]));
        assert_eq!(layout.row(&injection.packets, 3), None);
    }

    #[test]
    fn what_is_no_result_set_has_no_layout() {
        assert!(Layout::of(&injection(9, &[], Capabilities::NONE)).is_none());
        let mut ok = injection(3, &[], Capabilities::NONE);
        ok.packets = KeptPackets::from_iter([b"\0\0\0\x02\0\0\0"]).into();
        assert!(Layout::of(&ok).is_none());
        ok.packets = Arc::default();
        assert!(Layout::of(&ok).is_none());
        let mut cut = injection(3, &[b"x"], Capabilities::NONE);
        cut.packets = cut.packets.iter().take(1).collect::<KeptPackets>().into();
        assert!(Layout::of(&cut).is_none());
    }

    #[test]
    fn rows_of_a_cursor_take_the_columns_of_its_execution() {
        let mut definition = Vec::new();
        let capabilities = Capabilities::MARIADB_EXTENDED_METADATA;
        let column = ColumnDefinition::named(b"a", ColumnType::TINY);
        ColumnDefinition { extended: b"\x00\x01x", ..column }.encode(&mut definition, capabilities);
        let mut injection = injection(0x1c, &[], capabilities);
        injection.packets = KeptPackets::from_iter([&b"\0\0\x07"[..], b"\xfe\0\0\x82\0"]).into();
        assert!(Layout::of(&injection).is_none(), "columns that nobody knows");
        injection.cursor = Some(Arc::new(vec![definition]));
        let layout = Layout::of(&injection).expect("rows");
        assert_eq!((layout.columns().len(), layout.row_count()), (1, 1));
        assert_eq!(layout.columns()[0].extended, b"\x00\x01x");
        assert_eq!(layout.binary_types().map(<[_]>::len), Some(1));
        injection.packets = KeptPackets::from_iter([b"\xff\x8d\x05"]).into();
        assert!(Layout::of(&injection).is_none(), "an ERR");
    }

    #[test]
    fn the_command_says_that_rows_are_binary() {
        for command in [0x17, 0xfa] {
            let injection = injection(command, &[b"x"], Capabilities::NONE);
            let layout = Layout::of(&injection).expect("columns");
            assert_eq!((layout.columns().len(), layout.row_count()), (1, 1));
            let types = [ValueType::new(ColumnType::VAR_STRING)];
            assert_eq!(layout.binary_types(), Some(&types[..]));
        }
    }
}
