//! What is noted of commands: once for each, with what the client got.

mod scene;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use doubles::AlwaysUp;
use engine::{
    Clock, Event, Hook, Incoming, QueryStats, Shared, Side, SlowLog, SlowQueries, SlowQuery,
};
use wire::reply::PrepareOk;

use scene::{LIMIT, OK, Scene};

/// Digest, rows, error and whether it was aborted, with the text.
type Told = (bool, u64, Option<u16>, bool, String);

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<Told>>>);

impl SlowLog for Log {
    fn note(&self, query: &SlowQuery<'_>) {
        assert!(query.user == Some(b"ann") && query.backend.is_none_or(|ndx| ndx == 0));
        let text = String::from_utf8_lossy(&query.text.start).into_owned();
        let told = (query.digest.is_some(), query.rows, query.error, query.is_aborted, text);
        self.0.lock().expect("alive").push(told);
    }

    fn dropped(&self) -> u64 {
        0
    }
}

impl Log {
    fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.0.lock().expect("alive"))
    }
}

/// A client of a proxy that counts, and takes everything for slow.
fn scene(hooks: &[Hook]) -> (Scene, Arc<Shared>, Log) {
    let mut shared = Shared::new(Box::new(AlwaysUp(1)), false, LIMIT);
    let log = Log::default();
    let clock = Clock::new(Instant::now(), SystemTime::now());
    shared.queries = Some(QueryStats::new(10, clock));
    shared.slow = Some(SlowQueries { limit: Duration::ZERO, log: Box::new(log.clone()) });
    shared.notes_queries = true;
    let shared = Arc::new(shared);
    (Scene::of(Arc::clone(&shared), hooks).logged_in(), shared, log)
}

/// Fingerprint, calls, errors and rows.
fn counted(shared: &Shared) -> Vec<(String, u64, u64, u64)> {
    let report = shared.queries.as_ref().expect("it counts").report();
    let mut all: Vec<_> = report
        .top
        .iter()
        .map(|entry| {
            let text = String::from_utf8_lossy(&entry.texts.fingerprint).into_owned();
            (text, entry.calls, entry.errors, entry.rows)
        })
        .collect();
    all.sort();
    all
}

const COLUMN: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x03\0\0\0\0\0";
const EOF: &[u8] = b"\xfe\0\0\x02\0";
const ERR: &[u8] = b"\xff\x28\x04#42000no";

/// The server answers with so many rows.
fn rows(scene: &mut Scene, count: u8) {
    scene.server(1, b"\x01");
    scene.server(2, COLUMN);
    scene.server(3, EOF);
    (0..count).for_each(|row| scene.server(4 + row, b"\x011"));
    scene.server(4 + count, EOF);
}

#[test]
fn a_command_is_noted_when_its_answer_is_complete() {
    let (mut scene, shared, log) = scene(&[]);
    scene.client(0, b"\x03SELECT 1");
    assert_eq!(log.take(), []);
    rows(&mut scene, 3);
    assert_eq!(log.take(), [(true, 3, None, false, "SELECT 1".to_owned())]);
    scene.client(0, b"\x03SELECT 2");
    scene.server(1, ERR);
    assert_eq!(log.take(), [(true, 0, Some(1064), false, "SELECT 2".to_owned())]);
    // Others are not counted, but may be slow.
    scene.client(0, b"\x0e");
    scene.server(1, OK);
    assert_eq!(log.take(), [(false, 0, None, false, String::new())]);
    assert_eq!(counted(&shared), [("SELECT ?".to_owned(), 2, 1, 3)]);
    assert_eq!(shared.stats.slow_queries.get(), 3);
}

