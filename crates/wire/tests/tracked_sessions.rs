//! Property: whatever a correct server sends, the tracker ends at the last packet, not before and
//! not after.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::reply::{EofPacket, ErrPacket, OkPacket, PrepareOk, StatusFlags};
use wire::result::{ColumnDefinition, ColumnType, ResultSetEncoder, ResultTracker, Step};
use wire::{Capabilities, Command};

const ERR: ErrPacket<'_> = ErrPacket { code: 1105, sqlstate: Some(*b"HY000"), message: b"no" };

type Row = Vec<Option<Vec<u8>>>;

/// One result of an answer.
#[derive(Debug, Clone)]
enum Part {
    Ok {
        affected_rows: u64,
    },
    Rows {
        columns: usize,
        rows: Vec<Row>,
    },
    /// LOAD DATA LOCAL: the request, and the answer behind the file.
    File {
        affected_rows: u64,
    },
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Plain,
    /// An ERR in place of a further result.
    Err,
    /// An ERR in place of a further row.
    ErrInRows,
}

fn part() -> impl Strategy<Value = Part> {
    // Cells that look like OK, NULL, EOF and ERR, and cells whose length byte does.
    let cell = option::of(prop_oneof![
        vec(any::<u8>(), 0..5),
        Just(vec![]),
        (250..256_usize).prop_map(|len| vec![0xff; len]),
        Just(vec![0xfe; 66_000]),
    ]);
    let rows = (1..5_usize).prop_flat_map(move |columns| {
        vec(vec(cell.clone(), columns), 0..5).prop_map(move |rows| Part::Rows { columns, rows })
    });
    prop_oneof![
        any::<u64>().prop_map(|affected_rows| Part::Ok { affected_rows }),
        rows,
        any::<u64>().prop_map(|affected_rows| Part::File { affected_rows }),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Plain), Just(End::Err), Just(End::ErrInRows)]
}

fn caps() -> impl Strategy<Value = Capabilities> {
    prop_oneof![Just(Capabilities::empty()), Just(Capabilities::DEPRECATE_EOF)]
}

fn status(more: bool) -> StatusFlags {
    let mut status = StatusFlags::AUTOCOMMIT;
    status.set(StatusFlags::MORE_RESULTS_EXISTS, more);
    status
}

fn ok(affected_rows: u64, more: bool, caps: Capabilities) -> Vec<u8> {
    OkPacket { affected_rows, status: status(more), ..OkPacket::default() }.encode(caps)
}

fn result_set(
    columns: usize,
    rows: &[Row],
    more: Option<bool>,
    caps: Capabilities,
) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let definitions = vec![ColumnDefinition::named(b"c", ColumnType::BLOB); columns];
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let mut encoder = ResultSetEncoder::begin(&definitions, caps, status(false), sink);
    for row in rows {
        encoder.text_row(row.iter().map(Option::as_deref));
    }
    match more {
        Some(more) => encoder.finish(status(more), 0),
        None => encoder.fail(&ERR),
    }
    packets
}

/// The packets of an answer, and where the server asks for a file.
fn answer(parts: &[Part], end: End, caps: Capabilities) -> (Vec<Vec<u8>>, Vec<usize>) {
    let mut packets = Vec::new();
    let mut files = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let last = i + 1 == parts.len();
        let more = !last || end != End::Plain;
        match part {
            Part::Ok { affected_rows } => packets.push(ok(*affected_rows, more, caps)),
            Part::File { affected_rows } => {
                files.push(packets.len());
                packets.push(b"\xfbdata.csv".to_vec());
                packets.push(ok(*affected_rows, more, caps));
            }
            Part::Rows { columns, rows } => {
                packets.extend(result_set(*columns, rows, Some(more), caps));
            }
        }
    }
    match end {
        End::Plain => {}
        End::Err => packets.push(ERR.encode()),
        End::ErrInRows => packets.extend(result_set(1, &[vec![None]], None, caps)),
    }
    (packets, files)
}

proptest! {
    #[test]
    fn a_query_ends_at_its_last_packet(
        parts in vec(part(), 1..5),
        end in end(),
        caps in caps(),
        command in prop_oneof![Just(Command::QUERY), Just(Command::STMT_EXECUTE)],
    ) {
        let (packets, files) = answer(&parts, end, caps);
        let mut tracker = ResultTracker::new(command.0, caps);
        for (i, packet) in packets.iter().enumerate() {
            let want = if i + 1 == packets.len() {
                Step::Done
            } else if files.contains(&i) {
                Step::LocalInfile
            } else {
                Step::More
            };
            prop_assert_eq!(tracker.feed(packet), Ok(want), "packet {} of {}", i, packets.len());
        }
        prop_assert!(tracker.is_done());
        prop_assert!(tracker.feed(&packets[0]).is_err(), "nothing may follow");

        let summary = tracker.summary();
        let rows = parts.iter().map(|p| if let Part::Rows { rows, .. } = p { rows.len() } else { 0 });
        let extra = usize::from(end == End::ErrInRows);
        prop_assert_eq!(summary.row_count, (rows.sum::<usize>() + extra) as u64);
        prop_assert_eq!(summary.query_status, Some(if end == End::Plain { 0 } else { 0xff }));
        let sets = parts.iter().any(|p| matches!(p, Part::Rows { .. })) || end == End::ErrInRows;
        prop_assert_eq!(summary.has_resultset, sets);
        let affected = match parts.last() {
            _ if sets => None,
            _ if end == End::Err => Some(0),
            Some(Part::Ok { affected_rows } | Part::File { affected_rows }) => Some(*affected_rows),
            _ => None,
        };
        prop_assert_eq!(summary.affected_rows, affected);
    }

    #[test]
    fn a_prepared_statement_ends_at_its_last_packet(columns in 0..6_u16, params in 0..6_u16, caps in caps()) {
        let mut definition = Vec::new();
        ColumnDefinition::named(b"c", ColumnType::LONG).encode(&mut definition, Capabilities::empty());
        let mut packets = vec![PrepareOk { statement_id: 1, columns, params, warnings: 0 }.encode()];
        for count in [params, columns] {
            packets.extend((0..count).map(|_| definition.clone()));
            if count > 0 && caps == Capabilities::empty() {
                packets.push(EofPacket::default().encode());
            }
        }
        let mut tracker = ResultTracker::new(Command::STMT_PREPARE.0, caps);
        for (i, packet) in packets.iter().enumerate() {
            let want = if i + 1 == packets.len() { Step::Done } else { Step::More };
            prop_assert_eq!(tracker.feed(packet), Ok(want), "packet {} of {}", i, packets.len());
        }
    }

    #[test]
    fn no_input_makes_the_tracker_panic(
        command: u8,
        caps in caps(),
        packets in vec(vec(any::<u8>(), 0..12), 0..20),
    ) {
        let mut tracker = ResultTracker::new(command, caps);
        for packet in &packets {
            match tracker.feed(packet) {
                Ok(Step::Done) => prop_assert!(tracker.is_done()),
                Ok(_) => prop_assert!(!tracker.is_done()),
                // Only a panic fails here.
                Err(_) => {}
            }
        }
    }
}
