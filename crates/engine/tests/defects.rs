//! One test for each defect that random sessions found.

mod scene;

use std::sync::Arc;
use std::time::Instant;

use engine::{Awaits, Event, Hook, Incoming, Query, Side, Verdict};
use wire::Capabilities;

use scene::{COMMON, LIMIT, OK, Scene, Seen, query, replies, reply};

/// The server would have taken the client's answer for a command.
#[test]
fn read_auth_result_cannot_ask_in_the_name_of_a_server_that_has_decided() {
    let mut scene = Scene::new(&[Hook::ReadAuthResult]).greeted();
    scene.server(2, OK);
    let switch = b"\xfemysql_native_password\0ssssssssssssssssssss\0";
    scene.tell(Event::Verdict(reply(switch), Some(Incoming::single(2, OK))));
    assert_eq!(scene.seen.awaits, Some(Awaits::Close));
    let last = scene.seen.to_client.last().unwrap();
    assert!(last.ends_with(b"read_auth_result failed, see the proxy log"), "{last:x?}");
}

/// The client got the events although the script had asked for them, and even if it had its answer already.
#[test]
fn a_queued_binlog_stream_is_kept_if_the_script_asked_for_it() {
    let mut scene = Scene::new(&[Hook::ReadQuery, Hook::ReadQueryResult]).logged_in();
    scene.replaced(b"\x03SELECT 1", &[b"\x12\x04\0\0\0\0\0\x01\0\0\0f"]);
    scene.server(1, b"\0event");
    scene.server(1, b"\0event, numbered anew");
    assert_eq!(scene.seen.awaits, Some(Awaits::MoreAnswer));
    assert_eq!(scene.seen.forwarded, []);
    scene.server(2, b"\xfe\0\0\0\0");
    scene.tell(Event::Verdict(reply(OK), None));
    assert_eq!(scene.seen.to_client, [OK]);
}

/// It got a second ERR, or, before it was greeted, another try with a server.
#[test]
fn a_client_that_does_not_take_its_last_words_gets_no_more() {
    let mut scene = Scene::new(&[]).greeted();
    scene.seen = Seen::default();
    scene.tell(Event::TimedOut);
    assert_eq!((scene.seen.to_client.len(), scene.seen.awaits), (1, Some(Awaits::Close)));
    scene.tell(Event::TimedOut);
    assert_eq!((scene.seen.to_client.len(), scene.seen.awaits), (1, Some(Awaits::Abort)));
}

/// The client got the request first, and the result behind its file.
#[test]
fn what_was_kept_reaches_the_client_before_a_request_for_its_file() {
    let mut scene = Scene::new(&[Hook::ReadQuery, Hook::ReadQueryResult]).logged_in();
    let query = b"\x03DO 1; LOAD DATA LOCAL INFILE 'f'";
    scene.replaced(query, &[query]);
    let first = b"\0\x01\0\x0a\0\0\0";
    scene.server(1, first);
    assert_eq!(scene.seen.to_client, Vec::<Vec<u8>>::new());
    scene.server(2, b"\xfbf");
    assert_eq!(scene.seen.to_client, [first]);
    assert_eq!(scene.seen.forwarded, [(Side::Client, 2)]);
    scene.client(3, b"");
    scene.server(4, OK);
    scene.tell(Event::Verdict(Verdict::Proceed, None));
    assert_eq!(scene.seen.to_client, [&first[..], OK]);
}

/// The client got it on top of its own answer.
#[test]
fn what_a_server_says_to_a_queued_quit_is_for_nobody_who_has_an_answer() {
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in();
    scene.client(0, b"\x03SELECT 1");
    let quit = Query::new(1, vec![1], false, Instant::now()).unwrap();
    scene.engine.session().lock().expect("alive").queries.extend([query(b"\x03DO 1"), quit]);
    scene.tell(Event::Verdict(Verdict::SendQuery, Some(Incoming::single(0, b"\x03SELECT 1"))));
    scene.server(1, OK);
    assert_eq!(scene.seen.to_server.last().map(Vec::as_slice), Some(&[1][..]));
    scene.server(1, OK);
    assert_eq!((scene.seen.to_client.len(), scene.seen.forwarded.len()), (1, 0));
}

/// The connection started anew, with the server of before.
#[test]
fn a_connect_that_nobody_awaits_ends_the_connection() {
    for event in [Event::Accepted, Event::Connected, Event::ConnectFailed] {
        let mut scene = Scene::new(&[]).logged_in();
        scene.tell(event);
        assert_eq!(scene.seen.awaits, Some(Awaits::Abort));
    }
}

