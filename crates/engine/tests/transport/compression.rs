//! Who compresses, and from when on.

use engine::{Algorithm, Awaits, Compression, Hook, Query, Settings, Side, Verdict};
use wire::Capabilities;
use wire::connect::{ChangeUser, Login};

use crate::scene::*;

const ZLIB: Capabilities = Capabilities::COMPRESS;
const ZSTD: Capabilities = Capabilities::ZSTD_COMPRESSION;
const BOTH: Capabilities = Capabilities::COMPRESSION;
const NOTHING: Capabilities = Capabilities::empty();

/// What a server gets, and what happens behind its OK.
fn logged_in(
    settings: Settings,
    offered: Capabilities,
    asked: Capabilities,
) -> (Scene, Capabilities, Vec<Did>) {
    let mut scene = Scene::new(settings, &[]);
    scene.greeted(offered);
    let sent = plain_login(&scene.client(1, &login(asked, NATIVE).encode().unwrap()));
    assert_eq!(sent.zstd_level.is_some(), sent.capabilities.contains(ZSTD), "a level byte");
    let did = scene.server(2, OK);
    assert_eq!(scene.awaits, Some(Awaits::Command));
    (scene, sent.capabilities & BOTH, did)
}

const OF_SERVER: Did = Did::Compress(Side::Server, Algorithm::Zlib);
const OF_CLIENT: Did = Did::Compress(Side::Client, Algorithm::Zlib);
const FORWARD: Did = Did::Forward(Side::Client, 2);

#[test]
fn compression_is_offered_as_the_settings_say() {
    for (compression, offered, told) in [
        (Compression::Off, BOTH, NOTHING),
        (Compression::Mirror, BOTH, BOTH),
        (Compression::Mirror, ZLIB, ZLIB),
        (Compression::ClientOnly, NOTHING, BOTH),
        (Compression::ServerOnly, BOTH, NOTHING),
    ] {
        let mut scene = Scene::new(compressing(compression), &[]);
        assert_eq!(scene.greeted(offered) & BOTH, told, "{compression:?}");
    }
}

#[test]
fn mirrored_compression_begins_behind_the_ok() {
    let settings = compressing(Compression::Mirror);
    let zstd = Algorithm::Zstd { level: 7 };
    let (_, sent, did) = logged_in(settings, BOTH, ZLIB);
    assert_eq!((sent, did), (ZLIB, vec![OF_SERVER, FORWARD, OF_CLIENT]));
    let (_, sent, did) = logged_in(settings, BOTH, ZSTD);
    let both = [Did::Compress(Side::Server, zstd), FORWARD, Did::Compress(Side::Client, zstd)];
    assert_eq!((sent, &did[..]), (ZSTD, &both[..]));
    let (_, sent, did) = logged_in(settings, BOTH, BOTH);
    assert_eq!((sent, did), (ZLIB, vec![OF_SERVER, FORWARD, OF_CLIENT]), "one of them");
    let (_, sent, did) = logged_in(settings, ZLIB, BOTH);
    assert_eq!((sent, did), (ZLIB, vec![OF_SERVER, FORWARD, OF_CLIENT]));
    for (offered, asked) in [(BOTH, NOTHING), (NOTHING, BOTH), (ZLIB, ZSTD)] {
        let (_, sent, did) = logged_in(settings, offered, asked);
        assert_eq!((sent, did), (NOTHING, vec![FORWARD]), "{offered:?}, {asked:?}");
    }
}

/// A server would refuse others; where none is asked, a driver needs one that there is.
#[test]
fn levels_are_those_of_zstd() {
    for (asked, level) in [(0, 1), (1, 1), (22, 22), (23, 22), (255, 22)] {
        let mut scene = Scene::new(compressing(Compression::ClientOnly), &[]);
        scene.greeted(NOTHING);
        let login = Login { zstd_level: Some(asked), ..login(ZSTD, NATIVE) };
        scene.client(1, &login.encode().unwrap());
        let did = scene.server(2, OK);
        assert_eq!(did, [FORWARD, Did::Compress(Side::Client, Algorithm::Zstd { level })]);
    }
}

#[test]
fn compression_on_the_clients_side_only() {
    let settings = compressing(Compression::ClientOnly);
    let (scene, sent, did) = logged_in(settings, BOTH, ZLIB);
    assert_eq!((sent, did), (NOTHING, vec![FORWARD, OF_CLIENT]));
    let session = scene.engine.session().lock().unwrap();
    assert_eq!(session.client.compression, Some(Algorithm::Zlib));
    assert_eq!(session.client.capabilities(), COMMON, "as the server knows it");
}

#[test]
fn compression_on_the_servers_side_only() {
    let settings = compressing(Compression::ServerOnly);
    let (_, sent, did) = logged_in(settings, BOTH, ZSTD);
    assert_eq!((sent, did), (ZLIB, vec![OF_SERVER, FORWARD]));
    let (_, sent, did) = logged_in(settings, NOTHING, NOTHING);
    assert_eq!((sent, did), (NOTHING, vec![FORWARD]));
}

