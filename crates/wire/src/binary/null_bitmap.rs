//! The bitmap in front of binary values: which of them are NULL and therefore take no bytes.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! "NULL-Bitmap". Rows leave the first two bits unused, parameters do not; that is the offset.

use crate::{Reader, WireError, Writer};

/// Length of the bitmap for `count` values, in bytes.
const fn length(count: usize, offset: usize) -> usize {
    count.saturating_add(offset).div_ceil(8)
}

/// Byte and mask of a bit.
fn place(index: usize, offset: usize) -> (usize, u8) {
    let bit = index.saturating_add(offset);
    (bit / 8, 1 << (bit % 8))
}

/// A bitmap that was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NullBitmap<'p> {
    bits: &'p [u8],
    offset: usize,
}

impl<'p> NullBitmap<'p> {
    /// Takes the bitmap of `count` values.
    pub(crate) fn read(r: &mut Reader<'p>, count: usize, offset: usize) -> Result<Self, WireError> {
        Ok(Self { bits: r.bytes(length(count, offset))?, offset })
    }

    /// Whether the value at `index` is NULL.
    pub(crate) fn is_null(&self, index: usize) -> bool {
        let (at, mask) = place(index, self.offset);
        self.bits.get(at).is_some_and(|byte| byte & mask != 0)
    }
}

/// Room for a bitmap in an unfinished payload, filled while the values are written behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NullBitmapSpace {
    start: usize,
    offset: usize,
}

impl NullBitmapSpace {
    /// Appends a bitmap for `count` values, none of them NULL.
    pub(crate) fn reserve(out: &mut Vec<u8>, count: usize, offset: usize) -> Self {
        let start = out.len();
        Writer::new(out).zeros(length(count, offset));
        Self { start, offset }
    }

    /// Marks the value at `index`, which must be below the count, as NULL. `out` is the buffer the
    /// room was reserved in.
    pub(crate) fn set_null(&self, out: &mut [u8], index: usize) {
        let (at, mask) = place(index, self.offset);
        if let Some(byte) = out.get_mut(self.start.saturating_add(at)) {
            *byte |= mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bitmap with these values NULL.
    fn bitmap(count: usize, offset: usize, nulls: &[usize]) -> Vec<u8> {
        let mut out = Vec::new();
        let space = NullBitmapSpace::reserve(&mut out, count, offset);
        for &index in nulls {
            space.set_null(&mut out, index);
        }
        let read = NullBitmap::read(&mut Reader::new(&out), count, offset).unwrap();
        let found: Vec<_> = (0..count).filter(|&i| read.is_null(i)).collect();
        assert_eq!(found, nulls);
        out
    }

    #[test]
    fn rows_start_at_the_third_bit() {
        assert_eq!(bitmap(6, 2, &[0, 5]), [0b1000_0100]);
        assert_eq!(bitmap(7, 2, &[6]), [0, 1]);
        assert_eq!(bitmap(0, 2, &[]), [0]);
    }

    #[test]
    fn parameters_start_at_the_first_bit() {
        assert_eq!(bitmap(8, 0, &[0, 7]), [0b1000_0001]);
        assert_eq!(bitmap(9, 0, &[8]), [0, 1]);
        assert_eq!(bitmap(0, 0, &[]), [0_u8; 0]);
    }

    #[test]
    fn a_cut_bitmap_is_refused() {
        assert!(NullBitmap::read(&mut Reader::new(&[0]), 9, 0).is_err());
        assert!(NullBitmap::read(&mut Reader::new(&[0]), usize::MAX, 2).is_err());
    }
}
