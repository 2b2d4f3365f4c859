//! What the client of a connection sends and gets.

use super::payloads::{self, Joiner};

/// The client's end: sequence ids, and the payloads that it got.
#[derive(Debug, Default)]
pub struct ClientEnd {
    /// Of the client's next packet.
    next_id: u8,
    joiner: Joiner,
    sent: Vec<Vec<u8>>,
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

    /// Sends a whole payload.
    pub fn send(&mut self, id: u8, payload: &[u8]) {
        self.next_id = payloads::id_behind(id, payload);
        self.sent.push(payload.to_vec());
    }

    /// Sends one packet.
    pub fn send_packet(&mut self, id: u8, packet: &[u8]) {
        self.next_id = id.wrapping_add(1);
        self.sent.extend(self.joiner.push(packet));
    }

    /// Sends what is no packet.
    pub fn send_foreign(&mut self, bytes: &[u8]) {
        self.sent.push(bytes.to_vec());
    }

    /// What the client got since the last call.
    pub fn take_sent(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_there_when_it_is_complete() {
        let mut client = ClientEnd::default();
        client.send(0, b"greeting");
        client.send_packet(1, &vec![b'x'; wire::MAX_PAYLOAD]);
        assert_eq!(client.take_sent(), [b"greeting"]);
        client.send_packet(2, b"y");
        let [payload] = client.take_sent().try_into().expect("one payload");
        assert_eq!((payload.len(), payload.last()), (wire::MAX_PAYLOAD + 1, Some(&b'y')));
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