#[test]
fn a_login_that_is_refused_is_not_compressed() {
    let mut scene = Scene::new(compressing(Compression::Mirror), &[]);
    scene.greeted(ZLIB);
    scene.client(1, &login(ZLIB, NATIVE).encode().unwrap());
    assert_eq!(scene.server(2, b"\xff\x15\x04#28000no"), [FORWARD]);
}

/// A frame of a client that compresses although nobody offered it.
#[test]
fn a_client_that_compresses_unasked_is_refused() {
    let frame = b"\0\0\0\x01\0";
    let (mut scene, ..) = logged_in(Settings::default(), BOTH, ZLIB);
    scene.client(0, frame);
    assert_eq!(scene.awaits, Some(Awaits::Close));
    let (mut scene, ..) = logged_in(compressing(Compression::Mirror), BOTH, ZLIB);
    scene.client(0, frame);
    assert_eq!(scene.awaits, Some(Awaits::Answer { kept: false }), "unpacked it is a command");
}

/// Frames are numbered; the packets in them have any ids.
#[test]
fn ids_in_frames_mean_nothing() {
    let (mut scene, ..) = logged_in(compressing(Compression::Mirror), ZLIB, ZLIB);
    let did = scene.client(9, b"\x03SELECT 1");
    assert_eq!(did, [Did::NewExchange(Side::Server), Did::Forward(Side::Server, 0)]);
    let column = b"\x03def\0\0\0\x01a\0\x0c\x2d\0\0\0\0\0\xfd\0\0\0\0\0";
    let end = b"\xfe\0\0\x02\0";
    for (id, packet) in [(1, &b"\x01"[..]), (2, column), (1, end), (200, b"\x011"), (0, end)] {
        scene.server(id, packet);
    }
    assert_eq!(scene.awaits, Some(Awaits::Command));
}

#[test]
fn ids_to_a_plain_client_are_those_of_the_protocol() {
    let (mut scene, ..) = logged_in(compressing(Compression::ServerOnly), ZLIB, NOTHING);
    scene.client(0, b"\x03DO 1; DO 1");
    let more = b"\0\0\0\x0a\0\0\0";
    assert_eq!(scene.server(7, more), [Did::Forward(Side::Client, 1)]);
    assert_eq!(scene.server(7, OK), [Did::Forward(Side::Client, 2)]);
    scene.client(0, b"\x03SELECT 1");
    assert_eq!(scene.awaits, Some(Awaits::Answer { kept: false }));
    let mut plain = logged_in(Settings::default(), ZLIB, NOTHING).0;
    plain.client(0, b"\x03DO 1");
    plain.server(7, OK);
    assert_eq!(plain.awaits, Some(Awaits::Close), "without frames the ids count");
}

/// The frames of each command start at 0, whoever sent it.
#[test]
fn each_queued_query_is_an_exchange() {
    let settings = compressing(Compression::Mirror);
    let mut scene = Scene::new(settings, &[Hook::ReadQuery]);
    scene.greeted(ZLIB);
    scene.client(1, &login(ZLIB, NATIVE).encode().unwrap());
    scene.server(2, OK);
    scene.client(0, b"\x03SELECT 1");
    for sql in [b"\x03DO 1", b"\x03DO 2"] {
        let query = Query::new(1, sql.to_vec(), true, std::time::Instant::now()).unwrap();
        scene.engine.session().lock().unwrap().queries.push_back(query);
    }
    let starts =
        |sql: &[u8]| [Did::NewExchange(Side::Server), Did::Send(Side::Server, 0, sql.to_vec())];
    assert_eq!(scene.verdict_on(Verdict::SendQuery, 0, b"\x03SELECT 1"), starts(b"\x03DO 1"));
    let did = scene.server(1, OK);
    assert!(did.ends_with(&starts(b"\x03DO 2")), "{did:?}");
}

#[test]
fn compression_survives_a_change_of_the_user() {
    let (mut scene, ..) = logged_in(compressing(Compression::Mirror), ZLIB, ZLIB);
    let change = ChangeUser {
        username: b"bob".to_vec(),
        auth_response: vec![b'a'; 20],
        database: Vec::new(),
        charset: Some(45),
        auth_plugin: Some(NATIVE.to_vec()),
        attributes: None,
    };
    scene.client(0, &change.encode(COMMON).unwrap());
    assert_eq!(scene.server(9, b"\xfemysql_native_password\0tttttttttttttttttttt\0").len(), 1);
    scene.client(77, &[b'b'; 20]);
    assert_eq!(scene.server(3, OK), [Did::Forward(Side::Client, 3)], "it does not begin anew");
    scene.client(5, b"\x0e");
    assert_eq!(scene.awaits, Some(Awaits::Answer { kept: false }));
}
