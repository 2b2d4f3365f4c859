//! The character sets of columns whose fields name none: their cells decide.
//!
//! A column of text with one cell of bytes is binary, as its values may be no text; a BLOB column whose cells are text is
//! one of TEXT, which has the same type on the wire.

use wire::collation::{BINARY, UTF8MB4_GENERAL_CI};
use wire::result::ColumnType;

use super::cells::Kind;
use super::columns::NewColumn;
use crate::codec::Codec;
use crate::column::Column;

/// What the cells of the columns were so far.
#[derive(Debug)]
pub struct Charsets(Vec<Seen>);

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    /// The cells decide.
    is_open: bool,
    text: bool,
    bytes: bool,
}

impl Charsets {
    /// For these columns.
    pub fn new(columns: &[NewColumn]) -> Self {
        let open = |new: &NewColumn| {
            !new.names_charset && new.names_type && depends_on_cells(new.column.column_type)
        };
        let seen = columns.iter().map(|new| Seen { is_open: open(new), ..Seen::default() });
        Self(seen.collect())
    }

    /// A cell of column `n` was of this kind.
    pub fn saw(&mut self, n: usize, kind: Kind) {
        if let Some(seen) = self.0.get_mut(n) {
            seen.text |= kind == Kind::Text;
            seen.bytes |= kind == Kind::Bytes;
        }
    }

    /// The columns that are other than they were taken for.
    pub fn changed<'c>(
        &self,
        columns: &'c [NewColumn],
    ) -> impl Iterator<Item = (usize, Column)> + use<'_, 'c> {
        self.0.iter().zip(columns).enumerate().filter_map(|(n, (seen, new))| {
            let column = &new.column;
            let charset = match seen {
                Seen { is_open: false, .. } => return None,
                Seen { bytes: true, .. } => BINARY,
                Seen { text: true, .. } => UTF8MB4_GENERAL_CI,
                _ => return None,
            };
            (charset != column.charset).then(|| (n, column.in_charset(charset)))
        })
    }
}

/// Whether values of this type are text or bytes, as the character set says.
fn depends_on_cells(column_type: ColumnType) -> bool {
    let like = |charset| Codec::of(charset, column_type) == Codec::Bytes;
    like(BINARY) && !like(UTF8MB4_GENERAL_CI)
}
