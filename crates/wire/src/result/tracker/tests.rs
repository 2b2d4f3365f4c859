//! Answers of every shape, classic and with DEPRECATE_EOF, and what they add up to.

use super::*;
use crate::connect::AuthReply;
use crate::reply::PrepareOk;

const CLASSIC: Capabilities = Capabilities::empty();
const NO_EOF: Capabilities = Capabilities::DEPRECATE_EOF;

const OK_1: &[u8] = b"\x00\x03\x07\x02\x00\x01\x00";
const OK_MORE: &[u8] = b"\x00\x01\x00\x0a\x00\x00\x00";
const EOF_1: &[u8] = b"\xfe\x02\x00\x22\x00";
const EOF_MORE: &[u8] = b"\xfe\x00\x00\x0a\x00";
const EOF_AS_OK: &[u8] = b"\xfe\x00\x00\x22\x00\x02\x00";
const EOF_AS_OK_MORE: &[u8] = b"\xfe\x00\x00\x0a\x00\x00\x00";
const ERR: &[u8] = b"\xff\x15\x04#28000denied";
const PROGRESS: &[u8] = b"\xff\xff\xff\x01\x01\x02\x10\x27\x00\x04copy";
const DEF: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x2d\x00\x00\x00\x00\x00\xfd\x00\x00\x00\x00\x00";

/// Feeds all packets; only the last may end the answer, with `last`.
fn run(command: Command, caps: Capabilities, packets: &[&[u8]], last: Step) -> ResultTracker {
    let mut tracker = ResultTracker::new(command.0, caps);
    feed_all(&mut tracker, packets, last);
    tracker
}

fn feed_all(tracker: &mut ResultTracker, packets: &[&[u8]], last: Step) {
    for (i, packet) in packets.iter().enumerate() {
        let want = if i + 1 == packets.len() { last } else { Step::More };
        let shown = &packet[..packet.len().min(16)];
        assert_eq!(tracker.feed(packet), Ok(want), "packet {i}: {shown:x?}");
    }
    assert_eq!(tracker.is_done(), last == Step::Done);
}

fn done(command: Command, caps: Capabilities, packets: &[&[u8]]) -> Summary {
    run(command, caps, packets, Step::Done).summary()
}

#[test]
fn ok_and_err_end_a_query() {
    let summary = done(Command::QUERY, CLASSIC, &[OK_1]);
    let want = Summary {
        affected_rows: Some(3),
        insert_id: Some(7),
        warnings: 1,
        status: StatusFlags::AUTOCOMMIT,
        query_status: Some(0),
        ..Summary::default()
    };
    assert_eq!(summary, want);
    let summary = done(Command::QUERY, CLASSIC, &[ERR]);
    assert_eq!((summary.query_status, summary.affected_rows), (Some(0xff), Some(0)));
}

#[test]
fn a_result_set_ends_at_the_second_eof() {
    let rows: [&[u8]; 3] = [b"\x011", b"\xfb", b"\x00"];
    let packets = [b"\x02", DEF, DEF, EOF_1, rows[0], rows[1], rows[2], EOF_1];
    let tracker = run(Command::QUERY, CLASSIC, &packets, Step::Done);
    let want = Summary {
        warnings: 2,
        status: StatusFlags::AUTOCOMMIT | StatusFlags::NO_INDEX_USED,
        row_count: 3,
        bytes: 2 + 1 + 1 + 3 * 4,
        query_status: Some(0),
        has_resultset: true,
        ..Summary::default()
    };
    assert_eq!(tracker.summary(), want);
    assert_eq!(tracker.columns(), Some(2));
}

#[test]
fn a_result_set_without_eof() {
    // One row only, with an empty first cell: the case that looks like OK to simpler trackers.
    let tracker = run(Command::QUERY, NO_EOF, &[b"\x01", DEF, b"\x00", EOF_AS_OK], Step::Done);
    let summary = tracker.summary();
    assert_eq!((summary.row_count, summary.status.bits(), summary.warnings), (1, 0x22, 2));
    done(Command::QUERY, NO_EOF, &[b"\x01", DEF, EOF_AS_OK]);
    // The end may be as long as an OK packet gets: here it tells a schema change.
    let long_end = b"\xfe\x00\x00\x02\x40\x00\x00\x00\x07\x01\x05\x04test";
    done(Command::QUERY, NO_EOF, &[b"\x01", DEF, b"\x011", long_end]);
}

