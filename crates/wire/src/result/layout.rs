//! Where the parts of a kept answer lie: the definitions of its first result set's columns, and the packets of its rows.
//!
//! Computed once; nothing is copied, the packets stay where they are kept.

use std::borrow::Cow;
use std::ops::Range;

use super::KeptPackets;
use crate::reply::{is_eof, is_err};
use crate::{Capabilities, Command, MAX_PAYLOAD, Reader, marker};

/// The map of one result set.
#[derive(Debug)]
pub struct Layout {
    definitions: Range<usize>,
    is_binary: bool,
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
    /// The map of the result set that begins with packet `start` of an answer to `command`; `None` if none begins there, or it
    /// was not kept.
    pub fn at(
        start: usize,
        command: Command,
        packets: &KeptPackets,
        capabilities: Capabilities,
    ) -> Option<Self> {
        let is_binary = match command {
            Command::STMT_FETCH => return Self::of_fetch(packets),
            Command::STMT_EXECUTE | Command::STMT_BULK_EXECUTE => true,
            Command::QUERY | Command::PROCESS_INFO => false,
            _ => return None,
        };
        let head = packets.get(start)?;
        // OK, a file request, ERR: no result set.
        if matches!(*head.first()?, marker::OK | marker::LOCAL_INFILE | marker::ERR) {
            return None;
        }
        let count = usize::try_from(Reader::new(head).lenenc_int().ok()?).ok()?;
        let definitions = start + 1..start.checked_add(count)?.checked_add(1)?;
        if packets.len() < definitions.end {
            return None;
        }
        let deprecate_eof = capabilities.contains(Capabilities::DEPRECATE_EOF);
        let first = if deprecate_eof { definitions.end } else { definitions.end + 1 };
        Some(Self { definitions, is_binary, rows: Rows::find(packets, first) })
    }

    /// Rows of a cursor come without the definitions of their columns.
    fn of_fetch(packets: &KeptPackets) -> Option<Self> {
        if is_err(packets.first()?) {
            return None;
        }
        Some(Self { definitions: 0..0, is_binary: true, rows: Rows::find(packets, 0) })
    }

    /// Where the payloads lie that define the columns; empty for rows of a cursor.
    pub fn definitions_at(&self) -> Range<usize> {
        self.definitions.clone()
    }

    /// The payloads that define the columns, in order; none for rows of a cursor.
    pub fn definitions<'p>(&self, packets: &'p KeptPackets) -> impl Iterator<Item = &'p [u8]> {
        packets.from(self.definitions.start).take(self.definitions.len())
    }

    /// Whether the rows are of the binary protocol.
    pub fn is_binary(&self) -> bool {
        self.is_binary
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
        || (payload.first() == Some(&marker::EOF) && payload.len() < MAX_PAYLOAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{frame, packets};
    use crate::reply::StatusFlags;
    use crate::result::{ColumnDefinition, ColumnType, ResultSetEncoder};

    fn kept(rows: &[&[u8]], capabilities: Capabilities) -> KeptPackets {
        let mut kept = KeptPackets::default();
        let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
        let sink = |payload: &[u8]| {
            let mut framed = Vec::new();
            frame(payload, 0, &mut framed);
            for packet in packets(&framed) {
                kept.push(packet.expect("framed by us").1);
            }
        };
        let mut encoder =
            ResultSetEncoder::begin(&[column], capabilities, StatusFlags::AUTOCOMMIT, sink);
        for row in rows {
            encoder.text_row([Some(*row)]);
        }
        encoder.finish(StatusFlags::AUTOCOMMIT, 0);
        kept
    }

    #[test]
    fn rows_are_found_in_both_forms() {
        for capabilities in [Capabilities::empty(), Capabilities::DEPRECATE_EOF] {
            let kept = kept(&[b"x", b"yy"], capabilities);
            let layout = Layout::at(0, Command::QUERY, &kept, capabilities).expect("a result set");
            assert!(layout.definitions(&kept).eq(kept.from(1).take(1)));
            assert_eq!((layout.row_count(), layout.is_binary()), (2, false));
            assert_eq!(layout.row(&kept, 1).as_deref(), Some(&b"\x02yy"[..]));
            assert_eq!(layout.row(&kept, 2), None);
        }
    }

    #[test]
    fn a_row_of_several_packets_is_joined() {
        let long = vec![b'x'; MAX_PAYLOAD + 10];
        let capabilities = Capabilities::DEPRECATE_EOF;
        let kept = kept(&[b"a", &long, b"b"], capabilities);
        let layout = Layout::at(0, Command::QUERY, &kept, capabilities).expect("a result set");
        assert_eq!(layout.row_count(), 3);
        assert_eq!(layout.row(&kept, 0).as_deref(), Some(&b"\x01a"[..]));
        let row = layout.row(&kept, 1).expect("the long row");
        assert!(row.len() > long.len() && row.ends_with(&long));
        assert_eq!(layout.row(&kept, 2).as_deref(), Some(&b"\x01b"[..]));
        assert_eq!(layout.row(&kept, 3), None);
    }

    #[test]
    fn what_is_no_result_set_has_no_layout() {
        let of = |command, kept: &KeptPackets| Layout::at(0, command, kept, Capabilities::empty());
        let whole = kept(&[b"x"], Capabilities::empty());
        assert!(of(Command::STATISTICS, &whole).is_none());
        assert!(of(Command::QUERY, &KeptPackets::from_iter([b"\0\0\0\x02\0\0\0"])).is_none());
        assert!(of(Command::QUERY, &KeptPackets::default()).is_none());
        assert!(of(Command::QUERY, &whole.iter().take(1).collect()).is_none());
    }

    #[test]
    fn rows_of_a_cursor_begin_at_once() {
        let of =
            |kept: &KeptPackets| Layout::at(0, Command::STMT_FETCH, kept, Capabilities::empty());
        let kept = KeptPackets::from_iter([&b"\0\0\x07"[..], b"\xfe\0\0\x82\0"]);
        let layout = of(&kept).expect("rows");
        assert_eq!((layout.row_count(), layout.is_binary()), (1, true));
        assert_eq!(layout.definitions(&kept).count(), 0);
        assert!(of(&KeptPackets::from_iter([b"\xff\x8d\x05"])).is_none(), "an ERR");
    }

    #[test]
    fn the_command_says_that_rows_are_binary() {
        for command in [Command::STMT_EXECUTE, Command::STMT_BULK_EXECUTE] {
            let kept = kept(&[b"x"], Capabilities::empty());
            let layout = Layout::at(0, command, &kept, Capabilities::empty()).expect("columns");
            assert_eq!((layout.row_count(), layout.is_binary()), (1, true));
        }
    }
}
