//! Answers of a real server: the tracker ends where the server fell silent.
//!
//! `data/mariadb-10.11-answers.jsonl` was recorded from MariaDB 10.11.19 over a plain socket, once
//! without and once with DEPRECATE_EOF; a binlog stream is shortened in its middle. One line per
//! command: all packets that came, and the index of the file request if the client sent a file
//! after it.

use serde_json::Value;
use wire::binary::ValueType;
use wire::connect::AuthReply;
use wire::reply::StatusFlags;
use wire::result::{BinaryRow, ColumnDefinition, Part, ResultTracker, Step, Summary, TextRow};
use wire::{Capabilities, Command};

const RECORDS: &str = include_str!("data/mariadb-10.11-answers.jsonl");

struct Record {
    name: String,
    caps: Capabilities,
    command: Command,
    file_request: Option<usize>,
    packets: Vec<Vec<u8>>,
}

fn records() -> Vec<Record> {
    RECORDS.lines().map(|line| record(line).expect("a well-formed record")).collect()
}

fn record(line: &str) -> Option<Record> {
    let record: Value = serde_json::from_str(line).ok()?;
    let mut caps = Capabilities::SESSION_TRACK;
    caps.set(Capabilities::DEPRECATE_EOF, record["caps"].as_str()? == "deprecate_eof");
    let packets =
        record["packets"].as_array()?.iter().map(|p| hex(p.as_str()?)).collect::<Option<_>>()?;
    Some(Record {
        name: record["name"].as_str()?.to_owned(),
        caps,
        command: Command(record["command"].as_u64()?.try_into().ok()?),
        file_request: record["file_request"].as_u64().and_then(|at| at.try_into().ok()),
        packets,
    })
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok())
        .collect()
}

fn track(record: &Record) -> Summary {
    let mut tracker = ResultTracker::new(record.command.0, record.caps);
    let mut types = Vec::new();
    for (i, packet) in record.packets.iter().enumerate() {
        let want = match record.command {
            _ if i + 1 == record.packets.len() => Step::Done,
            _ if record.file_request == Some(i) => Step::LocalInfile,
            Command::BINLOG_DUMP => Step::Stream,
            Command::CHANGE_USER => Step::Auth(AuthReply::Switch),
            _ => Step::More,
        };
        let place = format!("{} ({:?}), packet {i}", record.name, record.caps);
        assert_eq!(tracker.feed(packet), Ok(want), "{place}");
        match tracker.part() {
            Part::Column => match ColumnDefinition::parse(packet, record.caps) {
                Ok(column) => types.push(ValueType::of_column(&column)),
                Err(error) => panic!("{place}: {error}"),
            },
            Part::Row if record.command == Command::QUERY => {
                let cells: Result<Vec<_>, _> = TextRow::new(packet).collect();
                let count = cells.ok().map(|cells| cells.len() as u64);
                assert_eq!(count, tracker.columns(), "{place}");
            }
            Part::Row if record.command == Command::STMT_EXECUTE => {
                let columns = usize::try_from(tracker.columns().unwrap_or(0)).unwrap_or(0);
                // Definitions of earlier result sets are in front.
                let types = &types[types.len() - columns..];
                let row: Result<Vec<_>, _> =
                    BinaryRow::parse(packet, types).and_then(|row| row.collect());
                assert_eq!(row.map(|row| row.len()), Ok(columns), "{place}");
                assert!(columns > 0, "{place}");
            }
            _ => {}
        }
    }
    tracker.summary()
}

#[test]
fn every_answer_ends_at_its_last_packet() {
    let records = records();
    assert!(records.len() > 90);
    for record in &records {
        track(record);
    }
}

#[test]
fn counters_are_the_servers() {
    let expect = |name: &str, check: fn(Summary) -> bool| {
        let found: Vec<_> = records().into_iter().filter(|r| r.name == name).collect();
        assert_eq!(found.len(), 2, "{name}");
        for record in found {
            let summary = track(&record);
            assert!(check(summary), "{name}: {summary:?}");
        }
    };
    expect("insert", |s| s.affected_rows == Some(3) && s.insert_id == Some(1));
    expect("select", |s| {
        s.row_count == 3
            && s.affected_rows.is_none()
            && s.status.contains(StatusFlags::NO_INDEX_USED)
    });
    expect("select one empty cell", |s| s.row_count == 1);
    expect("select no rows", |s| s.row_count == 0 && s.has_resultset);
    expect("select with warning", |s| s.warnings == 2);
    expect("error", |s| s.query_status == Some(0xff) && s.affected_rows == Some(0));
    expect("error in rows", |s| s.query_status == Some(0xff) && s.has_resultset);
    expect("multi error", |s| s.query_status == Some(0xff) && s.row_count == 1);
    expect("multi", |s| s.row_count == 2 && s.query_status == Some(0));
    expect("call", |s| s.row_count == 4);
    expect("execute cursor", |s| s.row_count == 0 && s.status.contains(StatusFlags::CURSOR_EXISTS));
    expect("fetch rest", |s| s.row_count == 2 && s.status.contains(StatusFlags::LAST_ROW_SENT));
    expect("local infile", |s| s.affected_rows == Some(2) && s.query_status == Some(0));
}