#[test]
fn parts_name_every_packet() {
    let mut tracker = ResultTracker::new(Command::QUERY.0, CLASSIC);
    assert_eq!((tracker.part(), tracker.columns()), (Part::Other, None));
    let want = [
        (&b"\x01"[..], Part::ColumnCount),
        (DEF, Part::Column),
        (EOF_1, Part::ColumnsEnd),
        (b"\x011", Part::Row),
        (EOF_MORE, Part::RowsEnd),
        (OK_MORE, Part::Ok),
        (ERR, Part::Err),
    ];
    for (packet, part) in want {
        tracker.feed(packet).unwrap();
        assert_eq!(tracker.part(), part);
    }
}

#[test]
fn several_results() {
    let packets = [OK_MORE, b"\x01", DEF, EOF_1, b"\x011", EOF_MORE, OK_1];
    let summary = done(Command::QUERY, CLASSIC, &packets);
    assert_eq!((summary.row_count, summary.affected_rows, summary.status.bits()), (1, None, 2));
    let packets = [b"\x01", DEF, b"\x011", EOF_AS_OK_MORE, b"\x01", DEF, b"\x012", EOF_AS_OK];
    assert_eq!(done(Command::QUERY, NO_EOF, &packets).row_count, 2);
}

#[test]
fn a_later_error_is_the_query_status() {
    for packets in [
        &[b"\x01", DEF, EOF_1, b"\x011", ERR][..],
        &[OK_MORE, ERR],
        &[b"\x01", ERR],
        &[b"\x02", DEF, ERR],
        &[b"\x01", DEF, ERR],
        &[b"\x01", DEF, EOF_1, EOF_MORE, ERR],
    ] {
        let summary = done(Command::QUERY, CLASSIC, packets);
        assert_eq!((summary.query_status, summary.warnings), (Some(0xff), 0));
    }
}

#[test]
fn definitions_are_counted() {
    // Longer than an EOF: first byte 0xfe, as no sane server sends it, is still a definition.
    let odd = b"\xfe\x03\0\0\0\0\0\0\0def";
    done(Command::QUERY, CLASSIC, &[b"\x02", odd, DEF, EOF_1, EOF_1]);
    let mut tracker = ResultTracker::new(Command::QUERY.0, CLASSIC);
    for packet in [b"\x01", DEF] {
        tracker.feed(packet).unwrap();
    }
    assert!(matches!(tracker.feed(DEF), Err(TrackError::Unexpected { first: 3, .. })));
}

#[test]
fn definitions_that_are_left_out() {
    done(Command::STMT_EXECUTE, CLASSIC, &[b"\x02", EOF_1, b"\x00\x00\x01", EOF_1]);
}

#[test]
fn long_rows_are_never_judged_by_their_tail() {
    let mut row = vec![0xfe, 0xff, 0xff, 0xff, 0x01, 0, 0, 0, 0];
    row.resize(MAX_PAYLOAD, b'x');
    for tail in [&b"\xff\x15\x04"[..], b"\xfe\x00\x00\x02\x00", b""] {
        for (caps, end) in [(CLASSIC, EOF_1), (NO_EOF, EOF_AS_OK)] {
            let mut packets: Vec<&[u8]> = vec![b"\x01", DEF];
            packets.extend((caps == CLASSIC).then_some(EOF_1));
            packets.extend([&row[..], tail, b"\x011", end]);
            let summary = done(Command::QUERY, caps, &packets);
            assert_eq!(summary.row_count, 2);
            assert_eq!(summary.bytes, 0xff_ffff + 4 + tail.len() as u64 + 4 + 6);
        }
    }
}

#[test]
fn a_long_last_packet_ends_with_its_last_part() {
    let mut text = b"Uptime: ".to_vec();
    text.resize(MAX_PAYLOAD, b' ');
    done(Command::STATISTICS, CLASSIC, &[&text, &text, b"end"]);
}

#[test]
fn local_infile_has_two_phases() {
    let file = b"\xfb/tmp/data.csv";
    let mut tracker = run(Command::QUERY, CLASSIC, &[file], Step::LocalInfile);
    assert_eq!((tracker.summary().query_status, tracker.summary().affected_rows), (None, None));
    feed_all(&mut tracker, &[OK_1], Step::Done);
    assert_eq!(tracker.summary().affected_rows, Some(3));

    let mut tracker = run(Command::QUERY, CLASSIC, &[file], Step::LocalInfile);
    feed_all(&mut tracker, &[ERR], Step::Done);
    assert_eq!(tracker.summary().query_status, Some(0xff));

    let mut tracker = run(Command::QUERY, CLASSIC, &[OK_MORE, file], Step::LocalInfile);
    feed_all(&mut tracker, &[PROGRESS, OK_MORE, file], Step::LocalInfile);
    feed_all(&mut tracker, &[OK_MORE, b"\x01", DEF, EOF_1, b"\x011", EOF_1], Step::Done);

    let mut tracker = run(Command::QUERY, CLASSIC, &[file], Step::LocalInfile);
    assert!(tracker.feed(b"\x01").is_err());
}

