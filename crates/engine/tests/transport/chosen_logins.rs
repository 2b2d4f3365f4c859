//! Logins that go to another backend than the one that greeted the client, and clients that the proxy itself greets.

use std::sync::Arc;
use std::time::Instant;

use engine::{Awaits, Compression, Event, Hook, Settings, Shared, Side, Verdict};
use wire::connect::{Handshake, Login};
use wire::{Capabilities, Command};

use crate::scene::*;

const SSL: Capabilities = Capabilities::SSL;
const ZLIB: Capabilities = Capabilities::COMPRESS;
const NOTHING: Capabilities = Capabilities::empty();
const SWITCH: &[u8] = b"\xfeclient_ed25519\0the challenge of that server is long";

fn choose(scene: &Scene, shared: &Shared, ndx: Option<usize>) {
    let mut session = scene.engine.session().lock().unwrap();
    session.set_backend(shared, ndx, Instant::now()).unwrap();
    assert_eq!(session.choice, ndx);
}

fn greeting_of(version: &str, offered: Capabilities) -> Vec<u8> {
    let greeting = greeting(offered);
    Handshake { server_version: version.into(), ..greeting }.encode().unwrap()
}

/// Among two backends, greeted by the first; its login is there, and the script is asked about it.
fn asked_about_login(shared: &Arc<Shared>, settings: Settings, asked: Capabilities) -> Scene {
    let mut scene = Scene::sharing(shared, settings, &[Hook::ReadAuth]);
    scene.greeted(SSL | ZLIB);
    send_login(&mut scene, asked);
    scene
}

/// The client's login, through TLS if it asks for it.
fn send_login(scene: &mut Scene, asked: Capabilities) {
    let made = login(asked, NATIVE);
    let id = if asked.contains(SSL) {
        scene.client_tls(&made);
        2
    } else {
        1
    };
    scene.client(id, &made.encode().unwrap());
}

/// The login that lets the server ask the client, and whom it is for.
fn assert_asks_again(sent: &Login) {
    assert_eq!((&*sent.username, &*sent.auth_response), (&b"ann"[..], &b""[..]));
    assert_eq!(sent.auth_plugin.as_deref(), Some(&b"pyproxy_switch_request"[..]));
}

#[test]
fn the_chosen_server_asks_the_client_by_itself() {
    let shared = sharing_backends(2, true);
    let mut scene = asked_about_login(&shared, Settings::default(), NOTHING);
    choose(&scene, &shared, Some(1));
    assert_eq!(scene.engine.session().lock().unwrap().backend_ndx(), Some(1));
    assert_eq!(scene.verdict(Verdict::Proceed), []);
    assert_eq!((scene.awaits, &*scene.hands.connects), (Some(Awaits::Greeting), &[0, 1][..]));
    let did = scene.server(0, &greeting_of("8.0.37", NOTHING));
    assert_asks_again(&plain_login(&did));
    assert_eq!(scene.server(2, SWITCH), [Did::Forward(Side::Client, 2)]);
    assert_eq!(scene.client(3, b"signature"), [Did::Forward(Side::Server, 3)]);
    assert_eq!(scene.server(4, OK), [Did::Forward(Side::Client, 4)]);
    assert_eq!(scene.awaits, Some(Awaits::Command));
    let session = scene.engine.session().lock().unwrap();
    assert_eq!((session.backend_ndx(), session.choice), (Some(1), None));
    assert!(!session.server.as_ref().unwrap().login_is_proof, "it was not the auth data");
}

/// It has answered that server's challenge already.
#[test]
fn the_server_that_greeted_may_be_the_chosen_one() {
    let shared = sharing_backends(2, true);
    for chosen in [Some(0), None] {
        let mut scene = asked_about_login(&shared, Settings::default(), NOTHING);
        choose(&scene, &shared, chosen);
        let sent = plain_login(&scene.verdict(Verdict::Proceed));
        assert_eq!(sent.auth_response, [b'a'; 20]);
        assert_eq!(scene.hands.connects, [0]);
    }
}

#[test]
fn tls_and_compression_are_as_agreed_on_with_the_client() {
    let settings = Settings { compression: Compression::Mirror, ..mirror() };
    for asked in [NOTHING, SSL, ZLIB, SSL | ZLIB] {
        let shared = sharing_backends(2, true);
        let mut scene = asked_about_login(&shared, settings, asked);
        choose(&scene, &shared, Some(1));
        scene.verdict(Verdict::Proceed);
        let did = scene.server(0, &greeting_of("8.0.37", SSL | ZLIB));
        let sent = if asked.contains(SSL) { scene.server_tls(&did) } else { plain_login(&did) };
        assert_asks_again(&sent);
        assert_eq!(sent.capabilities, COMMON | asked);
    }
}

