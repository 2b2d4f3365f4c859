//! Sequence ids: each exchange counts up on each side.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>.

use wire::MAX_PAYLOAD;

use crate::Incoming;

/// The ids of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    last: u8,
    fresh: bool,
    in_frames: bool,
}

impl Default for Numbering {
    fn default() -> Self {
        Self { last: 0, fresh: true, in_frames: false }
    }
}

impl Numbering {
    /// A new exchange: the next packet starts it.
    pub fn restart(&mut self) {
        self.fresh = true;
    }

    /// Whether this id is the next one.
    pub fn is_next(&self, id: u8) -> bool {
        self.fresh || id == self.expected()
    }

    /// Whether the frames of compression are what is numbered: the ids of what arrives in them mean nothing.
    pub fn leave_to_frames(&mut self, in_frames: bool) {
        self.in_frames = in_frames;
    }

    /// See [`Numbering::leave_to_frames`].
    pub fn are_left_to_frames(&self) -> bool {
        self.in_frames
    }

    /// The packet, with the id that it has to have if its own means nothing.
    pub fn numbered<'p>(&self, packet: Incoming<'p>) -> Incoming<'p> {
        Incoming { id: self.id_of(packet.id), ..packet }
    }

    /// The same for the id alone.
    #[inline]
    pub fn id_of(&self, id: u8) -> u8 {
        if self.in_frames { self.expected() } else { id }
    }

    fn expected(&self) -> u8 {
        if self.fresh { 0 } else { self.last.wrapping_add(1) }
    }

    /// A packet of `parts` packets arrived; `false` if its first id is not the next one. Any id may start an exchange.
    pub fn received(&mut self, id: u8, last_id: u8) -> bool {
        let in_order = self.is_next(id);
        self.set(last_id);
        in_order
    }

    /// The id for a payload of this length that is sent next.
    pub fn next(&mut self, payload_len: usize) -> u8 {
        let id = self.expected();
        let continued = (payload_len / MAX_PAYLOAD).to_le_bytes();
        self.set(id.wrapping_add(continued.first().copied().unwrap_or_default()));
        id
    }

    /// The id for one packet of a longer payload.
    pub fn next_part(&mut self) -> u8 {
        self.next(0)
    }

    /// The id for a packet that is passed on and arrived with the ids `id` to `last_id`: at the start of an exchange it
    /// keeps them.
    pub fn pass(&mut self, id: u8, last_id: u8) -> u8 {
        let first = if self.fresh { id } else { self.last.wrapping_add(1) };
        self.set(first.wrapping_add(last_id.wrapping_sub(id)));
        first
    }

    fn set(&mut self, last: u8) {
        (self.last, self.fresh) = (last, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_and_wrap() {
        let mut ids = Numbering::default();
        assert!(ids.received(255, 255), "any id may start an exchange");
        assert_eq!((ids.next(3), ids.next(3)), (0, 1));
        assert!(ids.received(2, 2));
        assert!(!ids.received(4, 4));
        ids.restart();
        assert_eq!(ids.next(0), 0);
    }

    #[test]
    fn long_payloads_take_several_ids() {
        let mut ids = Numbering::default();
        assert_eq!(ids.next(2 * MAX_PAYLOAD), 0);
        assert_eq!(ids.next_part(), 3, "the last of the three parts was empty");
    }

    #[test]
    fn a_packet_that_starts_an_exchange_keeps_its_ids() {
        let mut ids = Numbering::default();
        assert_eq!(ids.pass(2, 4), 2);
        assert_eq!(ids.pass(9, 9), 5);
    }
}
