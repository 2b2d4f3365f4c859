//! Rows of the text protocol: one length-encoded string, or NULL, per column.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html>.
//! A row does not know its number of columns; it ends with the payload.

use crate::{Reader, WireError, lenenc};

/// Walks over the cells of one row, without allocating. `None` inside is NULL.
///
/// The payload is the whole row: join it first when it took several packets. Ends after the first
/// malformed cell, which yields an error.
#[derive(Debug, Clone)]
pub struct TextRow<'p> {
    rest: &'p [u8],
}

impl<'p> TextRow<'p> {
    /// Starts at the first cell.
    pub const fn new(payload: &'p [u8]) -> Self {
        Self { rest: payload }
    }

    /// Cells longer than 250 bytes and NULL.
    fn next_slow(&mut self) -> Result<Option<&'p [u8]>, WireError> {
        let mut r = Reader::new(self.rest);
        let cell = r.lenenc_cell();
        self.rest = if cell.is_ok() { r.peek_rest() } else { &[] };
        cell
    }
}

impl<'p> Iterator for TextRow<'p> {
    type Item = Result<Option<&'p [u8]>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&len, tail) = self.rest.split_first()?;
        if len < lenenc::NULL
            && let Some((cell, rest)) = tail.split_at_checked(len.into())
        {
            self.rest = rest;
            return Some(Ok(Some(cell)));
        }
        Some(self.next_slow())
    }
}

impl std::iter::FusedIterator for TextRow<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_in_order() {
        let long = vec![b'x'; 300];
        let payload = [b"\x011\xfb\x00\xfc\x2c\x01", &long[..], b"\x02hi"].concat();
        let cells: Result<Vec<_>, _> = TextRow::new(&payload).collect();
        let want = [Some(&b"1"[..]), None, Some(b""), Some(&long), Some(b"hi")];
        assert_eq!(cells.unwrap(), want);
    }

    #[test]
    fn a_cell_of_251_bytes_takes_three_length_bytes() {
        let payload = [&[0xfc, 0xfb, 0x00][..], &[b'x'; 251]].concat();
        let cells: Vec<_> = TextRow::new(&payload).collect();
        assert_eq!(cells, [Ok(Some(&[b'x'; 251][..]))]);
    }

    #[test]
    fn a_malformed_cell_ends_the_row() {
        let mut cut = TextRow::new(b"\x01a\x05bc");
        assert_eq!(cut.next(), Some(Ok(Some(&b"a"[..]))));
        assert_eq!(cut.next(), Some(Err(WireError::Truncated { needed: 5, left: 2 })));
        assert_eq!(cut.next(), None);
        let mut marker = TextRow::new(b"\xff\x01a");
        assert_eq!(marker.next(), Some(Err(WireError::LenEnc(0xff))));
        assert_eq!(marker.next(), None);
    }

    #[test]
    fn an_empty_payload_has_no_cells() {
        assert_eq!(TextRow::new(b"").next(), None);
    }
}
