//! The compressed protocol, as far as a proxy that does not speak it must know it: to recognise a
//! client that does, and to tell it so in its own framing.
//!
//! A frame is a header of seven bytes (length of the body, sequence number, length of the body
//! before compression or 0 if it is not compressed) and the body, which holds ordinary packets.
//! Sources:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression_packet.html>,
//! RFC 1950 2.2 (zlib), RFC 8878 3.1.1 (zstd).

use crate::packet::frame;
use crate::{HEADER_LEN, Reader, WireError, Writer};

/// First byte of a zlib stream as every client writes it: deflate, window of 32 KiB.
const ZLIB: u8 = 0x78;
/// First bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether the first command of a client is really the start of a compressed frame.
///
/// `payload` is what a reader of ordinary packets takes for the payload: the header's last three
/// bytes and the body but for *its* last three. For a client that was refused compression and
/// honours that, no command looks like this: byte 0 is not sent as a command, and no statement has
/// the magic of a compressor behind its third byte.
pub fn is_frame(payload: &[u8]) -> bool {
    inspect(payload).unwrap_or(false)
}

fn inspect(payload: &[u8]) -> Result<bool, WireError> {
    let mut r = Reader::new(payload);
    let plain_len = r.u24()?; // int<3>
    let body = r.rest();
    if plain_len == 0 {
        return Ok(starts_with_packet(body));
    }
    let zlib = match body {
        [first @ ZLIB, check, ..] => ((u16::from(*first) << 8) | u16::from(*check)) % 31 == 0,
        _ => false,
    };
    Ok(zlib || body.starts_with(&ZSTD))
}

/// Whether an uncompressed body, of which the last three bytes are missing, starts with the header
/// of a packet that fills it. The shortest one, a command without argument, lacks half its header.
fn starts_with_packet(body: &[u8]) -> bool {
    let whole = body.len().saturating_add(3);
    let Some(len) = whole.checked_sub(HEADER_LEN).and_then(|len| u32::try_from(len).ok()) else {
        return false;
    };
    let header = crate::Header { len, id: 0 }.encode();
    body.iter().zip(header).all(|(byte, want)| *byte == want)
}

/// A frame with one packet, not compressed, that answers the client's first command. The packet
/// must be shorter than 16 MiB; a longer one is cut.
pub fn answer_frame(payload: &[u8]) -> Vec<u8> {
    const FIRST_ANSWER: u8 = 1;
    let longest = crate::MAX_PAYLOAD.saturating_sub(2 * HEADER_LEN);
    let mut packet = Vec::new();
    frame(payload.get(..longest).unwrap_or(payload), FIRST_ANSWER, &mut packet);
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    w.u24(u32::try_from(packet.len()).unwrap_or(u32::MAX));
    w.u8(FIRST_ANSWER);
    w.u24(0);
    w.bytes(&packet);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader of ordinary packets makes of a frame.
    fn misread(plain_len: u32, body: &[u8]) -> Vec<u8> {
        let [a, b, c, _] = plain_len.to_le_bytes();
        let mut bytes = vec![a, b, c];
        bytes.extend_from_slice(body);
        bytes.truncate(body.len());
        bytes
    }

    #[test]
    fn frames_of_both_compressors_are_recognised() {
        for check in [0x01, 0x5e, 0x9c, 0xda] {
            assert!(is_frame(&misread(100, &[ZLIB, check, 1, 2, 3, 4, 5, 6])));
        }
        assert!(is_frame(&misread(0x03_4553, b"\x28\xb5\x2f\xfd\x20\x64\x01\x02\x03\x04")));
        assert!(!is_frame(&misread(100, &[ZLIB, 0x9d, 1, 2, 3, 4, 5, 6])));
    }

    #[test]
    fn frames_that_are_not_compressed_are_recognised() {
        assert!(is_frame(&misread(0, b"\x01\0\0\0\x0e")), "a ping");
        assert!(is_frame(&misread(0, b"\x09\0\0\0\x03SELECT 1")));
        assert!(!is_frame(&misread(0, b"\x09\0\0\0\x03SELECT 12")), "another length");
        assert!(!is_frame(&misread(0, b"\x09\0\0\x01\x03SELECT 1")), "another number");
    }

    #[test]
    fn ordinary_commands_are_not() {
        let commands: [&[u8]; 9] = [
            b"",
            b"\x0e",
            b"\x03x",
            b"\x03SELECT 1",
            b"\x03SELECT 'x\x9c'",
            b"\x02test",
            b"\x16SELECT ?",
            b"\x17\x01\0\0\0\0\x01\0\0\0",
            b"\0\0\0",
        ];
        for command in commands {
            assert!(!is_frame(command), "{}", command.escape_ascii());
        }
    }

    #[test]
    fn an_answer_is_one_packet_in_one_frame() {
        assert_eq!(answer_frame(b"\xffno"), b"\x07\0\0\x01\0\0\0\x03\0\0\x01\xffno");
        let long = answer_frame(&vec![7; crate::MAX_PAYLOAD]);
        let body = crate::Header::parse(&long).unwrap().len;
        assert_eq!(usize::try_from(body), Ok(long.len() - 7));
        assert!(u32::try_from(crate::MAX_PAYLOAD).is_ok_and(|most| body < most));
    }
}
