//! Who has TLS, and in which order.

use engine::{Awaits, ClientTls, Event, Hook, Query, Reply, ServerTls, Settings, Side, Verdict};
use wire::Capabilities;
use wire::connect::{Handshake, Login};

use crate::scene::*;

const SSL: Capabilities = Capabilities::SSL;
const NOTHING: Capabilities = Capabilities::empty();

#[test]
fn tls_is_offered_as_the_settings_say() {
    use {ClientTls as C, ServerTls as S};
    for (settings, offered, is_offered) in [
        (Settings::default(), SSL, false),
        (mirror(), SSL, true),
        (mirror(), NOTHING, false),
        (hops(C::Off, S::Required), SSL, false),
        (hops(C::Optional, S::Off), NOTHING, true),
        (hops(C::Required, S::Required), SSL, true),
    ] {
        let told = Scene::new(settings, &[]).greeted(offered);
        assert_eq!(told.contains(SSL), is_offered, "{settings:?}, offered {offered:?}");
    }
}

#[test]
fn mirrored_tls_is_on_both_sides() {
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    let login = login(SSL, NATIVE);
    scene.client_tls(&login);
    let did = scene.client(2, &login.encode().unwrap());
    assert_eq!(scene.server_tls(&did), login, "the login arrives as it was made");
    assert_eq!(scene.server(3, OK), [Did::Forward(Side::Client, 3)]);
    assert_eq!(scene.awaits, Some(Awaits::Command));
    let session = scene.engine.session().lock().unwrap();
    assert_eq!(session.client.tls.as_ref().unwrap().version, "TLSv1.2");
    assert_eq!(session.server.as_ref().unwrap().tls.as_ref().unwrap().version, "TLSv1.3");
}

/// Set without a request for TLS, the bit would make the server wait for a handshake.
#[test]
fn a_client_without_tls_has_none_on_the_other_side() {
    for settings in [mirror(), hops(ClientTls::Optional, ServerTls::Off), Settings::default()] {
        let mut scene = Scene::new(settings, &[]);
        scene.greeted(SSL);
        let did = scene.client(1, &login(SSL, NATIVE).encode().unwrap());
        assert_eq!(plain_login(&did), login(NOTHING, NATIVE));
        assert_eq!(scene.server(2, OK), [Did::Forward(Side::Client, 2)]);
        assert!(scene.engine.session().lock().unwrap().client.tls.is_none());
    }
}

#[test]
fn tls_that_was_not_offered_is_refused() {
    let own = "pyproxy: TLS is not supported by this proxy, connect without it";
    let servers = "pyproxy: the server does not offer TLS, connect without it";
    let server_only = hops(ClientTls::Off, ServerTls::Required);
    for (settings, offered, text) in
        [(Settings::default(), SSL, own), (server_only, SSL, own), (mirror(), NOTHING, servers)]
    {
        let mut scene = Scene::new(settings, &[]);
        scene.greeted(offered);
        let did = scene.client(1, &request(&login(SSL, NATIVE)));
        assert_eq!(refusal(&did), (2026, text.to_owned()));
        assert_eq!(scene.awaits, Some(Awaits::Close));
    }
}

/// The form of clients before 4.1: capabilities of two bytes, and a packet size of three.
#[test]
fn the_old_request_for_tls_is_no_login() {
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    let did = scene.client(1, b"\x05\xaa\0\0\x01");
    assert_eq!(refusal(&did), (1043, "Bad handshake".to_owned()));
}

#[test]
fn tls_on_the_clients_side_only() {
    let mut scene = Scene::new(hops(ClientTls::Optional, ServerTls::Off), &[]);
    scene.greeted(NOTHING);
    let asked = login(SSL, NATIVE);
    scene.client_tls(&asked);
    let did = scene.client(2, &asked.encode().unwrap());
    assert_eq!(plain_login(&did), login(NOTHING, NATIVE), "the server knows nothing of TLS");
    assert_eq!(scene.server(2, OK), [Did::Forward(Side::Client, 3)]);
}

