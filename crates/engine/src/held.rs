//! A packet that is needed later than the driver has it.

use crate::Incoming;

/// A copy of a packet.
#[derive(Debug)]
pub struct Held {
    id: u8,
    first: Vec<u8>,
    rest: Vec<Vec<u8>>,
}

impl Held {
    /// Copies the packet.
    pub fn new(packet: Incoming<'_>) -> Self {
        let rest = packet.rest.iter().map(|part| part.to_vec()).collect();
        Self { id: packet.id, first: packet.payload.to_vec(), rest }
    }

    /// Shows it as it came.
    pub fn show<R>(&self, f: impl FnOnce(Incoming<'_>) -> R) -> R {
        let rest: Vec<_> = self.rest.iter().map(Vec::as_slice).collect();
        f(Incoming { id: self.id, payload: &self.first, rest: &rest })
    }
}
