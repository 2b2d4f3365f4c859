//! A queued query on its way through the server, and its result (`inj`).

use std::time::Instant;

use wire::Capabilities;
use wire::result::Summary;
use wire::statement::Definitions;

use super::Query;
use crate::chassis::{Packet, release_memory};

/// What the kept packets of one result take, within a bound. Dropped after them, it gives the memory back to the system.
#[derive(Debug, Default)]
pub struct KeptMemory {
    bytes: usize,
    unwatched: usize,
    overflowed: bool,
}

impl KeptMemory {
    /// What a kept packet takes besides its bytes: its string, its place in the list, and what the allocator adds.
    const PER_PACKET: usize = 80;
    /// How much is read between two looks at the client.
    const WATCH_EVERY: usize = 64 << 10;
    /// Giving back less than this is not worth the walk through the heap.
    const LARGE: usize = 8 << 20;

    /// Whether the result was larger than the limit.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Whether it is time to look at the client for whom all this is read; starts the next interval.
    pub fn is_watch_due(&mut self) -> bool {
        let due = self.unwatched >= Self::WATCH_EVERY;
        if due {
            self.unwatched = 0;
        }
        due
    }
}

impl Drop for KeptMemory {
    fn drop(&mut self) {
        if self.bytes > Self::LARGE {
            release_memory();
        }
    }
}

/// A query of the queue that was sent, and what came back so far.
#[derive(Debug)]
pub struct Injection {
    /// The query.
    pub query: Query,
    /// When the first packet of the result arrived.
    pub first_packet_at: Option<Instant>,
    /// When the last packet of the result arrived.
    pub last_packet_at: Option<Instant>,
    /// Counters of the complete result.
    pub summary: Summary,
    /// The payload of the ERR that ended the result, also if the packets were not asked for.
    pub error: Option<Vec<u8>>,
    /// The result's packets, if they were asked for; as received, one per packet on the wire.
    pub packets: Vec<Packet>,
    /// What they take.
    pub memory: KeptMemory,
    /// What the server connection agreed on when the query was sent: how to read the packets.
    pub capabilities: Capabilities,
    /// Of a COM_STMT_FETCH: the columns of its rows, which come without.
    pub cursor: Option<Definitions>,
}

impl Injection {
    /// The query is being sent on a connection with these capabilities.
    pub fn new(query: Query, capabilities: Capabilities) -> Self {
        Self {
            query,
            first_packet_at: None,
            last_packet_at: None,
            summary: Summary::default(),
            error: None,
            packets: Vec::new(),
            memory: KeptMemory::default(),
            capabilities,
            cursor: None,
        }
    }

    /// Keeps a packet. The one that goes beyond `limit` bytes gives `true`: all are freed, and none is kept any more.
    pub fn keep(&mut self, packet: Packet, limit: usize) -> bool {
        let size = packet.bytes().len() + KeptMemory::PER_PACKET;
        self.memory.unwatched += size;
        if self.memory.overflowed {
            return false;
        }
        self.memory.bytes += size;
        if self.memory.bytes <= limit {
            self.packets.push(packet);
            return false;
        }
        self.packets = Vec::new();
        self.memory = KeptMemory { overflowed: true, ..KeptMemory::default() };
        true
    }

    /// Microseconds from queueing to `moment`; `None` before it happened.
    pub fn micros_until(&self, moment: Option<Instant>) -> Option<u64> {
        let elapsed = moment?.saturating_duration_since(self.query.queued_at);
        Some(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }
}