#[test]
fn tls_on_the_servers_side_only() {
    let mut scene = Scene::new(hops(ClientTls::Off, ServerTls::Required), &[]);
    scene.greeted(SSL);
    let did = scene.client(1, &login(NOTHING, NATIVE).encode().unwrap());
    assert_eq!(scene.server_tls(&did), login(SSL, NATIVE));
    assert_eq!(scene.server(3, OK), [Did::Forward(Side::Client, 2)]);
    let session = scene.engine.session().lock().unwrap();
    assert_eq!(session.client.capabilities(), COMMON, "the client did not ask for it");
}

#[test]
fn a_server_without_tls_is_of_no_use_where_it_is_required() {
    let mut scene = Scene::new(hops(ClientTls::Optional, ServerTls::Required), &[]);
    scene.greeted(NOTHING);
    let did = scene.client(1, &login(NOTHING, NATIVE).encode().unwrap());
    assert_eq!(refusal(&did).1, "pyproxy: the server does not offer TLS (SSL)");
}

#[test]
fn a_client_that_has_to_use_tls_is_told_as_by_a_server() {
    let settings = hops(ClientTls::Required, ServerTls::Off);
    let plain = login(NOTHING, NATIVE).encode().unwrap();
    let mut scene = Scene::new(settings, &[Hook::ReadAuth]);
    scene.greeted(NOTHING);
    let text =
        "Connections using insecure transport are prohibited while --require_secure_transport=ON.";
    assert_eq!(refusal(&scene.client(1, &plain)), (3159, text.to_owned()));
    assert_eq!(scene.awaits, Some(Awaits::Close));

    let mut scene = Scene::new(settings, &[]).over_unix_socket();
    scene.greeted(NOTHING);
    plain_login(&scene.client(1, &plain));

    let mut scene = Scene::new(settings, &[]);
    scene.greeted(NOTHING);
    let asked = login(SSL, NATIVE);
    scene.client_tls(&asked);
    plain_login(&scene.client(2, &asked.encode().unwrap()));
}

/// Servers read the login as the request says: a script must see the same user as the server.
#[test]
fn the_capabilities_are_those_of_the_request() {
    for settings in [mirror(), hops(ClientTls::Optional, ServerTls::Off)] {
        let mut scene = Scene::new(settings, &[]);
        scene.greeted(SSL);
        let asked = login(SSL | Capabilities::FOUND_ROWS, NATIVE);
        scene.client_tls(&asked);
        let mut payload = login(SSL | Capabilities::IGNORE_SPACE, NATIVE).encode().unwrap();
        // Filler, since LONG_PASSWORD is set: it says nothing, and stays.
        payload[28..32].copy_from_slice(b"junk");
        let did = scene.client(2, &payload);
        let sent = did.iter().find_map(|did| match did {
            Did::Send(Side::Server, 1, payload) => Some(payload.clone()),
            _ => None,
        });
        assert_eq!(&sent.unwrap()[28..32], b"junk");
        let session = scene.engine.session().lock().unwrap();
        let told = session.client.capabilities();
        assert!(told.contains(Capabilities::FOUND_ROWS));
        assert!(!told.contains(Capabilities::IGNORE_SPACE));
    }
}

/// The server was told one thing in its request and another in its login.
#[test]
fn a_login_that_a_script_made_has_a_request_of_its_own() {
    let mut scene = Scene::new(mirror(), &[Hook::ReadAuth]);
    scene.greeted(SSL);
    let asked = login(SSL, NATIVE);
    scene.client_tls(&asked);
    scene.client(2, &asked.encode().unwrap());
    let mut other = login(Capabilities::CONNECT_WITH_DB, NATIVE);
    (other.username, other.database) = (b"bob".to_vec(), Some(b"shop".to_vec()));
    let query = Query::new(1, other.encode().unwrap(), false, std::time::Instant::now());
    scene.engine.session().lock().unwrap().queries.push_back(query.unwrap());
    let did = scene.verdict(Verdict::SendQuery);
    let sent = scene.server_tls(&did);
    assert_eq!(sent.capabilities, other.capabilities | SSL);
    assert_eq!(sent.username, b"bob");
    scene.server(3, OK);
    let session = scene.engine.session().lock().unwrap();
    let server = session.server.as_ref().unwrap();
    assert!(server.speaks(asked.capabilities), "it fits clients with TLS");
    assert!(!server.speaks(login(NOTHING, NATIVE).capabilities));
}

