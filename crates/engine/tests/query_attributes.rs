//! Query attributes: what goes to the server, and what a script is told.

mod scene;

use std::sync::Arc;
use std::time::Instant;

use engine::{Awaits, Event, Hook, Incoming, Side, Verdict};
use wire::Capabilities;
use wire::query_attributes::parse;

use scene::{COMMON, OK, Scene, greeting, login, query};

const BIT: Capabilities = Capabilities::QUERY_ATTRIBUTES;

/// `n` = "v", in front of `SELECT 1`.
const NAMED: &[u8] = b"\x03\x01\x01\0\x01\xfd\0\x01n\x01vSELECT 1";
const PLAIN: &[u8] = b"\x03\0\x01SELECT 1";

/// How much of the packet scripts do not see, and the names of the attributes that they do.
fn told(scene: &Scene) -> (usize, Vec<Vec<u8>>) {
    let session = scene.engine.session().lock().expect("alive");
    let attributes = &session.attributes;
    let named = match attributes.block() {
        [] => Vec::new(),
        block => parse(block).expect("what was read").iter().map(|a| a.name.to_vec()).collect(),
    };
    (attributes.hidden(), named)
}

/// What the server gets if the script queues `packet` in place of `command`.
fn queued(command: &[u8], packet: &[u8], capabilities: Capabilities) -> Vec<u8> {
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(capabilities);
    scene.replaced(command, &[packet]);
    scene.seen.to_server.pop().expect("a query")
}

#[test]
fn what_passes_keeps_its_attributes() {
    for hooks in [&[][..], &[Hook::ReadQuery]] {
        for command in [PLAIN, NAMED] {
            let mut scene = Scene::new(hooks).logged_in_with(BIT);
            scene.client(0, command);
            if !hooks.is_empty() {
                let at_hand = Some(Incoming::single(0, command));
                scene.tell(Event::Verdict(Verdict::Proceed, at_hand));
            }
            assert_eq!(scene.seen.forwarded, [(Side::Server, 0)]);
            assert_eq!(scene.seen.to_server, Vec::<Vec<u8>>::new());
        }
    }
}

#[test]
fn a_script_is_told_where_the_text_is() {
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(BIT);
    scene.client(0, NAMED);
    assert_eq!(told(&scene), (NAMED.len() - b"\x03SELECT 1".len(), vec![b"n".to_vec()]));
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(BIT);
    scene.client(0, PLAIN);
    assert_eq!(told(&scene), (2, Vec::new()));
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in();
    scene.client(0, NAMED);
    assert_eq!(told(&scene), (0, Vec::new()), "without the capability it is text");
}

#[test]
fn a_queued_query_has_the_clients_attributes_or_none() {
    let same = b"\x03SELECT 1";
    assert_eq!(queued(NAMED, same, BIT), NAMED);
    assert_eq!(queued(NAMED, b"\x03SELECT 2", BIT), b"\x03\0\x01SELECT 2");
    assert_eq!(queued(PLAIN, same, BIT), PLAIN);
    assert_eq!(queued(b"\x0e", same, BIT), PLAIN);
    assert_eq!(queued(PLAIN, b"\x0e", BIT), b"\x0e");
    assert_eq!(queued(PLAIN, b"\x16SELECT 1", BIT), b"\x16SELECT 1");
    assert_eq!(queued(same, same, Capabilities::empty()), same);
}

#[test]
fn a_query_that_is_queued_later_has_the_clients_attributes_as_well() {
    let mut scene = Scene::new(&[Hook::ReadQuery, Hook::ReadQueryResult]).logged_in_with(BIT);
    scene.replaced(NAMED, &[b"\x03DO 1"]);
    scene.server(1, OK);
    let again = query(b"\x03SELECT 1");
    scene.engine.session().lock().expect("alive").queries.push_back(again);
    scene.tell(Event::Verdict(Verdict::IgnoreResult, None));
    assert_eq!(scene.seen.to_server, [b"\x03\0\x01DO 1", NAMED]);
    scene.server(1, OK);
    scene.tell(Event::Verdict(Verdict::Proceed, None));
    scene.client(0, PLAIN);
    assert_eq!(told(&scene), (2, Vec::new()), "those of the command before are gone");
}

#[test]
fn use_is_read_behind_the_attributes() {
    for (capabilities, text) in [(BIT, &b"\x03\0\x01USE x"[..]), (COMMON, b"\x03USE x")] {
        let mut scene = Scene::new(&[]).logged_in_with(capabilities);
        scene.client(0, text);
        scene.server(1, OK);
        let session = scene.engine.session().lock().expect("alive");
        assert_eq!(session.client.default_db, b"x");
    }
}

