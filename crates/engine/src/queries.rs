//! The queue of queries that run instead of the client's command (`proxy.queries`).

use std::collections::VecDeque;
use std::time::Instant;

use wire::Command;

/// One queued query.
#[derive(Debug, Clone)]
pub struct Query {
    /// The script's number for it.
    pub id: i64,
    /// Payload to send: the command byte, then its argument. Never empty.
    pub packet: Vec<u8>,
    /// Keep the whole result for the script instead of passing it through.
    pub resultset_is_needed: bool,
    /// Keep what comes in front of the first row or the end: an answer that is an ERR is kept for the script as a whole, and
    /// nothing of it has reached the client.
    pub failure_is_needed: bool,
    /// It is forwarded in place of the client's command: the script is not asked about its result.
    pub is_forwarded: bool,
    /// When it was queued.
    pub queued_at: Instant,
}

/// Why a query cannot be queued.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the packet is empty: it must start with a command byte")]
pub struct EmptyPacket;

impl Query {
    /// Whether a waiting script may run it: it neither ends the session, nor begins another, nor has an answer without end.
    pub fn is_nestable(&self) -> bool {
        !matches!(
            Command(self.packet.first().copied().unwrap_or_default()),
            Command::QUIT | Command::CHANGE_USER | Command::BINLOG_DUMP | Command::BINLOG_DUMP_GTID
        )
    }

    /// A query that is queued at `queued_at`.
    pub fn new(
        id: i64,
        packet: Vec<u8>,
        resultset_is_needed: bool,
        queued_at: Instant,
    ) -> Result<Self, EmptyPacket> {
        if packet.is_empty() {
            return Err(EmptyPacket);
        }
        Ok(Self {
            id,
            packet,
            resultset_is_needed,
            failure_is_needed: false,
            is_forwarded: false,
            queued_at,
        })
    }

    /// What is forwarded in place of the client's command.
    pub fn forwarded(packet: Vec<u8>, queued_at: Instant) -> Result<Self, EmptyPacket> {
        Ok(Self { is_forwarded: true, ..Self::new(0, packet, false, queued_at)? })
    }
}

/// The queue.
pub type Queries = VecDeque<Query>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_a_command_byte() {
        let now = Instant::now();
        assert_eq!(Query::new(1, Vec::new(), false, now).map(|_| ()), Err(EmptyPacket));
        assert_eq!(Query::new(1, vec![3], true, now).map(|q| (q.id, q.queued_at)), Ok((1, now)));
    }
}
