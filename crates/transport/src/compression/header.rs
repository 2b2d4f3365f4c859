//! The header of a frame.

/// Bytes of a header.
pub(super) const LEN: usize = 7;

/// The longest data of a frame, compressed or not: both lengths have 3 bytes.
pub(super) const MAX_DATA: usize = 0xff_ffff;

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes behind the header.
    pub(super) length: usize,
    /// Restarts with each command, and wraps.
    pub(super) sequence: u8,
    /// Bytes that they become; 0 if they are stored as they are.
    pub(super) uncompressed: usize,
}

impl Header {
    pub(super) fn decode(bytes: [u8; LEN]) -> Self {
        let [a, b, c, sequence, d, e, f] = bytes;
        Self { length: number(a, b, c), sequence, uncompressed: number(d, e, f) }
    }

    pub(super) fn encode(self) -> [u8; LEN] {
        let [a, b, c, ..] = self.length.to_le_bytes();
        let [d, e, f, ..] = self.uncompressed.to_le_bytes();
        [a, b, c, self.sequence, d, e, f]
    }
}

/// `int<3>`
pub(super) fn number(a: u8, b: u8, c: u8) -> usize {
    usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_seven_bytes() {
        let header = Header { length: 0x0a_0b0c, sequence: 0xfe, uncompressed: MAX_DATA };
        assert_eq!(header.encode(), [0x0c, 0x0b, 0x0a, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!(Header::decode(header.encode()), header);
    }
}