/// Packets say the same with and without it.
#[test]
fn one_side_may_be_compressed_alone() {
    let settings = Settings { compression: Compression::Mirror, ..Settings::default() };
    let shared = sharing_backends(2, true);
    let mut scene = asked_about_login(&shared, settings, ZLIB);
    choose(&scene, &shared, Some(1));
    scene.verdict(Verdict::Proceed);
    let did = scene.server(0, &greeting_of("8.0.37", NOTHING));
    assert_eq!(plain_login(&did).capabilities, COMMON);
    let algorithm = engine::Algorithm::Zlib;
    let client = Did::Compress(Side::Client, algorithm);
    assert_eq!(scene.server(2, OK), [Did::Forward(Side::Client, 2), client]);
}

#[test]
fn a_server_that_lacks_what_was_agreed_on_is_named_so() {
    let mutual = Capabilities::DEPRECATE_EOF | Capabilities::QUERY_ATTRIBUTES;
    for (asked, text) in [
        (SSL, "the server does not offer TLS (SSL)"),
        (mutual, "does not offer what the client was offered (DEPRECATE_EOF, QUERY_ATTRIBUTES)"),
    ] {
        let shared = sharing_backends(2, true);
        let mut scene = Scene::sharing(&shared, mirror(), &[Hook::ReadAuth]);
        scene.greeted(asked);
        send_login(&mut scene, asked);
        choose(&scene, &shared, Some(1));
        scene.verdict(Verdict::Proceed);
        let (code, message) = refusal(&scene.server(0, &greeting_of("8.0.37", NOTHING)));
        assert_eq!(code, 1105);
        assert!(message.ends_with(text), "{message}");
        assert_eq!(scene.awaits, Some(Awaits::Close));
    }
}

#[test]
fn a_choice_that_cannot_be_is_refused() {
    let shared = sharing_backends(2, true);
    let mut scene = asked_about_login(&shared, Settings::default(), NOTHING);
    choose(&scene, &shared, Some(2));
    let refused = refusal(&scene.verdict(Verdict::Proceed));
    assert_eq!(refused, (1105, "pyproxy: there is no backend 2".to_owned()));
    // Such a client cannot be asked by the method that its account has there.
    let mut scene = Scene::sharing(&shared, Settings::default(), &[Hook::ReadAuth]);
    scene.greeted(NOTHING);
    let mut old = login(NOTHING, NATIVE);
    (old.auth_plugin, old.capabilities) = (None, COMMON.difference(Capabilities::PLUGIN_AUTH));
    scene.client(1, &old.encode().unwrap());
    choose(&scene, &shared, Some(1));
    let (code, message) = refusal(&scene.verdict(Verdict::Proceed));
    assert_eq!(code, 1043);
    assert!(message.contains("PLUGIN_AUTH"), "{message}");
}

/// The names were right for a server that knows the collation of the login.
#[test]
fn names_have_to_be_right_for_the_chosen_server() {
    let shared = sharing_backends(2, true);
    for (version, is_refused) in [("8.0.37", false), ("10.11.2-MariaDB", true)] {
        let mut scene = Scene::sharing(&shared, Settings::default(), &[Hook::ReadAuth]);
        scene.greeted(NOTHING);
        let made = login(NOTHING, NATIVE);
        let made = Login { charset: 255, username: "änn".into(), ..made };
        scene.client(1, &made.encode().unwrap());
        choose(&scene, &shared, Some(1));
        scene.verdict(Verdict::Proceed);
        let did = scene.server(0, &greeting_of(version, NOTHING));
        assert_eq!(did.len(), 1);
        assert_eq!(matches!(did[0], Did::Send(Side::Client, ..)), is_refused, "{version}");
    }
}

#[test]
fn a_replaced_login_is_taken_along() {
    let shared = sharing_backends(2, true);
    let mut scene = asked_about_login(&shared, Settings::default(), NOTHING);
    choose(&scene, &shared, Some(1));
    let other = Login { username: b"bob".to_vec(), ..login(NOTHING, NATIVE) };
    let other = engine::Query::new(1, other.encode().unwrap(), false, Instant::now()).unwrap();
    scene.engine.session().lock().unwrap().queries.push_back(other);
    scene.verdict(Verdict::SendQuery);
    let sent = plain_login(&scene.server(0, &greeting_of("8.0.37", NOTHING)));
    assert_eq!((&*sent.username, &*sent.auth_response), (&b"bob"[..], &b""[..]));
}

