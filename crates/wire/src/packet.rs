//! Framing: the 4-byte header in front of every payload, and payloads of 16 MiB and more.
//!
//! A payload of [`MAX_PAYLOAD`] bytes or more travels in several packets; the first one that is
//! shorter than `MAX_PAYLOAD` ends it, if need be an empty one. Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>.

use crate::reader::length;
use crate::{Reader, WireError, Writer};

/// Length of a packet header, in bytes.
pub const HEADER_LEN: usize = 4;
/// Longest payload of one packet, in bytes. A packet of exactly this length is continued by the
/// next one.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// Header of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of the payload of this packet, in bytes, at most [`MAX_PAYLOAD`].
    pub len: u32, // int<3>
    /// Sequence id; starts at 0 with every command and wraps.
    pub id: u8, // int<1>
}

impl Header {
    /// Reads the first four bytes of `bytes`; more may follow.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        match bytes.first_chunk() {
            Some(&[a, b, c, id]) => Ok(Self { len: u32::from_le_bytes([a, b, c, 0]), id }),
            None => {
                let (needed, left) = (length(HEADER_LEN), length(bytes.len()));
                Err(WireError::Truncated { needed, left })
            }
        }
    }

    /// The header as sent. Only the low 24 bits of `len` exist on the wire.
    pub const fn encode(self) -> [u8; HEADER_LEN] {
        let [a, b, c, _] = self.len.to_le_bytes();
        [a, b, c, self.id]
    }
}

/// Appends `payload` to `out` with headers, split where necessary, ids counting up from `first_id`.
///
/// Returns the id that the next packet of the same exchange takes. An empty payload is one empty
/// packet.
pub fn frame(payload: &[u8], first_id: u8, out: &mut Vec<u8>) -> u8 {
    let mut id = first_id;
    let mut rest = payload;
    out.reserve(payload.len().saturating_add(HEADER_LEN));
    loop {
        let (chunk, tail) = rest.split_at_checked(MAX_PAYLOAD).unwrap_or((rest, &[]));
        // A chunk has at most 24 bits of length, so the conversion is exact.
        let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let mut w = Writer::new(out);
        w.u24(len);
        w.u8(id);
        w.bytes(chunk);
        id = id.wrapping_add(1);
        rest = tail;
        if chunk.len() < MAX_PAYLOAD {
            return id;
        }
    }
}

/// The parts of a payload that travel in a packet each.
pub fn parts(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let count = payload.len() / MAX_PAYLOAD + 1;
    (0..count).map(move |n| {
        let rest = payload.get(n * MAX_PAYLOAD..).unwrap_or_default();
        rest.get(..MAX_PAYLOAD).unwrap_or(rest)
    })
}

/// Walks over framed bytes, packet by packet, without joining continued payloads.
///
/// A last packet that is cut off yields an error, after which the iteration ends.
#[derive(Debug, Clone)]
pub struct Packets<'b> {
    rest: Reader<'b>,
}

/// Starts a walk over `framed`, a sequence of packets with headers.
pub const fn packets(framed: &[u8]) -> Packets<'_> {
    Packets { rest: Reader::new(framed) }
}

impl<'b> Packets<'b> {
    fn packet(&mut self) -> Result<(Header, &'b [u8]), WireError> {
        let header = Header { len: self.rest.u24()?, id: self.rest.u8()? };
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        Ok((header, self.rest.bytes(len)?))
    }
}

impl<'b> Iterator for Packets<'b> {
    type Item = Result<(Header, &'b [u8]), WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.packet();
        if packet.is_err() {
            self.rest.rest();
        }
        Some(packet)
    }
}

/// Takes the headers off `framed` and joins continued payloads: the reverse of [`frame`].
///
/// Ids are not looked at. A payload whose closing packet is missing is an error.
pub fn join(framed: &[u8]) -> Result<Vec<Vec<u8>>, WireError> {
    let mut payloads = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for packet in packets(framed) {
        let (_, chunk) = packet?;
        let mut payload = open.take().unwrap_or_default();
        payload.extend_from_slice(chunk);
        if chunk.len() < MAX_PAYLOAD {
            payloads.push(payload);
        } else {
            open = Some(payload);
        }
    }
    match open {
        None => Ok(payloads),
        Some(_) => Err(WireError::Truncated { needed: 4, left: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens_and_ids(framed: &[u8]) -> Vec<(u32, u8)> {
        packets(framed).map(|p| p.map(|(h, _)| (h.len, h.id)).unwrap()).collect()
    }

    #[test]
    fn header_golden() {
        let header = Header { len: 0x01_0203, id: 7 };
        assert_eq!(header.encode(), [3, 2, 1, 7]);
        assert_eq!(Header::parse(&[3, 2, 1, 7, 99]), Ok(header));
        assert!(Header::parse(&[3, 2, 1]).is_err());
    }

    #[test]
    fn small_payloads_take_one_packet() {
        let mut out = Vec::new();
        let id = frame(b"\x03SELECT 1", 0, &mut out);
        assert_eq!(id, 1);
        assert_eq!(out, b"\x09\0\0\0\x03SELECT 1");
        assert_eq!(frame(b"", 255, &mut out), 0);
        assert_eq!(lens_and_ids(&out), [(9, 0), (0, 255)]);
        assert_eq!(join(&out).unwrap(), [b"\x03SELECT 1".to_vec(), Vec::new()]);
    }

    #[test]
    fn splits_at_the_maximum_and_closes_an_exact_multiple() {
        for (extra, last) in [(0, 0), (1, 1)] {
            let payload = vec![7; MAX_PAYLOAD + extra];
            let mut out = Vec::new();
            assert_eq!(frame(&payload, 3, &mut out), 5);
            assert_eq!(lens_and_ids(&out), [(0xff_ffff, 3), (last, 4)]);
            assert!(join(&out).unwrap() == [payload]);
        }
    }

    #[test]
    fn cut_input_is_an_error() {
        let mut out = Vec::new();
        frame(b"abc", 0, &mut out);
        for end in 1..out.len() {
            assert!(join(&out[..end]).is_err(), "cut at {end}");
        }
        let mut open = Header { len: 0xff_ffff, id: 0 }.encode().to_vec();
        open.resize(HEADER_LEN + MAX_PAYLOAD, 0);
        assert!(join(&open).is_err(), "a full packet needs a closing one");
    }
}