#[test]
fn progress_reports_end_nothing() {
    done(Command::QUERY, CLASSIC, &[PROGRESS, PROGRESS, OK_1]);
    let summary = done(Command::QUERY, CLASSIC, &[b"\xff\xff\xff#HY000text"]);
    assert_eq!(summary.query_status, Some(0xff));
}

#[test]
fn prepare_counts_definitions() {
    let ok = |columns, params| PrepareOk { statement_id: 1, columns, params, warnings: 4 }.encode();
    let prepare = |counts: &[u8], caps, rest: &[&[u8]]| {
        let packets: Vec<&[u8]> = std::iter::once(counts).chain(rest.iter().copied()).collect();
        done(Command::STMT_PREPARE, caps, &packets)
    };
    assert_eq!(prepare(&ok(0, 0), CLASSIC, &[]).warnings, 4);
    prepare(&ok(2, 0), CLASSIC, &[DEF, DEF, EOF_1]);
    prepare(&ok(0, 1), CLASSIC, &[DEF, EOF_1]);
    prepare(&ok(1, 2), CLASSIC, &[DEF, DEF, EOF_1, DEF, EOF_1]);
    prepare(&ok(1, 2), NO_EOF, &[DEF, DEF, DEF]);
    prepare(&ok(1, 2), CLASSIC, &[DEF, ERR]);
    let longer = [ok(0, 0), vec![1]].concat();
    prepare(&longer, CLASSIC, &[]);
    prepare(ERR, CLASSIC, &[]);
    let mut tracker = ResultTracker::new(Command::STMT_PREPARE.0, CLASSIC);
    assert!(matches!(tracker.feed(b"\x00\x01\0\0\0\0\0\0\0\0\0"), Err(TrackError::Malformed(_))));
    assert!(matches!(tracker.feed(b"\x05"), Err(TrackError::Unexpected { .. })));
}

#[test]
fn cursors_end_at_the_columns() {
    let eof_cursor = b"\xfe\x00\x00\x42\x00";
    done(Command::STMT_EXECUTE, CLASSIC, &[b"\x01", DEF, eof_cursor]);
    done(Command::STMT_EXECUTE, NO_EOF, &[b"\x01", DEF, b"\xfe\0\0\x42\0\0\0"]);
    // The same flag in the answer to a text query says nothing about its rows.
    done(Command::QUERY, CLASSIC, &[b"\x01", DEF, eof_cursor, b"\x011", EOF_1]);
    let more = b"\xfe\x00\x00\x4a\x00";
    done(Command::STMT_EXECUTE, CLASSIC, &[b"\x01", DEF, more, b"\x00\x00\x01", EOF_1]);
}

#[test]
fn fetch_has_rows_only() {
    let summary = done(Command::STMT_FETCH, CLASSIC, &[b"\x00\x00\x01", b"\x00\x00\x02", EOF_MORE]);
    assert_eq!((summary.row_count, summary.has_resultset), (2, true));
    done(Command::STMT_FETCH, NO_EOF, &[b"\x00\x00\x01", EOF_AS_OK]);
    let summary = done(Command::STMT_FETCH, CLASSIC, &[ERR]);
    assert_eq!((summary.query_status, summary.has_resultset), (Some(0xff), false));
}

#[test]
fn out_parameters_are_followed_by_ok() {
    let out_params = b"\xfe\x00\x00\x0a\x10";
    let plain = b"\xfe\x00\x00\x02\x00";
    done(Command::STMT_EXECUTE, CLASSIC, &[b"\x01", DEF, out_params, b"\x00\x00\x01", plain, OK_1]);
}

#[test]
fn commands_with_one_packet() {
    for command in [
        Command::QUIT,
        Command::INIT_DB,
        Command::CREATE_DB,
        Command::DROP_DB,
        Command::REFRESH,
        Command::SHUTDOWN,
        Command::STATISTICS,
        Command::PROCESS_KILL,
        Command::DEBUG,
        Command::PING,
        Command::TIME,
        Command::REGISTER_SLAVE,
        Command::STMT_RESET,
        Command::SET_OPTION,
        Command::RESET_CONNECTION,
    ] {
        for packet in [OK_1, EOF_1, b"Uptime: 1"] {
            assert_eq!(done(command, CLASSIC, &[packet]).query_status, Some(0), "{command:?}");
        }
        // More results make no sense here and must not hold up the client.
        assert_eq!(done(command, CLASSIC, &[OK_MORE]).affected_rows, Some(1), "{command:?}");
        assert_eq!(done(command, CLASSIC, &[ERR]).query_status, Some(0xff), "{command:?}");
    }
    assert_eq!(done(Command::SET_OPTION, CLASSIC, &[EOF_1]).status.bits(), 0x22);
    assert_eq!(done(Command::SET_OPTION, NO_EOF, &[EOF_AS_OK]).status.bits(), 0x22);
}