/// Leaves a connection of the client's user to backend 1 in the pool.
fn park(shared: &Arc<Shared>) {
    let mut scene = Scene::sharing(shared, Settings::default(), &[Hook::ReadAuth, Hook::ReadQuery]);
    scene.greeted(NOTHING);
    send_login(&mut scene, NOTHING);
    choose(&scene, shared, Some(1));
    scene.verdict(Verdict::Proceed);
    scene.server(0, &greeting_of("8.0.37", NOTHING));
    scene.server(2, OK);
    let ping = [Command::PING.0];
    scene.client(0, &ping);
    choose(&scene, shared, None);
    scene.verdict_on(Verdict::Proceed, 0, &ping);
}

#[test]
fn an_idle_connection_of_the_user_is_used_again() {
    for (user, change_user, is_used) in
        [(&b"ann"[..], true, true), (b"bob", true, false), (b"ann", false, false)]
    {
        let shared = sharing_backends(2, change_user);
        park(&shared);
        let mut scene = Scene::sharing(&shared, Settings::default(), &[Hook::ReadAuth]);
        scene.greeted(NOTHING);
        let made = Login { username: user.to_vec(), ..login(NOTHING, NATIVE) };
        scene.client(1, &made.encode().unwrap());
        choose(&scene, &shared, Some(1));
        let did = scene.verdict(Verdict::Proceed);
        let idle = shared.pool().of(1).idle_count(None, Instant::now());
        assert_eq!((idle, scene.hands.connects.len()), if is_used { (0, 1) } else { (1, 2) });
        if !is_used {
            continue;
        }
        let [Did::Send(Side::Server, 0, change)] = &did[..] else { panic!("{did:?}") };
        assert_eq!(change[0], Command::CHANGE_USER.0);
        let asks = change.windows(22).any(|part| part == b"pyproxy_switch_request");
        assert!(asks, "{change:02x?}");
        assert_eq!(scene.server(1, SWITCH), [Did::Forward(Side::Client, 2)]);
    }
}

/// Greeted by the proxy; what the client was offered.
fn greeted_by_proxy(scene: &mut Scene, greetings: &[Vec<u8>]) -> Handshake {
    scene.tell(Event::Accepted);
    let mut did = scene.verdict(Verdict::Greet);
    for greeting in greetings {
        assert_eq!((did, scene.awaits), (vec![], Some(Awaits::Greeting)));
        assert_eq!(scene.server(0, greeting), []);
        assert_eq!(scene.awaits, Some(Awaits::Retry));
        did = scene.tell(Event::Accepted);
    }
    let [Did::Send(Side::Client, 0, payload)] = &did[..] else { panic!("{did:?}") };
    assert_eq!(scene.awaits, Some(Awaits::Login));
    assert!(scene.engine.session().lock().unwrap().server.is_none());
    Handshake::parse(payload).unwrap()
}

#[test]
fn the_proxy_offers_what_all_backends_offer() {
    let both = Capabilities::DEPRECATE_EOF;
    let greetings = [
        greeting_of("8.0.36", SSL | ZLIB | both),
        greeting_of("8.4.0", ZLIB | both | Capabilities::QUERY_ATTRIBUTES),
    ];
    for (settings, offered) in [
        (mirror(), both),
        (Settings { compression: Compression::Mirror, ..mirror() }, both | ZLIB),
        (hops(engine::ClientTls::Optional, engine::ServerTls::Off), both | SSL),
    ] {
        let shared = sharing_backends(2, true);
        let hooks = [Hook::ConnectServer];
        let mut first = Scene::sharing(&shared, settings, &hooks);
        let told = greeted_by_proxy(&mut first, &greetings);
        assert_eq!(first.hands.connects, [0, 1]);
        assert_eq!(told.capabilities, COMMON | offered);
        assert_eq!((&*told.server_version, told.thread_id), (&b"8.4.0"[..], 0));
        assert_eq!(told.scramble20(), CHALLENGE);
        assert_eq!(told.auth_plugin.as_deref(), Some(NATIVE));
        // Now it is known.
        let mut second = Scene::sharing(&shared, settings, &hooks);
        assert_eq!(greeted_by_proxy(&mut second, &[]).capabilities, COMMON | offered);
    }
}

