//! Limits of users, time-outs, and idle connections whose server was told of a client.

use std::sync::Arc;
use std::time::Instant;

use engine::{Awaits, Event, Hook, Settings, Shared, Side, Verdict};
use wire::connect::ChangeUser;
use wire::reply::{ErrPacket, OkPacket, StatusFlags};
use wire::{Capabilities, Command, MAX_PAYLOAD};

use crate::scene::*;

const NOTHING: Capabilities = Capabilities::empty();
const TWO: Settings = Settings { max_connections_per_user: 2, ..quiet() };

const fn quiet() -> Settings {
    Settings {
        on_script_error: engine::OnScriptError::Reject,
        profiling: true,
        tls: engine::Tls::Hops { client: engine::ClientTls::Off, server: engine::ServerTls::Off },
        compression: engine::Compression::Off,
        max_connections_per_user: 0,
        names_clients: false,
    }
}

/// The number and the packet id of the one ERR among what was done.
fn error(did: &[Did]) -> Option<(u16, u8)> {
    did.iter().find_map(|did| match did {
        Did::Send(Side::Client, id, payload) => Some((ErrPacket::parse(payload).ok()?.code, *id)),
        _ => None,
    })
}

fn greeted(shared: &Arc<Shared>, settings: Settings) -> Scene {
    let mut scene = Scene::sharing(shared, settings, &[]);
    scene.greeted(NOTHING);
    scene
}

/// A client that is greeted, and sends its login.
fn asking(shared: &Arc<Shared>) -> (Scene, Vec<Did>) {
    let mut scene = greeted(shared, TWO);
    let did = scene.client(1, &login(NOTHING, NATIVE).encode().unwrap());
    (scene, did)
}

fn logged_in(shared: &Arc<Shared>) -> Scene {
    let (mut scene, _) = asking(shared);
    scene.server(2, OK);
    assert_eq!(scene.awaits, Some(Awaits::Command));
    scene
}

#[test]
fn a_user_has_so_many_connections_and_no_more() {
    let shared = shared(true);
    let first = logged_in(&shared);
    let _second = logged_in(&shared);
    let (third, did) = asking(&shared);
    assert_eq!(error(&did), Some((1226, 2)));
    assert_eq!(third.awaits, Some(Awaits::Close));
    assert!(!did.iter().any(|did| matches!(did, Did::Forward(..) | Did::Send(Side::Server, ..))));
    assert_eq!(shared.stats.refused_users.get(), 1);
    drop(first);
    logged_in(&shared);
    assert_eq!(shared.users.count(b"ann"), 1);
}

/// Logins that are under way at the same time could all be let in.
#[test]
fn logins_count_when_they_are_accepted() {
    let shared = shared(true);
    let mut scenes: Vec<_> = (0..3).map(|_| asking(&shared).0).collect();
    assert_eq!(shared.users.count(b"ann"), 0);
    let told: Vec<_> = scenes.iter_mut().map(|scene| error(&scene.server(2, OK))).collect();
    assert_eq!(told, [None, None, Some((1226, 2))]);
    scenes.iter_mut().for_each(|scene| _ = scene.tell(Event::Closed));
    assert_eq!(shared.users.count(b"ann"), 0);
}

#[test]
fn a_change_of_user_takes_a_place_of_the_other_user() {
    let shared = shared(true);
    let change = |user: &[u8]| {
        let change = ChangeUser {
            username: user.to_vec(),
            auth_response: Vec::new(),
            database: Vec::new(),
            charset: Some(45),
            auth_plugin: Some(NATIVE.to_vec()),
            attributes: None,
        };
        change.encode(login(NOTHING, NATIVE).capabilities).unwrap()
    };
    let mut scene = logged_in(&shared);
    scene.client(0, &change(b"bea"));
    assert_eq!((shared.users.count(b"ann"), shared.users.count(b"bea")), (1, 1));
    scene.server(1, OK);
    assert_eq!((shared.users.count(b"ann"), shared.users.count(b"bea")), (0, 1));
    let _others = [logged_in(&shared), logged_in(&shared)];
    assert_eq!(error(&scene.client(0, &change(b"ann"))), Some((1226, 1)));
}

/// Many clients come at a time.
#[test]
fn a_server_that_greets_others_meanwhile_is_slow_and_not_down() {
    let shared = shared(true);
    let mut slow = Scene::sharing(&shared, quiet(), &[]);
    slow.tell(Event::Accepted);
    assert_eq!(slow.awaits, Some(Awaits::Greeting));
    greeted(&shared, quiet());
    slow.tell(Event::TimedOut);
    assert_eq!(slow.awaits, Some(Awaits::Greeting));
    // Nobody was greeted since.
    slow.tell(Event::TimedOut);
    assert_eq!(slow.awaits, Some(Awaits::Retry));
}

#[test]
fn a_server_that_does_not_greet_is_down() {
    let mut scene = Scene::new(quiet(), &[]);
    scene.tell(Event::Accepted);
    assert_eq!(scene.awaits, Some(Awaits::Greeting));
    scene.tell(Event::TimedOut);
    assert_eq!(scene.awaits, Some(Awaits::Retry));
    assert!(scene.engine.session().lock().unwrap().server.is_none());
}

#[test]
fn a_login_that_takes_too_long_gets_an_err() {
    let shared = shared(true);
    let mut half = greeted(&shared, quiet());
    assert_eq!(error(&half.tell(Event::LoginTimedOut)), Some((1159, 2)));
    let mut unanswered = asking(&shared).0;
    assert_eq!(error(&unanswered.tell(Event::LoginTimedOut)), Some((1105, 2)));
    assert_eq!(shared.stats.login_timeouts.get(), 2);
    assert_eq!(error(&greeted(&shared, quiet()).tell(Event::BadLogin("x"))), Some((1043, 2)));
    let mut idle = logged_in(&shared);
    assert_eq!(error(&idle.tell(Event::TimedOut)), Some((4031, 0)));
    assert_eq!(idle.awaits, Some(Awaits::Close));
}

