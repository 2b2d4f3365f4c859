//! A packet that is forwarded in place of the client's command: its answer is the client's, and the script is not asked.

mod scene;

use engine::{Awaits, Event, Hook, Incoming, Side, Verdict};
use wire::reply::ErrPacket;

use scene::{OK, Scene};

const HOOKS: [Hook; 2] = [Hook::ReadQuery, Hook::ReadQueryResult];

/// The script wants `packet` to be forwarded in place of `command`.
fn forwarded(mut scene: Scene, command: &[u8], packet: &[u8]) -> Scene {
    scene.client(0, command);
    let at_hand = Some(Incoming::single(0, command));
    scene.tell(Event::Verdict(Verdict::Forward(packet.to_vec()), at_hand));
    scene
}

fn message(scene: &Scene) -> String {
    let err = ErrPacket::parse(&scene.seen.to_client[0]).expect("an ERR");
    String::from_utf8_lossy(err.message).into_owned()
}

#[test]
fn the_answer_passes_and_nobody_is_asked() {
    let mut scene = forwarded(Scene::new(&HOOKS).logged_in(), b"\x03SELECT 1", b"\x03SELECT 2");
    assert_eq!(scene.seen.to_server, [b"\x03SELECT 2"]);
    assert_eq!(scene.seen.awaits, Some(Awaits::Answer { kept: false }));
    scene.server(1, OK);
    assert_eq!(scene.seen.forwarded, [(Side::Client, 1)]);
    assert_eq!(scene.seen.awaits, Some(Awaits::Command));
}

#[test]
fn what_it_changes_is_the_clients() {
    let mut scene = forwarded(Scene::new(&HOOKS).logged_in(), b"\x03USE a", b"\x03USE b");
    scene.server(1, OK);
    let session = scene.engine.session().lock().expect("alive");
    assert_eq!(session.client.default_db, b"b");
}

#[test]
fn what_was_queued_besides_is_discarded() {
    let mut scene = Scene::new(&HOOKS).logged_in();
    scene.client(0, b"\x03SELECT 1");
    scene.engine.session().lock().expect("alive").queries.push_back(scene::query(b"\x03DO 1"));
    let at_hand = Some(Incoming::single(0, b"\x03SELECT 1"));
    scene.tell(Event::Verdict(Verdict::Forward(b"\x0e".to_vec()), at_hand));
    assert_eq!(scene.seen.to_server, [b"\x0e"]);
    scene.server(1, OK);
    assert_eq!(scene.seen.awaits, Some(Awaits::Command));
}

#[test]
fn a_command_without_an_answer_leaves_the_client_with_an_error() {
    let scene = forwarded(Scene::new(&HOOKS).logged_in(), b"\x03SELECT 1", b"\x19\x01\0\0\0");
    assert_eq!(scene.seen.to_server, [b"\x19\x01\0\0\0"]);
    assert!(message(&scene).contains("have no result"), "{}", message(&scene));
    assert_eq!(scene.seen.awaits, Some(Awaits::Command));
}

#[test]
fn a_client_that_waits_for_nothing_gets_nothing() {
    let scene = forwarded(Scene::new(&HOOKS).logged_in(), b"\x19\x01\0\0\0", b"\x03SELECT 1");
    assert_eq!((scene.seen.to_server.len(), scene.seen.to_client.len()), (0, 0));
    assert_eq!(scene.seen.awaits, Some(Awaits::Command));
}

#[test]
fn without_a_server_the_client_gets_an_error() {
    let mut scene = Scene::new(&HOOKS).logged_in();
    scene.client(0, b"\x03SELECT 1");
    scene.engine.session().lock().expect("alive").server = None;
    let at_hand = Some(Incoming::single(0, b"\x03SELECT 1"));
    scene.tell(Event::Verdict(Verdict::Forward(b"\x03SELECT 2".to_vec()), at_hand));
    assert!(message(&scene).contains("no server connection is attached"));
}

#[test]
fn a_change_of_user_that_asks_a_client_which_did_not_is_the_end() {
    let change = b"\x11bob\0\0\0";
    let mut scene = forwarded(Scene::new(&HOOKS).logged_in(), b"\x03SELECT 1", change);
    scene.server(1, b"\xfemysql_native_password\0ssssssssssssssssssss\0");
    assert_eq!(scene.seen.forwarded, [], "the question is not the client's");
    assert!(message(&scene).contains("cannot be followed"), "{}", message(&scene));
}