#[test]
fn without_random_numbers_there_is_no_challenge() {
    let shared = sharing_backends(1, true);
    let mut scene = Scene::sharing(&shared, Settings::default(), &[Hook::ConnectServer]);
    scene.hands.has_no_random = true;
    scene.tell(Event::Accepted);
    scene.verdict(Verdict::Greet);
    scene.server(0, &greeting_of("8.0.36", NOTHING));
    let (code, message) = refusal(&scene.tell(Event::Accepted));
    assert_eq!((code, &*message), (1105, "pyproxy: there are no random numbers"));
    assert_eq!(scene.awaits, Some(Awaits::Close));
}

#[test]
fn the_version_may_be_an_option() {
    let mut shared = sharing_backends(1, true);
    Arc::get_mut(&mut shared).unwrap().server_version = Some("5.7.99-mine".to_owned());
    let mut scene = Scene::sharing(&shared, Settings::default(), &[Hook::ConnectServer]);
    let told = greeted_by_proxy(&mut scene, &[greeting_of("8.0.36", NOTHING)]);
    assert_eq!(told.server_version, b"5.7.99-mine");
}

#[test]
fn a_client_without_a_server_logs_in_to_any_or_to_the_chosen_one() {
    let shared = sharing_backends(2, true);
    let settings = Settings { compression: Compression::Mirror, ..mirror() };
    let mut greetings = vec![greeting_of("8.0.36", SSL | ZLIB); 2];
    for chosen in [None, Some(1)] {
        for asked in [NOTHING, SSL | ZLIB] {
            let hooks = [Hook::ConnectServer, Hook::ReadAuth];
            let mut scene = Scene::sharing(&shared, settings, &hooks);
            greeted_by_proxy(&mut scene, &std::mem::take(&mut greetings));
            scene.hands.connects.clear();
            send_login(&mut scene, asked);
            choose(&scene, &shared, chosen);
            assert_eq!(scene.verdict(Verdict::Proceed), []);
            assert_eq!(scene.hands.connects, [chosen.unwrap_or(0)]);
            let did = scene.server(0, &greeting_of("8.0.36", SSL | ZLIB));
            let sent = if asked.contains(SSL) { scene.server_tls(&did) } else { plain_login(&did) };
            assert_asks_again(&sent);
            assert_eq!(sent.capabilities, COMMON | asked);
            let id = if asked.contains(SSL) { 3 } else { 2 };
            assert_eq!(scene.server(id, SWITCH), [Did::Forward(Side::Client, id)]);
            scene.client(id + 1, b"signature");
            scene.server(id + 2, OK);
            assert_eq!(scene.awaits, Some(Awaits::Command));
        }
    }
}

/// Its offer is unknown, and it takes no login either.
#[test]
fn a_backend_that_takes_nobody_now_has_no_say() {
    const FULL: &[u8] = b"\xff\x10\x04Too many connections";
    let shared = sharing_backends(2, true);
    let mut scene = Scene::sharing(&shared, mirror(), &[Hook::ConnectServer]);
    let told = greeted_by_proxy(&mut scene, &[FULL.to_vec(), greeting_of("8.0.36", SSL)]);
    assert_eq!(told.capabilities, COMMON | SSL);
    // If there is no other one, the client gets what it says.
    let shared = sharing_backends(2, true);
    let mut scene = Scene::sharing(&shared, mirror(), &[Hook::ConnectServer]);
    scene.tell(Event::Accepted);
    scene.verdict(Verdict::Greet);
    assert_eq!(scene.server(0, FULL), []);
    scene.tell(Event::Accepted);
    assert_eq!(scene.server(0, FULL), [Did::Send(Side::Client, 0, FULL.to_vec())]);
    assert_eq!(scene.awaits, Some(Awaits::Close));
}

/// It made the greeting itself, and the login is for it.
#[test]
fn a_script_that_greets_may_choose_as_well() {
    let shared = sharing_backends(2, true);
    for chosen in [None, Some(1)] {
        let hooks = [Hook::ConnectServer, Hook::ReadAuth];
        let mut scene = Scene::sharing(&shared, Settings::default(), &hooks);
        scene.tell(Event::Accepted);
        let made = engine::Reply::from_packets(vec![greeting_of("8.0.36", NOTHING)]).unwrap();
        scene.verdict(Verdict::SendResult(made));
        send_login(&mut scene, NOTHING);
        choose(&scene, &shared, chosen);
        let did = scene.verdict(Verdict::Proceed);
        if chosen.is_none() {
            assert_eq!(scene.awaits, Some(Awaits::Command), "it takes everybody");
            continue;
        }
        assert_eq!((did, &*scene.hands.connects), (vec![], &[1][..]));
        assert_asks_again(&plain_login(&scene.server(0, &greeting_of("8.0.37", NOTHING))));
    }
}
