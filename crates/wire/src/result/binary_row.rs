//! Rows of the binary protocol: a NULL bitmap, then the values that are not NULL.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! "Binary Protocol Resultset Row". A row can be read only with the types of its columns.

use std::iter::{Enumerate, FusedIterator};
use std::slice;

use crate::binary::{BinaryValue, NullBitmap, NullBitmapSpace, ValueType};
use crate::{Reader, WireError, Writer};

const MARKER: u8 = 0x00;
/// Unused bits in front of the NULL bitmap.
const NULL_OFFSET: usize = 2;

/// Walks over the values of one row, without allocating.
///
/// The payload is the whole row: join it first when it took several packets. Yields one value per
/// column; ends after the first malformed value, which yields an error. What follows the last value
/// is ignored, as clients ignore it.
#[derive(Debug, Clone)]
pub struct BinaryRow<'p, 't> {
    types: Enumerate<slice::Iter<'t, ValueType>>,
    nulls: NullBitmap<'p>,
    rest: Reader<'p>,
}

impl<'p, 't> BinaryRow<'p, 't> {
    /// Reads the head of a row with columns of these types.
    pub fn parse(payload: &'p [u8], types: &'t [ValueType]) -> Result<Self, WireError> {
        let mut r = Reader::new(payload);
        match r.u8()? {
            MARKER => {}
            found => return Err(WireError::Marker { packet: "a binary row", found }),
        }
        let nulls = NullBitmap::read(&mut r, types.len(), NULL_OFFSET)?; // binary<(n + 9) / 8>
        Ok(Self { types: types.iter().enumerate(), nulls, rest: r })
    }
}

impl<'p> Iterator for BinaryRow<'p, '_> {
    type Item = Result<BinaryValue<'p>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (index, &value_type) = self.types.next()?;
        if self.nulls.is_null(index) {
            return Some(Ok(BinaryValue::Null));
        }
        let value = BinaryValue::read(&mut self.rest, value_type);
        if value.is_err() {
            self.types = [].iter().enumerate();
        }
        Some(value)
    }
}

impl FusedIterator for BinaryRow<'_, '_> {}

/// Appends the payload of a binary row to `out`.
///
/// There must be one cell per column, and each one a value of its column's type, see
/// [`BinaryValue::write`]. On an error `out` is as it was.
pub fn encode_binary_row<'c>(
    out: &mut Vec<u8>,
    types: &[ValueType],
    cells: impl IntoIterator<Item = BinaryValue<'c>>,
) -> Result<(), WireError> {
    all_or_nothing(out, types, cells.into_iter().map(|value| move |_| Ok(value)))
}

/// Appends the payload of a binary row that is made from cells of the text protocol. `None` is
/// NULL.
///
/// There must be one cell per column, and each one the text of a value of its column's type, see
/// [`BinaryValue::from_text`]. On an error `out` is as it was.
pub fn encode_binary_row_from_text<'c>(
    out: &mut Vec<u8>,
    types: &[ValueType],
    cells: impl IntoIterator<Item = Option<&'c [u8]>>,
) -> Result<(), WireError> {
    let convert = |cell: Option<&'c [u8]>| {
        move |value_type| match cell {
            Some(text) => BinaryValue::from_text(text, value_type),
            None => Ok(BinaryValue::Null),
        }
    };
    all_or_nothing(out, types, cells.into_iter().map(convert))
}