#[test]
fn the_end_of_the_process_is_told_where_it_is_understood() {
    let shared = shared(true);
    let ends = |mut scene: Scene| {
        let told = error(&scene.tell(Event::ShutDown));
        assert!(!scene.engine.is_at_rest());
        (told, scene.awaits)
    };
    assert_eq!(ends(greeted(&shared, quiet())), (Some((1053, 2)), Some(Awaits::Close)));
    assert_eq!(ends(asking(&shared).0), (Some((1053, 2)), Some(Awaits::Close)));
    assert_eq!(ends(logged_in(&shared)), (Some((1053, 0)), Some(Awaits::Close)));
    let asks = || {
        let mut scene = logged_in(&shared);
        scene.client(0, b"\x03SELECT 1");
        scene
    };
    assert_eq!(ends(asks()), (Some((1053, 1)), Some(Awaits::Close)));
    let mut begun = asks();
    begun.server(1, &[1]);
    assert_eq!(ends(begun), (None, Some(Awaits::Abort)));
    // It was told something else already.
    let mut refused = logged_in(&shared);
    refused.tell(Event::TimedOut);
    assert_eq!(ends(refused), (None, Some(Awaits::Close)));
}

#[test]
fn what_is_at_rest() {
    let shared = shared(true);
    assert!(greeted(&shared, quiet()).engine.is_at_rest());
    assert!(!asking(&shared).0.engine.is_at_rest());
    let mut scene = logged_in(&shared);
    assert!(scene.engine.is_at_rest());
    let status = |status| OkPacket { status, ..OkPacket::default() }.encode(NOTHING);
    for (status, rests) in [
        (status(StatusFlags::IN_TRANS), false),
        (status(StatusFlags::IN_TRANS | StatusFlags::AUTOCOMMIT), false),
        (status(StatusFlags::AUTOCOMMIT), true),
    ] {
        scene.client(0, b"\x03SET a = 1");
        assert!(!scene.engine.is_at_rest());
        scene.server(1, &status);
        assert_eq!(scene.engine.is_at_rest(), rests);
    }
}

/// The server's grants saw the address that it was told of.
#[test]
fn a_named_connection_is_for_clients_of_its_address() {
    let settings = Settings { names_clients: true, ..quiet() };
    let shared = shared(true);
    let from = |address: &str| {
        let scene = Scene::sharing(&shared, settings, &[Hook::ConnectServer, Hook::ReadQuery]);
        scene.engine.session().lock().unwrap().client.src.address = Some(address.to_owned());
        scene
    };
    let mut scene = from("192.0.2.1");
    scene.tell(Event::Accepted);
    scene.tell(Event::Verdict(Verdict::Proceed, None));
    scene.server(0, &greeting(NOTHING).encode().unwrap());
    scene.client(1, &login(NOTHING, NATIVE).encode().unwrap());
    scene.server(2, OK);
    let ping = [Command::PING.0];
    scene.client(0, &ping);
    scene.engine.session().lock().unwrap().set_backend(&shared, None, Instant::now()).unwrap();
    scene.verdict_on(Verdict::Proceed, 0, &ping);
    assert_eq!(shared.pool().of(0).idle_count(None, Instant::now()), 1);

    for (address, fits) in [("192.0.2.2", false), ("192.0.2.1", true)] {
        let mut scene = from(address);
        scene.tell(Event::Accepted);
        let mut session = scene.engine.session().lock().unwrap();
        session.set_backend(&shared, Some(0), Instant::now()).unwrap();
        assert_eq!(session.server.is_some(), fits, "{address}");
    }
}

/// Nobody needs it as a whole.
#[test]
fn a_command_of_several_parts_passes_part_by_part() {
    let shared = shared(true);
    for (command, awaits) in [
        (Command::QUERY, Awaits::Answer { kept: false }),
        (Command::STMT_SEND_LONG_DATA, Awaits::Command),
    ] {
        let mut scene = logged_in(&shared);
        assert!(scene.engine.takes_parts());
        let part = vec![command.0; MAX_PAYLOAD];
        for id in 0..2 {
            let did = scene.client(id, &part);
            assert!(did.contains(&Did::Forward(Side::Server, id)), "{did:?}");
            assert_eq!(scene.awaits, Some(Awaits::MoreCommand));
        }
        let did = scene.client(2, b"");
        assert_eq!((did, scene.awaits), (vec![Did::Forward(Side::Server, 2)], Some(awaits)));
    }
    let scene = Scene::sharing(&shared, quiet(), &[Hook::ReadQuery]);
    assert!(!scene.engine.takes_parts());
}

/// MySQL does so with a command that is too long, before it has all of it.
#[test]
fn a_server_that_speaks_within_a_command_ends_the_session() {
    let mut scene = logged_in(&shared(true));
    scene.client(0, &vec![Command::QUERY.0; MAX_PAYLOAD]);
    let err = [&b"\xff\x81\x04#08S01"[..], b"too long"].concat();
    assert!(scene.server(1, &err).contains(&Did::Forward(Side::Client, 1)));
    assert_eq!(scene.awaits, Some(Awaits::Close));
}

#[test]
fn a_command_without_an_end_is_refused() {
    let mut scene = logged_in(&shared(true));
    assert_eq!(error(&scene.tell(Event::CommandTooLong)), Some((1153, 1)));
    assert_eq!(scene.awaits, Some(Awaits::Close));
}
