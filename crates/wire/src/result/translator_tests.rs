use super::*;
use crate::reply::{ErrPacket, PrepareOk};
use crate::result::{ColumnDefinition, ColumnType, ResultSetEncoder};

const SERVER: Capabilities =
    Capabilities::PROTOCOL_41.union(Capabilities::TRACKED).union(Capabilities::PS_MULTI_RESULTS);
const CLASSIC: Capabilities = Capabilities::PROTOCOL_41.union(Capabilities::PS_MULTI_RESULTS);
/// One that reads OK packets, and does not track.
const DEPRECATES: Capabilities = CLASSIC.union(Capabilities::DEPRECATE_EOF);
const STATUS: StatusFlags = StatusFlags::AUTOCOMMIT;
const MORE: StatusFlags = STATUS.union(StatusFlags::MORE_RESULTS_EXISTS);
/// The report of a new default database.
const REPORT: &[u8] = b"\x01\x05\x04shop";

/// What the server says with a report, or without one as it would answer `caps`.
fn end(status: StatusFlags, is_end: bool, caps: Capabilities) -> Vec<u8> {
    let session_state = Some(REPORT).filter(|_| caps == SERVER);
    // With its length, also where it stands alone.
    let info: &[u8] =
        if caps.contains(Capabilities::SESSION_TRACK) { b"Rows" } else { b"\x04Rows" };
    let ok = OkPacket { affected_rows: 3, status, session_state, info, ..OkPacket::default() };
    if is_end { ok.encode_as_eof(caps) } else { ok.encode(caps) }
}

fn result_set(rows: &[&[u8]], status: StatusFlags, caps: Capabilities) -> Vec<Vec<u8>> {
    let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
    let mut packets = Vec::new();
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let columns = [column, column];
    let mut encoder = ResultSetEncoder::begin(&columns, caps, status, sink);
    for row in rows {
        encoder.text_row([Some(*row), None]);
    }
    encoder.finish(status, 2);
    packets
}

fn definition(caps: Capabilities) -> Vec<u8> {
    let mut out = Vec::new();
    ColumnDefinition::named(b"a", ColumnType::LONG).encode(&mut out, caps);
    out
}

fn prepared(params: u16, columns: u16, caps: Capabilities) -> Vec<Vec<u8>> {
    let mut packets = vec![PrepareOk { statement_id: 1, columns, params, warnings: 0 }.encode()];
    let definition = definition(caps);
    for count in [params, columns] {
        packets.extend((0..count).map(|_| definition.clone()));
        if count > 0 && !caps.contains(Capabilities::DEPRECATE_EOF) {
            packets.push(EofPacket { warnings: 0, status: STATUS }.encode());
        }
    }
    packets
}

fn err() -> Vec<u8> {
    ErrPacket { code: 1792, sqlstate: Some(*b"25006"), message: b"no" }.encode()
}

fn translator(to: Capabilities) -> Translator {
    Translator::new(SERVER, to, OwnReports::default())
}

fn translate(translator: &mut Translator, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for packet in packets {
        match translator.feed(packet, STATUS).expect("it can be followed") {
            Translated::Same => out.push(packet.clone()),
            Translated::Packets(packets) => out.extend(packets),
        }
    }
    out
}

/// What a server would say to `command`, given how it says it to a client with some capabilities.
fn check(command: Command, answer: impl Fn(Capabilities) -> Vec<Vec<u8>>) {
    for to in [CLASSIC, DEPRECATES] {
        let mut translator = translator(to);
        for _ in 0..2 {
            translator.start(command.0);
            let translated = translate(&mut translator, &answer(SERVER));
            assert_eq!(translated, answer(to), "{command:?} for {to:?}");
        }
    }
}

#[test]
fn result_sets_end_as_the_client_reads_them() {
    for rows in [&[][..], &[&b"x"[..], b"y"]] {
        check(Command::QUERY, |caps| result_set(rows, STATUS, caps));
        check(Command::STMT_EXECUTE, |caps| result_set(rows, STATUS, caps));
    }
}

#[test]
fn several_results_and_what_follows_an_ok() {
    check(Command::QUERY, |caps| {
        let mut packets = result_set(&[b"x"], MORE, caps);
        // The EOF in front of a row cannot know of further results.
        if !caps.contains(Capabilities::DEPRECATE_EOF) {
            packets[3] = EofPacket { warnings: 0, status: STATUS }.encode();
        }
        packets.push(end(MORE, false, caps));
        packets.extend(result_set(&[], STATUS, caps));
        packets
    });
}

#[test]
fn statements_are_prepared_with_any_number_of_definitions() {
    for (params, columns) in [(0, 0), (2, 0), (0, 3), (1, 1)] {
        check(Command::STMT_PREPARE, |caps| prepared(params, columns, caps));
    }
}