/// Appends a row whose cells are made once their type is known.
fn all_or_nothing<'c, F>(
    out: &mut Vec<u8>,
    types: &[ValueType],
    cells: impl Iterator<Item = F>,
) -> Result<(), WireError>
where
    F: FnOnce(ValueType) -> Result<BinaryValue<'c>, WireError>,
{
    let start = out.len();
    let result = append(out, types, cells);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn append<'c, F>(
    out: &mut Vec<u8>,
    types: &[ValueType],
    mut cells: impl Iterator<Item = F>,
) -> Result<(), WireError>
where
    F: FnOnce(ValueType) -> Result<BinaryValue<'c>, WireError>,
{
    out.push(MARKER);
    let nulls = NullBitmapSpace::reserve(out, types.len(), NULL_OFFSET);
    for (index, &value_type) in types.iter().enumerate() {
        let cell = cells.next().ok_or(WireError::CellCount { expected: types.len() })?;
        match cell(value_type)? {
            BinaryValue::Null => nulls.set_null(out, index),
            value => value.write(&mut Writer::new(out), value_type)?,
        }
    }
    match cells.next() {
        None => Ok(()),
        Some(_) => Err(WireError::CellCount { expected: types.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::ColumnType;

    const TYPES: [ValueType; 3] = [
        ValueType::new(ColumnType::LONG),
        ValueType::new(ColumnType::VAR_STRING),
        ValueType::unsigned(ColumnType::TINY),
    ];
    const GOLDEN: &[u8] = b"\x00\x00\x02\x00\x00\x00\x01z\xff";
    const WITH_NULL: &[u8] = b"\x00\x08\x03\x00\x00\x00\x07";

    fn cells() -> [BinaryValue<'static>; 3] {
        [BinaryValue::Int(2), BinaryValue::Bytes(b"z"), BinaryValue::UInt(255)]
    }

    #[test]
    fn golden_both_ways() {
        let with_null = [BinaryValue::Int(3), BinaryValue::Null, BinaryValue::UInt(7)];
        for (golden, cells) in [(GOLDEN, cells()), (WITH_NULL, with_null)] {
            let read: Result<Vec<_>, _> = BinaryRow::parse(golden, &TYPES).unwrap().collect();
            assert_eq!(read.unwrap(), cells);
            let mut out = b"before".to_vec();
            encode_binary_row(&mut out, &TYPES, cells).unwrap();
            assert_eq!(out, [b"before", golden].concat());
        }
    }

    #[test]
    fn text_cells_take_the_types_of_the_columns() {
        let mut out = Vec::new();
        let cells = [Some(&b"2"[..]), Some(b"z"), Some(b"255")];
        encode_binary_row_from_text(&mut out, &TYPES, cells).unwrap();
        assert_eq!(out, GOLDEN);
        out.clear();
        encode_binary_row_from_text(&mut out, &TYPES, [Some(&b"3"[..]), None, Some(b"7")]).unwrap();
        assert_eq!(out, WITH_NULL);
    }

    #[test]
    fn an_error_leaves_nothing_behind() {
        let mut out = b"before".to_vec();
        let text = [Some(&b"2"[..]), Some(b"z"), Some(b"256")];
        assert_eq!(
            encode_binary_row_from_text(&mut out, &TYPES, text),
            Err(WireError::ValueMismatch { column_type: 1 })
        );
        let count = Err(WireError::CellCount { expected: 3 });
        assert_eq!(encode_binary_row(&mut out, &TYPES, cells().into_iter().take(2)), count);
        assert_eq!(
            encode_binary_row(&mut out, &TYPES, cells().into_iter().chain([BinaryValue::Null])),
            count
        );
        assert_eq!(out, b"before");
    }

    #[test]
    fn a_malformed_value_ends_the_row() {
        let mut cut = BinaryRow::parse(b"\x00\x00\x02\x00\x00\x00\x05z", &TYPES).unwrap();
        assert_eq!(cut.next(), Some(Ok(BinaryValue::Int(2))));
        assert_eq!(cut.next(), Some(Err(WireError::Truncated { needed: 5, left: 1 })));
        assert_eq!(cut.next(), None);
    }

    #[test]
    fn refuses_what_is_no_row() {
        assert!(BinaryRow::parse(b"", &TYPES).is_err());
        assert!(BinaryRow::parse(b"\x00", &TYPES).is_err());
        let eof = BinaryRow::parse(b"\xfe\0\0\x02\0", &TYPES).map(|_| ());
        assert_eq!(eof, Err(WireError::Marker { packet: "a binary row", found: 0xfe }));
    }
}
