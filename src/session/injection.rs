//! A queued query on its way through the server, and its result (`inj`).

use std::time::Instant;

use wire::Capabilities;
use wire::result::Summary;
use wire::statement::Definitions;

use super::Query;
use crate::chassis::Packet;

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
            capabilities,
            cursor: None,
        }
    }

    /// Microseconds from queueing to `moment`; `None` before it happened.
    pub fn micros_until(&self, moment: Option<Instant>) -> Option<u64> {
        let elapsed = moment?.saturating_duration_since(self.query.queued_at);
        Some(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }
}