#[test]
fn attributes_that_cannot_be_read_are_refused_where_a_script_would_judge_the_text() {
    let error = b"\xff\x2b\x07#HY000Malformed communication packet.";
    for command in [&b"\x03"[..], b"\x03\0\x02SELECT 1", b"\x03\x01\x01\0\x01\x0d\0\x01n\x01vU"] {
        let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(BIT);
        scene.client(0, command);
        assert_eq!(scene.seen.to_client, [error]);
        assert_eq!(scene.seen.awaits, Some(Awaits::Command), "the connection goes on");
        let mut scene = Scene::new(&[]).logged_in_with(BIT);
        scene.client(0, command);
        assert_eq!(scene.seen.forwarded, [(Side::Server, 0)], "the server judges it");
    }
}

#[test]
fn a_block_may_end_in_a_further_part() {
    let value = vec![b'v'; 300];
    let block = [b"\x01\x01\0\x01\xfd\0\x01n\xfc\x2c\x01", &value[..]].concat();
    let whole = [b"\x03", &block[..], b"SELECT 1"].concat();
    let (first, second) = whole.split_at(200);
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(BIT);
    let rest = [second];
    scene.tell(Event::Client(Incoming { id: 0, payload: first, rest: &rest }));
    assert_eq!(told(&scene), (block.len(), vec![b"n".to_vec()]));
}

#[test]
fn a_server_that_did_not_offer_them_is_not_asked() {
    let scene = Scene::new(&[]).greeted_as(b"mysql_native_password", COMMON, COMMON | BIT);
    let login = scene.seen.to_server.last().expect("a login");
    assert_eq!(wire::connect::Login::parse(login).unwrap().capabilities, COMMON);
}

/// The client was greeted with the offer of a pooled connection that does not fit it, and the server that takes its place
/// knows less. The same goes for the end of results.
#[test]
fn a_server_that_does_not_know_them_is_not_given_to_a_client_that_uses_them() {
    const METHOD: &[u8] = b"mysql_native_password";
    for (name, asked) in [("QUERY_ATTRIBUTES", BIT), ("DEPRECATE_EOF", Capabilities::DEPRECATE_EOF)]
    {
        let first = Scene::new(&[Hook::ReadQuery]);
        let mut first = first.greeted_as(METHOD, COMMON | asked, COMMON);
        first.server(2, OK);
        first.client(0, b"\x0e");
        let shared = Arc::clone(first.engine.shared());
        let switch = |scene: &Scene, ndx| {
            let mut session = scene.engine.session().lock().expect("alive");
            session.set_backend(&shared, ndx, Instant::now()).expect("in a hook");
        };
        switch(&first, None);
        first.tell(Event::Verdict(Verdict::Proceed, Some(Incoming::single(0, b"\x0e"))));

        let mut second = Scene::of(Arc::clone(&shared), &[Hook::ConnectServer]);
        second.tell(Event::Accepted);
        switch(&second, Some(0));
        second.tell(Event::Verdict(Verdict::IgnoreResult, None));
        second.client(1, &login(METHOD, COMMON | asked));
        second.server(0, &greeting(METHOD, COMMON));
        let last = second.seen.to_client.last().expect("an answer");
        let last = String::from_utf8_lossy(last);
        let text = "the server does not offer what the client was offered";
        assert!(last.ends_with(&format!("{text} ({name})")), "{last}");
        assert_eq!(second.seen.awaits, Some(Awaits::Close));
    }
}

/// Of one parameter.
const EXECUTE: &[u8] = b"\x17\x07\0\0\0\x08\x01\0\0\0\x02\0\x01\xfd\0\0\xfd\0\x01n\x01a\x01v";

#[test]
fn an_execution_is_seen_and_queued_with_its_attributes() {
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(BIT);
    scene.client(0, EXECUTE);
    assert_eq!(told(&scene), (0, vec![b"n".to_vec()]));
    assert_eq!(queued(EXECUTE, EXECUTE, BIT), EXECUTE);
    let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in();
    scene.client(0, EXECUTE);
    assert_eq!(told(&scene), (0, Vec::new()));
}

#[test]
fn a_value_that_came_ahead_is_not_in_the_execution() {
    let execute = b"\x17\x07\0\0\0\x08\x01\0\0\0\x02\0\x01\xfd\0\0\xfd\0\x01n\x01v";
    let ahead = b"\x18\x07\0\0\0\0\0long";
    let named = |before: &[&[u8]]| {
        let mut scene = Scene::new(&[Hook::ReadQuery]).logged_in_with(BIT);
        for command in before.iter().copied().chain([&execute[..]]) {
            scene.client(0, command);
            if command != execute {
                let at_hand = Some(Incoming::single(0, command));
                scene.tell(Event::Verdict(Verdict::Proceed, at_hand));
            }
            if command[0] == 0x1a {
                scene.server(1, OK);
            }
        }
        told(&scene).1.len()
    };
    assert_eq!(named(&[ahead]), 1);
    assert_eq!(named(&[]), 0, "too short");
    assert_eq!(named(&[ahead, b"\x1a\x07\0\0\0"]), 0, "reset");
    assert_eq!(named(&[b"\x18\x08\0\0\0\0\0long"]), 0, "another statement");
    assert_eq!(named(&[ahead, b"\x18\x07\0\0\0\0\0more"]), 1, "in pieces");
}