#[test]
fn a_cursor_has_no_rows_and_one_end() {
    let status = STATUS | StatusFlags::CURSOR_EXISTS;
    check(Command::STMT_EXECUTE, |caps| {
        let mut packets = result_set(&[], status, caps);
        if !caps.contains(Capabilities::DEPRECATE_EOF) {
            packets.remove(3);
        }
        packets
    });
    check(Command::STMT_FETCH, |caps| {
        let mut packets = result_set(&[b"x"], status | StatusFlags::LAST_ROW_SENT, caps);
        let columns = if caps.contains(Capabilities::DEPRECATE_EOF) { 3 } else { 4 };
        packets.drain(..columns);
        packets
    });
}

#[test]
fn out_parameters_are_announced_in_front_of_them() {
    let status = MORE | StatusFlags::PS_OUT_PARAMS;
    check(Command::STMT_EXECUTE, |caps| {
        let mut packets = result_set(&[b"out"], status, caps);
        packets.push(end(STATUS, false, caps));
        packets
    });
}

#[test]
fn an_error_behind_columns_ends_the_answer() {
    for rows in [0, 1] {
        for command in [Command::QUERY, Command::STMT_EXECUTE] {
            check(command, |caps| {
                let mut packets = result_set(&[b"x"], STATUS, caps);
                packets.truncate(packets.len() - 2 + rows);
                packets.push(err());
                packets
            });
        }
    }
    check(Command::QUERY, |_| vec![err()]);
}

#[test]
fn an_ok_loses_its_reports_and_they_are_kept() {
    for command in [Command::QUERY, Command::INIT_DB, Command::PING, Command::CHANGE_USER] {
        check(command, |caps| vec![end(STATUS, false, caps)]);
    }
    let mut translator = translator(CLASSIC);
    translator.start(Command::QUERY.0);
    translate(&mut translator, &[end(STATUS, false, SERVER)]);
    assert_eq!(translator.changes().schema.as_deref(), Some(&b"shop"[..]));
    translator.start(Command::QUERY.0);
    assert_eq!(*translator.changes(), SessionChanges::default());
}

#[test]
fn an_ok_in_place_of_an_eof_is_one_for_a_client_that_reads_eof() {
    let set = |caps: Capabilities| {
        if caps.contains(Capabilities::DEPRECATE_EOF) {
            let ok = OkPacket { status: STATUS, warnings: 1, ..OkPacket::default() };
            vec![ok.encode_as_eof(caps)]
        } else {
            vec![EofPacket { warnings: 1, status: STATUS }.encode()]
        }
    };
    check(Command::SET_OPTION, set);
    check(Command::FIELD_LIST, |caps| {
        let mut packets = vec![definition(caps)];
        packets.extend(set(caps));
        packets
    });
    check(Command::STATISTICS, |_| vec![b"Uptime: 1".to_vec()]);
}

#[test]
fn a_client_that_tracks_gets_its_own_reports() {
    let both = [
        (OwnReports::default(), None),
        (OwnReports { schema: true, ..OwnReports::default() }, Some(REPORT)),
    ];
    for (own, expected) in both {
        let mut translator = Translator::new(SERVER, SERVER, own);
        translator.start(Command::QUERY.0);
        let translated = translate(&mut translator, &[end(STATUS, false, SERVER)]);
        let ok = OkPacket::parse(&translated[0], SERVER).expect("an OK packet");
        let announced = ok.status.contains(StatusFlags::SESSION_STATE_CHANGED);
        assert_eq!((ok.session_state, announced), (expected, expected.is_some()));
        assert_eq!((ok.affected_rows, ok.info), (3, &b"Rows"[..]));
    }
}

#[test]
fn the_ok_of_a_login() {
    let ok = translator(CLASSIC).only_ok(&end(STATUS, false, SERVER)).expect("an OK packet");
    assert_eq!(ok, end(STATUS, false, CLASSIC));
}

#[test]
fn packets_of_the_full_length_pass_with_the_eof_in_front() {
    let mut long = vec![0; MAX_PAYLOAD];
    long[0] = 0xfd;
    let mut translator = translator(CLASSIC);
    translator.start(Command::QUERY.0);
    let answer = result_set(&[], STATUS, SERVER);
    translate(&mut translator, &answer[..3]);
    let eof = EofPacket { warnings: 0, status: STATUS }.encode();
    assert_eq!(translate(&mut translator, std::slice::from_ref(&long)), [eof, long]);
    assert_eq!(translate(&mut translator, &[vec![0xfe; 9]]), [vec![0xfe; 9]]);
}