/// The client was asked for a second file without a word about the first.
#[test]
fn a_client_whose_result_was_too_large_is_not_asked_for_files() {
    let mut scene = Scene::new(&[Hook::ReadQuery, Hook::ReadQueryResult]).logged_in();
    let query = b"\x03CALL p()";
    scene.replaced(query, &[query]);
    let text = [b"\0\0\0\x0a\0\0\0", &[b'x'; LIMIT][..]].concat();
    scene.server(1, &text);
    scene.server(2, b"\xfbf");
    assert_eq!(scene.seen.forwarded, []);
    assert_eq!(scene.seen.to_server.last(), Some(&Vec::new()));
    scene.server(4, OK);
    assert!(scene.seen.to_client.concat().ends_with(b"pyproxy-max-kept-bytes=200"));
}

/// The client sent its file, which nobody read, and waited for ever.
#[test]
fn a_made_request_for_a_file_that_nobody_would_read_is_a_script_error() {
    let mut scene = Scene::new(&[Hook::ReadQuery, Hook::ReadQueryResult]).logged_in();
    scene.replaced(b"\x03SELECT 1", &[b"\x03SELECT 1"]);
    scene.server(1, OK);
    scene.tell(Event::Verdict(reply(b"\xfbf"), None));
    let last = scene.seen.to_client.last().unwrap();
    assert!(last.ends_with(b"read_query_result failed, see the proxy log"), "{last:x?}");
    assert_eq!(scene.seen.awaits, Some(Awaits::Command));

    let more = &b"\0\0\0\x0a\0\0\0"[..];
    for (command, answer) in [
        (&b"\x03SELECT 1"[..], &[more, b"\xfbf"][..]),
        (b"\x03SELECT 1", &[b"\xfbf", OK]),
        (b"\x03SELECT 1", &[OK, b"\xfbf"]),
        (b"\x17\x01\0\0\0\0\x01\0\0\0", &[b"\xfbf"]),
    ] {
        let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in();
        scene.client(0, command);
        let verdict = replies(answer);
        scene.tell(Event::Verdict(verdict, Some(Incoming::single(0, command))));
        let said = scene.seen.to_client.concat();
        assert!(said.ends_with(b"read_query failed, see the proxy log"), "{said:x?}");
        assert_eq!(scene.seen.to_client.len(), 1);
        assert_eq!(scene.seen.awaits, Some(Awaits::Command));
    }
}

/// A row that begins with NULL looks like a request for a file.
#[test]
fn a_made_row_may_begin_with_null() {
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in();
    let command = b"\x03SELECT NULL";
    let column = b"\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0";
    let end = b"\xfe\0\0\x02\0";
    scene.client(0, command);
    let verdict = replies(&[b"\x01", column, end, b"\xfb", end]);
    scene.tell(Event::Verdict(verdict, Some(Incoming::single(0, command))));
    assert_eq!(scene.seen.to_client.len(), 5);
    assert_eq!(scene.seen.awaits, Some(Awaits::Command));
}

/// The question was taken for a change to the method that it names, and the next one for a word that needs no answer:
/// client and proxy waited for each other.
#[test]
fn a_server_that_knows_no_further_factors_asks_questions_that_look_the_same() {
    let wants = COMMON | Capabilities::MULTI_FACTOR_AUTHENTICATION;
    let mut scene = Scene::new(&[]).greeted_as(b"dialog", COMMON, wants);
    scene.server(2, b"\x02caching_sha2_password\0");
    scene.client(3, b"yes");
    scene.server(4, b"\x01\x03");
    assert_eq!(scene.seen.awaits, Some(Awaits::LoginData));
}

/// The driver had the server until the verdict came, when another client could have it for long.
#[test]
fn what_a_hook_parks_while_it_waits_is_parked_at_once() {
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in();
    scene.client(0, b"\x03SELECT 1");
    assert!(scene.seen.has_server);
    {
        let shared = Arc::clone(scene.engine.shared());
        let mut session = scene.engine.session().lock().expect("alive");
        session.set_backend(&shared, None, Instant::now()).expect("in a hook");
    }
    let packet = Incoming::single(0, b"\x03SELECT 1");
    let awaits = scene.engine.verdict_is_pending(Some(packet), &mut scene.seen);
    assert_eq!((scene.seen.has_server, awaits), (false, Awaits::Verdict));
    scene.tell(Event::Verdict(reply(OK), None));
    assert_eq!(scene.seen.to_client, [OK]);
}

/// The client got an ERR, though there was another server.
#[test]
fn a_server_that_closes_without_a_greeting_is_not_the_last_one() {
    let mut scene = Scene::new(&[]);
    scene.tell(Event::Accepted);
    scene.tell(Event::Ended(Side::Server));
    assert_eq!((scene.seen.to_client.len(), scene.seen.awaits), (0, Some(Awaits::Retry)));
}
