//! A queued query on its way through the server, and its result (`inj`).

use std::sync::Arc;
use std::time::Instant;

use wire::packet::parts;
use wire::reply::{SessionChanges, is_err};
use wire::result::{KeptPackets, ResultTracker, Summary, TrackError};
use wire::statement::Definitions;
use wire::{Capabilities, HEADER_LEN};

use crate::Query;

/// How far the keeping of one result may go.
#[derive(Debug, Default)]
pub struct Bound {
    unwatched: usize,
    passed: bool,
}

impl Bound {
    /// How much is read between two looks at the client.
    const WATCH_EVERY: usize = 64 << 10;

    /// Whether the result was larger than the limit.
    pub fn is_passed(&self) -> bool {
        self.passed
    }

    /// Whether it is time to look whether the client is still there; if so, the next interval starts.
    pub fn is_watch_due(&mut self) -> bool {
        let due = self.unwatched >= Self::WATCH_EVERY;
        if due {
            self.unwatched = 0;
        }
        due
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
    pub packets: Arc<KeptPackets>,
    /// How many of them the client has already: those in front of a request for a file.
    pub sent: usize,
    /// How far they may go.
    pub bound: Bound,
    /// What the server connection agreed on when the query was sent: how to read the packets.
    pub capabilities: Capabilities,
    /// Of a COM_STMT_FETCH: the columns of its rows, which come without.
    pub cursor: Option<Definitions>,
    /// What the server reported of its session with the answer; `None` if it is not asked for reports.
    pub changes: Option<Box<SessionChanges>>,
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
            packets: Arc::default(),
            sent: 0,
            bound: Bound::default(),
            capabilities,
            cursor: None,
            changes: None,
        }
    }

    /// The query and its complete answer, in payloads: as if it had come the moment the query was queued.
    ///
    /// Nothing of it is kept if the query does not say so.
    pub fn answered<'p>(
        query: Query,
        answer: impl IntoIterator<Item = &'p [u8]>,
        capabilities: Capabilities,
    ) -> Result<Self, TrackError> {
        let mut injection = Self::new(query, capabilities);
        injection.answer(answer)?;
        injection.first_packet_at = Some(injection.query.queued_at);
        injection.last_packet_at = injection.first_packet_at;
        Ok(injection)
    }

    /// This is the complete answer, in payloads, in place of what was kept so far.
    pub(crate) fn answer<'p>(
        &mut self,
        answer: impl IntoIterator<Item = &'p [u8]>,
    ) -> Result<(), TrackError> {
        let command = self.query.packet.first().copied().unwrap_or_default();
        let mut tracker = ResultTracker::new(command, self.capabilities);
        let mut packets = KeptPackets::default();
        let mut last = None;
        for payload in answer {
            for packet in parts(payload) {
                tracker.feed(packet)?;
                if self.query.resultset_is_needed {
                    packets.push(packet);
                }
            }
            last = Some(payload);
        }
        self.packets = Arc::new(packets);
        self.error = last.filter(|payload| is_err(payload)).map(<[u8]>::to_vec);
        self.summary = tracker.summary();
        Ok(())
    }

    /// Whether a further packet of this length is only kept: the limit is far, and no look at the client is due.
    #[inline]
    pub(crate) fn takes(&self, len: usize, limit: usize) -> bool {
        const MARGIN: usize = 64;
        !self.bound.passed
            && self.packets.bytes() + len + MARGIN <= limit
            && self.bound.unwatched + len + HEADER_LEN < Bound::WATCH_EVERY
    }

    /// Keeps a payload. The one that goes beyond `limit` bytes gives `true`: all are freed, and none is kept any more.
    pub fn keep(&mut self, payload: &[u8], limit: usize) -> bool {
        self.bound.unwatched += payload.len() + HEADER_LEN;
        if self.bound.passed {
            return false;
        }
        Arc::make_mut(&mut self.packets).push(payload);
        if self.packets.bytes() <= limit {
            return false;
        }
        self.packets = Arc::default();
        self.bound.passed = true;
        true
    }

    /// Microseconds from queueing to `moment`; `None` before it happened.
    pub fn micros_until(&self, moment: Option<Instant>) -> Option<u64> {
        let elapsed = moment?.saturating_duration_since(self.query.queued_at);
        Some(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
    }
}
