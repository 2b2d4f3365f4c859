//! What the client of a connection sends and gets.

use super::payloads::{self, Joiner};

/// The client's end: sequence ids, and the payloads on their way to it.
#[derive(Debug, Default)]
pub struct ClientEnd {
    /// Of the client's next packet.
    next_id: u8,
    joiner: Joiner,
    /// Sent, but not written: lost if the connection breaks.
    queued: Vec<Vec<u8>>,
    written: Vec<Vec<u8>>,
}

impl ClientEnd {
    /// The id of a packet that the client sends in an exchange that goes on.
    pub fn take_id(&mut self) -> u8 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    /// The client begins a new exchange with a payload of this many packets.
    pub fn start_exchange(&mut self, payload: &[u8]) {
        self.next_id = payloads::id_behind(0, payload);
    }

    /// Queues a whole payload.
    pub fn send(&mut self, id: u8, payload: &[u8]) {
        self.next_id = payloads::id_behind(id, payload);
        self.queued.push(payload.to_vec());
    }

    /// Queues one packet.
    pub fn send_packet(&mut self, id: u8, packet: &[u8]) {
        self.next_id = id.wrapping_add(1);
        self.queued.extend(self.joiner.push(packet));
    }

    /// Queues what is no packet.
    pub fn send_foreign(&mut self, bytes: &[u8]) {
        self.queued.push(bytes.to_vec());
    }

    /// What is queued reaches the client.
    pub fn flush(&mut self) {
        self.written.append(&mut self.queued);
    }

    /// What is queued is lost.
    pub fn drop_queued(&mut self) {
        self.queued.clear();
        self.joiner = Joiner::default();
    }

    /// What the client got since the last call.
    pub fn take_written(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_is_lost_with_the_connection() {
        let mut client = ClientEnd::default();
        client.send(0, b"greeting");
        client.flush();
        client.send_packet(2, b"a row");
        client.drop_queued();
        assert_eq!(client.take_written(), [b"greeting"]);
        assert!(client.take_written().is_empty());
    }

    #[test]
    fn ids_go_on_within_an_exchange() {
        let mut client = ClientEnd::default();
        client.send(0, b"greeting");
        assert_eq!((client.take_id(), client.take_id()), (1, 2));
        client.start_exchange(b"\x03SELECT 1");
        assert_eq!(client.take_id(), 1);
    }
}
