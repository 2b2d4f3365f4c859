//! Payloads and the packets that they are sent in: one of the full length is continued by the next.

use wire::MAX_PAYLOAD;
pub use wire::packet::parts as packets;

/// The sequence id behind a payload whose first packet has this one.
pub fn id_behind(id: u8, payload: &[u8]) -> u8 {
    packets(payload).fold(id, |id, _| id.wrapping_add(1))
}

/// Joins packets to payloads.
#[derive(Debug, Default)]
pub struct Joiner(Vec<u8>);

impl Joiner {
    /// Takes a packet; gives the payload that it completes.
    pub fn push(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.0.extend_from_slice(packet);
        (packet.len() < MAX_PAYLOAD).then(|| std::mem::take(&mut self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_cut_and_joined() {
        for (len, count) in [(0, 1), (5, 1), (MAX_PAYLOAD, 2), (MAX_PAYLOAD + 1, 2)] {
            let payload = vec![7; len];
            let mut joiner = Joiner::default();
            let joined: Vec<_> = packets(&payload).map(|packet| joiner.push(packet)).collect();
            assert_eq!(joined.len(), count, "{len} bytes");
            let (last, most) = joined.split_last().expect("there is always one");
            assert!(most.iter().all(Option::is_none));
            assert!(last.as_ref() == Some(&payload), "{len} bytes");
            assert_eq!(usize::from(id_behind(250, &payload)), 250 + count);
        }
        assert_eq!(id_behind(255, b""), 0);
    }
}
