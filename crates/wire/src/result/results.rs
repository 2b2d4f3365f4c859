//! The results of a kept answer: a query of several statements has several, and so has a procedure.

use std::ops::Range;

use super::{KeptPackets, ResultTracker, Summary};
use crate::{Capabilities, Command};

/// One result of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneResult {
    /// Its packets.
    pub packets: Range<usize>,
    /// What it amounted to, by itself.
    pub summary: Summary,
}

/// The results of an answer to `command`, in order. What cannot be followed is left out, and what is behind it.
pub fn results(
    command: Command,
    packets: &KeptPackets,
    capabilities: Capabilities,
) -> Vec<OneResult> {
    let mut tracker = ResultTracker::new(command.0, capabilities);
    let mut found = Vec::new();
    let mut start = 0;
    for (n, payload) in packets.iter().enumerate() {
        if tracker.feed(payload).is_err() {
            break;
        }
        if tracker.is_between_results() {
            found.push(OneResult { packets: start..n + 1, summary: tracker.take_summary() });
            start = n + 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{ErrPacket, OkPacket, StatusFlags};
    use crate::result::{ColumnDefinition, ColumnType, Layout, ResultSetEncoder};

    const MORE: StatusFlags = StatusFlags::MORE_RESULTS_EXISTS;

    fn result_set(kept: &mut KeptPackets, rows: &[&[u8]], caps: Capabilities, status: StatusFlags) {
        let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
        let sink = |payload: &[u8]| kept.push(payload);
        let mut encoder = ResultSetEncoder::begin(&[column], caps, status, sink);
        for row in rows {
            encoder.text_row([Some(*row)]);
        }
        encoder.finish(status, 0);
    }

    fn ok(affected_rows: u64, status: StatusFlags) -> Vec<u8> {
        OkPacket { affected_rows, status, ..OkPacket::default() }.encode(Capabilities::PROTOCOL_41)
    }

    #[test]
    fn each_result_has_its_own_packets_and_counters() {
        for caps in [Capabilities::PROTOCOL_41, Capabilities::DEPRECATE_EOF] {
            let mut kept = KeptPackets::default();
            result_set(&mut kept, &[b"x", b"y"], caps, MORE);
            let second = kept.len();
            kept.push(&ok(7, MORE));
            result_set(&mut kept, &[b"z"], caps, MORE);
            let last = kept.len();
            kept.push(&ErrPacket { code: 1, sqlstate: Some(*b"HY000"), message: b"no" }.encode());

            let found = results(Command::QUERY, &kept, caps);
            let ranges: Vec<_> = found.iter().map(|result| result.packets.clone()).collect();
            assert_eq!(ranges, [0..second, second..second + 1, second + 1..last, last..last + 1]);
            let rows: Vec<_> = found.iter().map(|result| result.summary.row_count).collect();
            assert_eq!(rows, [2, 0, 1, 0]);
            let affected: Vec<_> =
                found.iter().map(|result| result.summary.affected_rows).collect();
            assert_eq!(affected, [None, Some(7), None, Some(0)]);
            let layout = |n: usize| Layout::at(ranges[n].start, Command::QUERY, &kept, caps);
            assert_eq!(layout(0).map(|layout| layout.row_count()), Some(2));
            assert_eq!(layout(2).map(|layout| layout.row_count()), Some(1));
            assert!(layout(1).is_none() && layout(3).is_none());
        }
    }

    #[test]
    fn what_cannot_be_followed_ends_the_list() {
        let mut kept = KeptPackets::default();
        kept.push(&ok(1, MORE));
        kept.push(b"");
        kept.push(&ok(2, StatusFlags::empty()));
        assert_eq!(results(Command::QUERY, &kept, Capabilities::PROTOCOL_41).len(), 1);
    }
}