#[test]
fn a_command_whose_connection_ends_is_aborted() {
    for side in [Side::Client, Side::Server] {
        let (mut scene, shared, log) = scene(&[]);
        scene.client(0, b"\x03SELECT 1");
        scene.server(1, b"\x01");
        scene.server(2, COLUMN);
        scene.server(3, EOF);
        scene.server(4, b"\x011");
        scene.tell(Event::Ended(side));
        scene.tell(Event::Closed);
        assert_eq!(log.take(), [(true, 1, None, true, "SELECT 1".to_owned())], "{side:?}");
        assert_eq!(counted(&shared), [("SELECT ?".to_owned(), 1, 1, 1)]);
    }
}

#[test]
fn who_leaves_between_commands_aborts_nothing() {
    let (mut scene, shared, log) = scene(&[]);
    scene.client(0, b"\x03SELECT 1");
    rows(&mut scene, 1);
    log.take();
    scene.client(0, b"\x01");
    scene.tell(Event::Ended(Side::Server));
    scene.tell(Event::Closed);
    assert_eq!((log.take(), counted(&shared)), (vec![], vec![("SELECT ?".to_owned(), 1, 0, 1)]));
}

#[test]
fn executions_have_the_text_of_their_statement() {
    let (mut scene, shared, log) = scene(&[]);
    scene.client(0, b"\x16SELECT ?, 'x'");
    scene.server(1, &PrepareOk { statement_id: 5, columns: 0, params: 0, warnings: 0 }.encode());
    assert_eq!(log.take(), [(true, 0, None, false, "SELECT ?, 'x'".to_owned())]);
    scene.client(0, b"\x17\x05\0\0\0\0\x01\0\0\0");
    rows(&mut scene, 2);
    assert_eq!(log.take(), [(true, 2, None, false, "SELECT ?, 'x'".to_owned())]);
    assert_eq!(counted(&shared), [("SELECT ?+".to_owned(), 1, 0, 2)]);
    // Behind its end the number means nothing.
    scene.client(0, b"\x19\x05\0\0\0");
    scene.client(0, b"\x17\x05\0\0\0\0\x01\0\0\0");
    scene.server(1, ERR);
    assert_eq!(log.take(), [(false, 0, Some(1064), false, String::new())]);
    assert_eq!(counted(&shared), [("SELECT ?+".to_owned(), 1, 0, 2)]);
}

/// What a script keeps and what it answers itself: the client's command is counted, with what it got.
#[test]
fn answers_of_scripts() {
    let (mut scene, shared, log) = scene(&[Hook::ReadQuery, Hook::ReadQueryResult]);
    scene.replaced(b"\x03SELECT 'asked'", &[b"\x03SELECT 2 AS injected"]);
    rows(&mut scene, 2);
    scene.tell(Event::Verdict(engine::Verdict::Proceed, None));
    assert_eq!(log.take(), [(true, 2, None, false, "SELECT 'asked'".to_owned())]);
    scene.client(0, b"\x03SELECT 'made'");
    let made = scene::replies(&[b"\x01", COLUMN, EOF, b"\x011", b"\x012", b"\x013", EOF]);
    let at_hand = Some(Incoming::single(0, b"\x03SELECT 'made'"));
    scene.tell(Event::Verdict(made, at_hand));
    assert_eq!(log.take(), [(true, 3, None, false, "SELECT 'made'".to_owned())]);
    scene.client(0, b"\x03SELECT 'failed'");
    let at_hand = Some(Incoming::single(0, b"\x03SELECT 'failed'"));
    scene.tell(Event::Verdict(engine::Verdict::Failed, at_hand));
    assert_eq!(log.take(), [(true, 0, Some(1105), false, "SELECT 'failed'".to_owned())]);
    assert_eq!(counted(&shared), [("SELECT ?".to_owned(), 3, 1, 5)]);
}

#[test]
fn nothing_is_noted_unless_somebody_looks() {
    let shared = Arc::new(Shared::new(Box::new(AlwaysUp(1)), false, LIMIT));
    let mut scene = Scene::of(Arc::clone(&shared), &[]).logged_in();
    scene.client(0, b"\x03SELECT 1");
    let session = scene.engine.session().lock().expect("alive");
    assert!(session.command_at.is_none() && session.text.len == 0);
}