#[test]
fn unknown_commands_follow_what_comes() {
    for byte in [0x00, 0x0b, 0x13, 0x20, 0x77, 0xfe] {
        let command = Command(byte);
        done(command, CLASSIC, &[OK_1]);
        done(command, CLASSIC, &[EOF_1]);
        done(command, CLASSIC, &[ERR]);
        done(command, CLASSIC, &[b"\x01", DEF, EOF_1, b"\x011", EOF_1]);
    }
}

#[test]
fn bulk_execution_answers_like_a_query() {
    done(Command::STMT_BULK_EXECUTE, CLASSIC, &[OK_MORE, OK_1]);
    done(Command::STMT_BULK_EXECUTE, CLASSIC, &[b"\x01", DEF, EOF_1, b"\x00\x00\x01", EOF_1]);
}

#[test]
fn field_list_has_no_count() {
    done(Command::FIELD_LIST, CLASSIC, &[DEF, DEF, EOF_1]);
    done(Command::FIELD_LIST, CLASSIC, &[EOF_1]);
    done(Command::FIELD_LIST, NO_EOF, &[DEF, EOF_AS_OK]);
    done(Command::FIELD_LIST, CLASSIC, &[ERR]);
    let mut tracker = ResultTracker::new(Command::FIELD_LIST.0, CLASSIC);
    assert!(matches!(tracker.feed(OK_1), Err(TrackError::Unexpected { first: 0, .. })));
}

#[test]
fn change_user_tells_the_rounds() {
    let mut tracker = ResultTracker::new(Command::CHANGE_USER.0, CLASSIC);
    let switch = tracker.feed(b"\xfecaching_sha2_password\0salt\0");
    assert_eq!(switch, Ok(Step::Auth(AuthReply::Switch)));
    assert_eq!(tracker.feed(b"\x01\x03"), Ok(Step::Auth(AuthReply::FastSuccess)));
    assert_eq!(tracker.feed(OK_1), Ok(Step::Done));
    tracker.start(Command::CHANGE_USER.0, CLASSIC);
    assert_eq!(tracker.feed(b"\xfe"), Ok(Step::Auth(AuthReply::OldPassword)));
    assert_eq!(tracker.feed(ERR), Ok(Step::Done));
    assert_eq!(tracker.summary().query_status, Some(0xff));
}

#[test]
fn binlog_streams_until_eof_or_error() {
    let mut long = vec![0; MAX_PAYLOAD];
    long[1] = 4;
    for command in [Command::BINLOG_DUMP, Command::BINLOG_DUMP_GTID] {
        for end in [EOF_1, ERR] {
            let mut tracker = ResultTracker::new(command.0, CLASSIC);
            for packet in [&b"\x00\x01event"[..], &long, &long, b"\xff", b"\x00\x02event"] {
                assert_eq!(tracker.feed(packet), Ok(Step::Stream));
            }
            assert_eq!(tracker.feed(end), Ok(Step::Done));
        }
    }
}

#[test]
fn what_does_not_belong_is_an_error() {
    let mut tracker = ResultTracker::new(Command::QUERY.0, CLASSIC);
    assert_eq!(tracker.feed(b""), Err(TrackError::Empty(Command::QUERY)));
    assert!(matches!(tracker.feed(EOF_1), Err(TrackError::Unexpected { .. })));
    assert!(matches!(tracker.feed(b"\x01\x02"), Err(TrackError::Unexpected { .. })));
    assert!(matches!(tracker.feed(b"\x00\x00"), Err(TrackError::Malformed(_))));
    assert_eq!(tracker.feed(OK_1), Ok(Step::Done));
    for late in [OK_1, PROGRESS] {
        assert_eq!(tracker.feed(late), Err(TrackError::Finished(Command::QUERY)));
    }
    let mut silent = ResultTracker::new(Command::STMT_CLOSE.0, CLASSIC);
    assert_eq!(silent.feed(OK_1), Err(TrackError::NoReply(Command::STMT_CLOSE)));
}

#[test]
fn start_forgets_the_answer_before() {
    let mut tracker = run(Command::QUERY, CLASSIC, &[b"\x01", DEF, EOF_1, b"\x011"], Step::More);
    tracker.start(Command::PING.0, CLASSIC);
    assert_eq!((tracker.summary(), tracker.columns()), (Summary::default(), None));
    assert_eq!(tracker.command(), Command::PING);
    feed_all(&mut tracker, &[OK_1], Step::Done);
}
