//! Length-encoded integers: the first byte is the value, or says how many bytes follow, or marks
//! NULL or ERR.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html>. A
//! first byte of 0xfb or 0xff is *not* 251 or 255, therefore decoding returns an enum.

/// First byte of a NULL cell in a text row.
pub const NULL: u8 = 0xfb;
/// First byte of a 2-byte integer.
pub const U16: u8 = 0xfc;
/// First byte of a 3-byte integer.
pub const U24: u8 = 0xfd;
/// First byte of an 8-byte integer.
pub const U64: u8 = 0xfe;
/// First byte of an ERR packet; never a length.
pub const ERR: u8 = 0xff;

/// What stands where a length-encoded integer may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LenEnc {
    /// An integer.
    Value(u64),
    /// 0xfb: SQL NULL in a text row (at the start of an answer: a file request).
    Null,
    /// 0xff: the start of an ERR packet.
    Err,
}

/// Number of bytes that `value` takes when length-encoded: 1, 3, 4 or 9.
pub const fn size(value: u64) -> usize {
    match value {
        0..=0xfa => 1,
        0xfb..=0xffff => 3,
        0x1_0000..=0xff_ffff => 4,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reader, WireError, Writer};

    const GOLDEN: [(u64, &[u8]); 9] = [
        (0, &[0]),
        (250, &[0xfa]),
        (251, &[0xfc, 0xfb, 0]),
        (255, &[0xfc, 0xff, 0]),
        (0xffff, &[0xfc, 0xff, 0xff]),
        (0x1_0000, &[0xfd, 0, 0, 1]),
        (0xff_ffff, &[0xfd, 0xff, 0xff, 0xff]),
        (0x100_0000, &[0xfe, 0, 0, 0, 1, 0, 0, 0, 0]),
        (u64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ];

    #[test]
    fn every_width_both_ways() {
        for (value, bytes) in GOLDEN {
            let mut out = Vec::new();
            Writer::new(&mut out).lenenc(value);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(size(value), bytes.len(), "{value}");
            assert_eq!(Reader::new(bytes).lenenc(), Ok(LenEnc::Value(value)));
        }
    }

    #[test]
    fn markers_are_not_integers() {
        assert_eq!(Reader::new(&[0xfb]).lenenc(), Ok(LenEnc::Null));
        assert_eq!(Reader::new(&[0xff]).lenenc(), Ok(LenEnc::Err));
        assert_eq!(Reader::new(&[0xfb]).lenenc_int(), Err(WireError::LenEnc(0xfb)));
        assert_eq!(Reader::new(&[0xff]).lenenc_int(), Err(WireError::LenEnc(0xff)));
    }

    #[test]
    fn a_cut_integer_is_an_error() {
        for (_, bytes) in GOLDEN {
            for end in 0..bytes.len() {
                assert!(Reader::new(&bytes[..end]).lenenc().is_err(), "{bytes:x?} cut at {end}");
            }
        }
    }
}
