//! What is reported to a client that says itself what it wants to be told of its session.

mod scene;

use std::sync::Arc;

use doubles::AlwaysUp;
use engine::Shared;
use wire::Capabilities;
use wire::reply::{ErrPacket, OkPacket, StatusFlags};

use scene::{COMMON, LIMIT, OK, Scene};

const SET: &[u8] = b"\x03SET session_track_schema = OFF";
/// The GTID of a transaction, as MySQL reports it.
const GTID: &[u8] = b"\x03\x04\x00\x02u:";

fn ok(status: StatusFlags, session_state: Option<&[u8]>) -> Vec<u8> {
    OkPacket { status, session_state, ..OkPacket::default() }
        .encode(COMMON | Capabilities::SESSION_TRACK)
}

/// A client that tracks its session, in a transaction, on a connection that was told to report everything.
fn in_a_transaction() -> Scene {
    let shared = Arc::new(Shared::new(Box::new(AlwaysUp(1)), false, LIMIT));
    shared.track_sessions(true);
    let (tracked, tracks) = (COMMON | Capabilities::TRACKED, COMMON | Capabilities::SESSION_TRACK);
    let mut scene = Scene::of(shared, &[]).greeted_as(b"mysql_native_password", tracked, tracks);
    scene.server(2, OK);
    scene.client(0, b"\x03BEGIN");
    // It does not say what it reports to everyone.
    let unknown = ErrPacket { code: 1193, sqlstate: Some(*b"HY000"), message: b"unknown" };
    scene.server(1, &unknown.encode());
    scene.server(1, OK);
    scene.server(1, &ok(StatusFlags::IN_TRANS, None));
    scene
}

/// Runs a SET of what is reported. Gives what the server is told in front of it.
fn set(scene: &mut Scene, status: StatusFlags) -> Vec<String> {
    scene.engine.session().lock().expect("alive").pass_reports();
    scene.seen.to_server.clear();
    scene.client(0, SET);
    let told: Vec<_> = scene.seen.to_server.iter().map(|packet| text(packet)).collect();
    for _ in &told {
        scene.server(1, &ok(status, None));
    }
    scene.server(1, &ok(status, None));
    told
}

fn text(packet: &[u8]) -> String {
    String::from_utf8_lossy(packet.get(1..).unwrap_or_default()).into_owned()
}

/// Whether the client is told of the transaction that a statement commits.
fn tells_of_gtid(scene: &mut Scene) -> bool {
    scene.seen.to_client.clear();
    scene.seen.forwarded.clear();
    scene.client(0, b"\x03COMMIT");
    let answer = ok(StatusFlags::AUTOCOMMIT, Some(GTID));
    scene.server(1, &answer);
    // As it is, or another one in its place.
    scene.seen.to_client.is_empty() || scene.seen.to_client == [answer]
}

#[test]
fn gtids_that_the_proxy_asked_for_are_not_the_clients() {
    let mut scene = in_a_transaction();
    let told = set(&mut scene, StatusFlags::IN_TRANS);
    // There MySQL refuses it.
    assert!(!told.iter().any(|text| text.contains("session_track_gtids")), "{told:?}");
    assert_eq!(told.len(), 1);
    assert!(!tells_of_gtid(&mut scene));
    let told = set(&mut scene, StatusFlags::AUTOCOMMIT);
    assert_eq!(told, ["SET SESSION session_track_gtids = DEFAULT"]);
    assert!(tells_of_gtid(&mut scene), "the client may have asked for it");
    assert_eq!(set(&mut scene, StatusFlags::AUTOCOMMIT), [""; 0]);
}
