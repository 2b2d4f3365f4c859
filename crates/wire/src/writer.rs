//! Appends protocol data types to a payload; the mirror of [`reader`](crate::reader).

use crate::lenenc;
use crate::reader::length;

/// Appends to a borrowed buffer. Nothing here can fail: what could not be read back is refused by
/// the packet types before they write.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    /// Appends behind what `out` already holds.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// `n` NUL bytes.
    pub fn zeros(&mut self, n: usize) {
        self.out.resize(self.out.len().saturating_add(n), 0);
    }

    /// `int<1>`
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// `int<2>`
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// `int<3>`; the highest byte of `value` is not sent.
    pub fn u24(&mut self, value: u32) {
        let [a, b, c, _] = value.to_le_bytes();
        self.bytes(&[a, b, c]);
    }

    /// `int<4>`
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// `int<8>`
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// `string<NUL>`; `text` must not contain a NUL itself.
    pub fn nul(&mut self, text: &[u8]) {
        self.bytes(text);
        self.u8(0);
    }

    /// `int<lenenc>` in its shortest form.
    pub fn lenenc(&mut self, value: u64) {
        let [a, b, c, ..] = value.to_le_bytes();
        match lenenc::size(value) {
            1 => self.u8(a),
            3 => self.bytes(&[lenenc::U16, a, b]),
            4 => self.bytes(&[lenenc::U24, a, b, c]),
            _ => {
                self.u8(lenenc::U64);
                self.u64(value);
            }
        }
    }

    /// `string<lenenc>`
    pub fn lenenc_bytes(&mut self, bytes: &[u8]) {
        self.lenenc(length(bytes.len()));
        self.bytes(bytes);
    }

    /// `string<lenenc>`, or NULL for `None`.
    pub fn lenenc_cell(&mut self, cell: Option<&[u8]>) {
        match cell {
            Some(bytes) => self.lenenc_bytes(bytes),
            None => self.u8(lenenc::NULL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_in_wire_order() {
        let mut out = vec![9];
        let mut w = Writer::new(&mut out);
        w.u8(1);
        w.u16(0x0102);
        w.u24(0xff01_0203);
        w.u32(0x0102_0304);
        w.u64(0x0102_0304_0506_0708);
        w.nul(b"a");
        w.zeros(2);
        w.lenenc_cell(None);
        w.lenenc_cell(Some(b"hi"));
        let want =
            b"\x09\x01\x02\x01\x03\x02\x01\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01a\0\0\0\xfb\x02hi";
        assert_eq!(out, want);
    }
}
