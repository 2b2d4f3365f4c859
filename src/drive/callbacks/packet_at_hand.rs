//! The packet that a callback is about.

use engine::Incoming;

use crate::chassis::{CommandPackets, Packet, Socket};

/// A packet that was taken out of the host's queue, until it is passed on or dropped.
#[derive(Debug)]
pub enum AtHand {
    /// One packet.
    One(Packet),
    /// A command, with all its parts.
    Command(CommandPackets),
}

impl AtHand {
    /// Shows it to `f` as the engine sees it.
    #[inline(always)]
    pub fn show<R>(&self, f: impl FnOnce(Incoming<'_>) -> R) -> R {
        match self {
            Self::One(packet) => f(Incoming::single(packet.id(), packet.payload())),
            Self::Command(packets) => {
                let rest: Vec<_> = packets.rest.iter().map(Packet::payload).collect();
                let (id, payload) = (packets.first.id(), packets.first.payload());
                f(Incoming { id, payload, rest: &rest })
            }
        }
    }

    /// Queues it for `socket`, its first part with this sequence id.
    pub fn pass(self, socket: Socket<'_>, id: u8) {
        match self {
            Self::One(packet) => socket.append(packet, id),
            Self::Command(packets) => socket.append_command(packets, id),
        }
    }
}
