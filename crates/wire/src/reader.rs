//! Checked reads from a payload: the only way this crate takes bytes apart.
//!
//! Every read returns `Result`, there is no panicking twin. Data types as in
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_data_types.html>.

use crate::WireError;
use crate::lenenc::{self, LenEnc};

/// A position in a payload. After an error the position is unspecified; stop reading.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'p> {
    rest: &'p [u8],
}

/// A length as `u64`; exact on every platform Rust runs on.
pub(crate) fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl<'p> Reader<'p> {
    /// Starts at the first byte of `payload`.
    pub const fn new(payload: &'p [u8]) -> Self {
        Self { rest: payload }
    }

    /// What was not read yet; does not move.
    pub const fn peek_rest(&self) -> &'p [u8] {
        self.rest
    }

    /// Number of bytes not read yet.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> &'p [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Takes `n` bytes.
    pub fn bytes(&mut self, n: usize) -> Result<&'p [u8], WireError> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or_else(|| self.truncated(n))?;
        self.rest = rest;
        Ok(head)
    }

    /// Takes `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.truncated(N))?;
        self.rest = rest;
        Ok(*head)
    }

    /// `int<1>`
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `int<2>`, little endian
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    /// `int<3>`, little endian
    pub fn u24(&mut self) -> Result<u32, WireError> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// `int<4>`, little endian
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    /// `int<8>`, little endian
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    /// `string<NUL>`: up to a NUL, which is taken but not returned.
    pub fn nul(&mut self) -> Result<&'p [u8], WireError> {
        let end = self.rest.iter().position(|&b| b == 0).ok_or(WireError::MissingNul)?;
        let text = self.bytes(end)?;
        self.bytes(1)?;
        Ok(text)
    }

    /// Like [`nul`](Self::nul), but the end of the packet ends the string too: several clients and
    /// servers leave out the NUL of the last string.
    pub fn nul_or_rest(&mut self) -> &'p [u8] {
        self.nul().unwrap_or_else(|_| self.rest())
    }

    /// `int<lenenc>`, or the marker in its place.
    pub fn lenenc(&mut self) -> Result<LenEnc, WireError> {
        Ok(match self.u8()? {
            lenenc::NULL => LenEnc::Null,
            lenenc::U16 => LenEnc::Value(self.u16()?.into()),
            lenenc::U24 => LenEnc::Value(self.u24()?.into()),
            lenenc::U64 => LenEnc::Value(self.u64()?),
            lenenc::ERR => LenEnc::Err,
            value => LenEnc::Value(value.into()),
        })
    }

    /// `int<lenenc>` where no marker is allowed.
    pub fn lenenc_int(&mut self) -> Result<u64, WireError> {
        match self.lenenc()? {
            LenEnc::Value(value) => Ok(value),
            LenEnc::Null => Err(WireError::LenEnc(lenenc::NULL)),
            LenEnc::Err => Err(WireError::LenEnc(lenenc::ERR)),
        }
    }

    /// `string<lenenc>` where NULL is not allowed.
    pub fn lenenc_bytes(&mut self) -> Result<&'p [u8], WireError> {
        let len = self.lenenc_int()?;
        self.bytes_u64(len)
    }

    /// `string<lenenc>` or NULL (`None`): a cell of a text row.
    pub fn lenenc_cell(&mut self) -> Result<Option<&'p [u8]>, WireError> {
        match self.lenenc()? {
            LenEnc::Value(len) => self.bytes_u64(len).map(Some),
            LenEnc::Null => Ok(None),
            LenEnc::Err => Err(WireError::LenEnc(lenenc::ERR)),
        }
    }

    fn bytes_u64(&mut self, len: u64) -> Result<&'p [u8], WireError> {
        let n = usize::try_from(len)
            .map_err(|_| WireError::Truncated { needed: len, left: length(self.remaining()) })?;
        self.bytes(n)
    }

    fn truncated(&self, needed: usize) -> WireError {
        WireError::Truncated { needed: length(needed), left: length(self.remaining()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_little_endian() {
        let mut r = Reader::new(&[1, 2, 1, 3, 2, 1, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.u16(), Ok(0x0102));
        assert_eq!(r.u24(), Ok(0x01_0203));
        assert_eq!(r.u32(), Ok(0x0102_0304));
        assert_eq!(r.u64(), Ok(0x0102_0304_0506_0708));
        assert!(r.is_empty());
        assert_eq!(r.u8(), Err(WireError::Truncated { needed: 1, left: 0 }));
    }

    #[test]
    fn strings_end_at_nul() {
        let mut r = Reader::new(b"root\0db");
        assert_eq!(r.nul(), Ok(&b"root"[..]));
        assert_eq!(r.nul(), Err(WireError::MissingNul));
        assert_eq!(r.nul_or_rest(), b"db");
        assert_eq!(r.nul_or_rest(), b"");
    }

    #[test]
    fn an_announced_length_is_not_believed() {
        let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'x'];
        assert_eq!(
            Reader::new(&huge).lenenc_bytes(),
            Err(WireError::Truncated { needed: u64::MAX, left: 1 })
        );
    }

    #[test]
    fn a_cell_is_null_or_bytes() {
        let mut r = Reader::new(&[0xfb, 0, 2, b'h', b'i', 0xff]);
        assert_eq!(r.lenenc_cell(), Ok(None));
        assert_eq!(r.lenenc_cell(), Ok(Some(&b""[..])));
        assert_eq!(r.lenenc_cell(), Ok(Some(&b"hi"[..])));
        assert_eq!(r.lenenc_cell(), Err(WireError::LenEnc(0xff)));
    }
}