#[test]
fn a_handshake_that_fails_ends_the_connection() {
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    let asked = login(SSL, NATIVE);
    scene.client(1, &request(&asked));
    assert_eq!(scene.tls_failed(Side::Client), [], "it reads nothing but TLS");
    assert_eq!(scene.awaits, Some(Awaits::Abort));

    type Fails = fn(&mut Scene) -> Vec<Did>;
    let ways: [(Fails, &str); 3] = [
        (|scene| scene.tls_failed(Side::Server), "no cipher"),
        (|scene| scene.tell(Event::Ended(Side::Server)), "the server closed the connection"),
        (|scene| scene.tell(Event::TimedOut), "it takes too long"),
    ];
    for (fails, why) in ways {
        let mut scene = Scene::new(mirror(), &[]);
        scene.greeted(SSL);
        scene.client_tls(&asked);
        scene.client(2, &asked.encode().unwrap());
        let did = fails(&mut scene);
        assert!(matches!(did[..], [Did::Send(Side::Client, 3, _)]), "{did:?}");
        let text = format!("pyproxy: TLS with the server failed: {why}");
        assert_eq!(refusal(&did), (1105, text));
        assert_eq!(scene.awaits, Some(Awaits::Close));
        assert!(scene.engine.session().lock().unwrap().server.is_none(), "nobody else gets it");
        assert_eq!(scene.secured(Side::Server), [], "the login is gone");
        assert_eq!(scene.awaits, Some(Awaits::Abort));
    }
}

#[test]
fn nothing_else_happens_in_a_handshake() {
    let packet = login(SSL, NATIVE).encode().unwrap();
    type Way = fn(&mut Scene, &[u8]) -> Vec<Did>;
    let ways: [Way; 4] = [
        |scene, packet| scene.client(2, packet),
        |scene, packet| scene.server(1, packet),
        |scene, _| scene.secured(Side::Server),
        |scene, _| scene.tell(Event::TimedOut),
    ];
    for way in ways {
        let mut scene = Scene::new(mirror(), &[]);
        scene.greeted(SSL);
        scene.client(1, &request(&login(SSL, NATIVE)));
        assert_eq!(way(&mut scene, &packet), []);
        assert_eq!(scene.awaits, Some(Awaits::Abort));
    }
}

#[test]
fn tls_begins_once() {
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    let asked = login(SSL, NATIVE);
    scene.client_tls(&asked);
    assert_eq!(refusal(&scene.client(2, &request(&asked))).0, 1043);
}

/// Behind the proxy's own handshake there is no server to mirror.
#[test]
fn a_handshake_of_a_script_offers_what_the_proxy_offers() {
    for (settings, is_offered) in [
        (mirror(), false),
        (Settings::default(), false),
        (hops(ClientTls::Optional, ServerTls::Required), true),
    ] {
        let mut scene = Scene::new(settings, &[Hook::ConnectServer]);
        scene.tell(Event::Accepted);
        let made = greeting(NOTHING).encode().unwrap();
        let did = scene.verdict(Verdict::SendResult(Reply::from_packets(vec![made]).unwrap()));
        let [Did::Send(Side::Client, 0, payload)] = &did[..] else { panic!("{did:?}") };
        assert_eq!(Handshake::parse(payload).unwrap().capabilities.contains(SSL), is_offered);
        let asked = login(SSL, NATIVE);
        if is_offered {
            scene.client_tls(&asked);
            let did = scene.client(2, &asked.encode().unwrap());
            assert!(matches!(&did[..], [Did::Send(Side::Client, 3, ok)] if ok[0] == 0), "{did:?}");
        } else {
            assert_eq!(refusal(&scene.client(1, &request(&asked))).0, 2026);
        }
    }
}

/// A garbled login behind TLS is refused like any other.
#[test]
fn a_login_behind_tls_may_be_too_short() {
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    scene.client_tls(&login(SSL, NATIVE));
    assert_eq!(refusal(&scene.client(2, b"\x05")).0, 1043);
    assert_eq!(Login::tls_request(b"\x05"), None);
}
