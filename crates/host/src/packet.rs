//! The frame of a MySQL packet and the numbering rules of a socket. Pure: no pointers, no I/O.
//!
//! Facts: `docs/internals/packets.md#sequence-ids`.

pub use wire::{HEADER_LEN, MAX_PAYLOAD};

/// Payload length in the header at the start of `bytes`; `None` when there is no whole header.
pub fn payload_len(bytes: &[u8]) -> Option<usize> {
    let [a, b, c, _] = *bytes.first_chunk::<HEADER_LEN>()?;
    usize::try_from(u32::from_le_bytes([a, b, c, 0])).ok()
}

/// Sequence id in the header at the start of `bytes`.
pub fn sequence_id(bytes: &[u8]) -> Option<u8> {
    bytes.get(HEADER_LEN - 1).copied()
}

/// The header of a packet with `payload_len` bytes; `None` above [`MAX_PAYLOAD`].
pub fn header(payload_len: usize, sequence_id: u8) -> Option<[u8; HEADER_LEN]> {
    let [a, b, c, 0] = u32::try_from(payload_len).ok()?.to_le_bytes() else {
        return None;
    };
    Some([a, b, c, sequence_id])
}

/// The payload of the packet that `bytes` starts with.
pub fn payload(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(HEADER_LEN..)
}

/// Whether `bytes` is one or more whole packets and nothing else.
pub fn is_whole_packets(mut bytes: &[u8]) -> bool {
    loop {
        let Some(rest) = payload_len(bytes).and_then(|len| bytes.get(HEADER_LEN + len..)) else {
            return false;
        };
        if rest.is_empty() {
            return true;
        }
        bytes = rest;
    }
}

/// Whether `bytes` is one frame of the compressed protocol that is not compressed: header of seven bytes, then packets.
pub fn is_plain_frame(bytes: &[u8]) -> bool {
    let (Some(len), Some([0, 0, 0, packets @ ..])) = (payload_len(bytes), payload(bytes)) else {
        return false;
    };
    packets.len() == len && is_whole_packets(packets)
}

/// How the payload of a command or answer is cut into packets: at [`MAX_PAYLOAD`], with an empty packet behind an
/// exact multiple. An empty payload is one empty packet.
pub fn split(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let closing =
        (!payload.is_empty() && payload.len().is_multiple_of(MAX_PAYLOAD)).then_some(&[][..]);
    let only = payload.is_empty().then_some(&[][..]);
    only.into_iter().chain(payload.chunks(MAX_PAYLOAD)).chain(closing)
}

/// The sequence numbers of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    /// Id of the last packet read or queued.
    pub last: u8,
    /// Whether the next packet starts a new exchange.
    pub reset: bool,
}

/// A packet came with an id that does not follow the one before.
#[derive(Debug, PartialEq, Eq)]
pub struct OutOfSync {
    /// The id in the packet.
    pub received: u8,
    /// The id that would have followed.
    pub expected: u8,
}

impl Numbering {
    /// Accounts for a received packet.
    pub fn receive(&mut self, id: u8) -> Result<(), OutOfSync> {
        let expected = self.last.wrapping_add(1);
        if !self.reset && id != expected {
            return Err(OutOfSync { received: id, expected });
        }
        *self = Self { last: id, reset: false };
        Ok(())
    }

    /// The id that a packet queued with `id` has to carry: its own at the start of an exchange, else the next one.
    pub fn adopt(&mut self, id: u8) -> u8 {
        let id = if self.reset { id } else { self.last.wrapping_add(1) };
        *self = Self { last: id, reset: false };
        id
    }

    /// The id of a packet that the host makes: 0 at the start of an exchange.
    pub fn next(&mut self) -> u8 {
        self.adopt(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_round_trip_and_too_long_payloads_have_none() {
        let made = header(0x03_02_01, 7).expect("fits");
        assert_eq!(made, [1, 2, 3, 7]);
        assert_eq!(payload_len(&made), Some(0x03_02_01));
        assert_eq!(sequence_id(&made), Some(7));
        assert_eq!(header(MAX_PAYLOAD, 0), Some([0xff, 0xff, 0xff, 0]));
        assert_eq!(header(MAX_PAYLOAD + 1, 0), None);
        assert_eq!(payload_len(&[1, 0, 0]), None);
    }

    #[test]
    fn only_whole_packets_count() {
        assert!(is_whole_packets(&[0, 0, 0, 0]));
        assert!(is_whole_packets(&[1, 0, 0, 0, 9, 2, 0, 0, 1, 8, 8]));
        assert!(!is_whole_packets(&[]));
        assert!(!is_whole_packets(&[1, 0, 0, 0]));
        assert!(!is_whole_packets(&[1, 0, 0, 0, 9, 9]));
        assert!(!is_whole_packets(&[0, 0, 0, 0, 1, 0, 0]));
    }

    #[test]
    fn a_frame_of_the_compressed_protocol_holds_whole_packets() {
        assert!(is_plain_frame(&[5, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 9]));
        assert!(!is_plain_frame(&[5, 0, 0, 1, 7, 0, 0, 1, 0, 0, 1, 9]), "compressed");
        assert!(!is_plain_frame(&[4, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 9]), "too long");
        assert!(!is_plain_frame(&[5, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 9]), "a packet is cut");
        assert!(!is_plain_frame(&[0, 0, 0, 1]));
    }

    #[test]
    fn payloads_split_at_sixteen_megabytes() {
        let lens = |len: usize| split(&vec![0; len]).map(<[u8]>::len).collect::<Vec<_>>();
        assert_eq!(lens(0), [0]);
        assert_eq!(lens(5), [5]);
        assert_eq!(lens(MAX_PAYLOAD - 1), [MAX_PAYLOAD - 1]);
        assert_eq!(lens(MAX_PAYLOAD), [MAX_PAYLOAD, 0]);
        assert_eq!(lens(MAX_PAYLOAD + 1), [MAX_PAYLOAD, 1]);
        assert_eq!(lens(2 * MAX_PAYLOAD), [MAX_PAYLOAD, MAX_PAYLOAD, 0]);
    }

    #[test]
    fn ids_follow_each_other_and_wrap() {
        let mut ids = Numbering { last: 9, reset: true };
        assert_eq!(ids.receive(254), Ok(()));
        assert_eq!(ids.receive(255), Ok(()));
        assert_eq!(ids.receive(0), Ok(()));
        assert_eq!(ids.receive(0), Err(OutOfSync { received: 0, expected: 1 }));
        assert_eq!(ids, Numbering { last: 0, reset: false });
    }

    #[test]
    fn queued_packets_keep_their_id_only_after_a_reset() {
        let mut ids = Numbering { last: 9, reset: true };
        assert_eq!(ids.adopt(3), 3);
        assert_eq!(ids.adopt(9), 4);
        ids.reset = true;
        assert_eq!(ids.next(), 0);
        assert_eq!(ids.next(), 1);
    }
}
