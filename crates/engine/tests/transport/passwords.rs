//! Passwords where exactly one side has TLS.

use engine::{Awaits, ClientTls, Hook, Query, ServerTls, Settings, Side, Verdict};
use wire::Capabilities;
use wire::connect::{ChangeUser, Login};

use crate::scene::*;

const SSL: Capabilities = Capabilities::SSL;
const NOTHING: Capabilities = Capabilities::empty();
const PASSWORD: &[u8] = b"a secret of more than twenty bytes\0";
const SALT: &[u8] = b"tttttttttttttttttttt";
/// The request for a key.
const OF_CACHING: &[u8] = &[2];
const OF_SHA256: &[u8] = &[1];

fn client_only() -> Settings {
    hops(ClientTls::Optional, ServerTls::Off)
}

fn server_only() -> Settings {
    hops(ClientTls::Off, ServerTls::Required)
}

/// Up to the server's first answer, with a client that begins with this method.
fn sent(settings: Settings, method: &[u8], hooks: &[Hook]) -> Scene {
    start(Scene::new(settings, hooks), method)
}

fn start(mut scene: Scene, method: &[u8]) -> Scene {
    scene.greeted(SSL);
    let made = login(NOTHING, method);
    log_in(&mut scene, made);
    scene
}

/// What the server gets.
fn log_in(scene: &mut Scene, mut made: Login) -> Login {
    let handshake = scene.engine.session().lock().unwrap().client.handshake.clone();
    if handshake.unwrap().capabilities.contains(SSL) {
        made.capabilities |= SSL;
        scene.client_tls(&made);
        plain_login(&scene.client(2, &made.encode().unwrap()))
    } else {
        let did = scene.client(1, &made.encode().unwrap());
        scene.server_tls(&did)
    }
}

fn to_server(id: u8, payload: &[u8]) -> Vec<Did> {
    vec![Did::Send(Side::Server, id, payload.to_vec())]
}

fn to_client(id: u8, payload: &[u8]) -> Vec<Did> {
    vec![Did::Send(Side::Client, id, payload.to_vec())]
}

fn switch(method: &[u8]) -> Vec<u8> {
    [b"\xfe", method, b"\0", SALT, b"\0"].concat()
}

fn masked(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    password.iter().zip(challenge.iter().cycle()).map(|(a, b)| a ^ b).collect()
}

fn key_packet(key: &[u8]) -> Vec<u8> {
    [b"\x01", key].concat()
}

#[test]
fn a_clear_password_is_encrypted_for_a_server_without_tls() {
    let mut scene = sent(client_only(), CACHING, &[]);
    assert_eq!(scene.server(2, &[1, 4]), [Did::Forward(Side::Client, 3)]);
    assert_eq!(scene.client(4, PASSWORD), to_server(3, OF_CACHING));
    assert_eq!(scene.awaits, Some(Awaits::LoginAnswer));
    let wanted = encrypted(KEY, &masked(PASSWORD, &[b's'; 20]));
    assert_eq!(scene.server(4, &key_packet(KEY)), to_server(5, &wanted));
    assert_eq!(scene.server(6, OK), [Did::Forward(Side::Client, 5)]);
    assert_eq!(scene.awaits, Some(Awaits::Command));
}

#[test]
fn an_encrypted_password_is_decrypted_for_a_server_with_tls() {
    let mut scene = sent(server_only(), CACHING, &[]);
    assert_eq!(scene.server(3, &[1, 4]), [Did::Forward(Side::Client, 2)]);
    assert_eq!(scene.client(3, OF_CACHING), to_client(4, &key_packet(b"our key")));
    assert_eq!(scene.awaits, Some(Awaits::LoginData));
    let secret = encrypted(b"our key", &masked(PASSWORD, &[b's'; 20]));
    assert_eq!(scene.client(5, &secret), to_server(4, PASSWORD));
    assert_eq!(scene.server(5, OK), [Did::Forward(Side::Client, 6)]);
    assert_eq!(scene.awaits, Some(Awaits::Command));
}

/// The challenge that counts is that of the switch.
#[test]
fn passwords_of_sha256_are_translated_behind_a_switch() {
    let mut scene = sent(client_only(), NATIVE, &[]);
    assert_eq!(scene.server(2, &switch(SHA256)), [Did::Forward(Side::Client, 3)]);
    assert_eq!(scene.client(4, PASSWORD), to_server(3, OF_SHA256));
    let wanted = encrypted(KEY, &masked(PASSWORD, SALT));
    assert_eq!(scene.server(4, &key_packet(KEY)), to_server(5, &wanted));

    let mut scene = sent(server_only(), NATIVE, &[]);
    assert_eq!(scene.server(3, &switch(SHA256)), [Did::Forward(Side::Client, 2)]);
    assert_eq!(scene.client(3, OF_SHA256), to_client(4, &key_packet(b"our key")));
    let secret = encrypted(b"our key", &masked(PASSWORD, SALT));
    assert_eq!(scene.client(5, &secret), to_server(4, PASSWORD));
}

/// In clear it would have gone to a server without TLS.
#[test]
fn a_login_of_sha256_is_asked_for_again() {
    for settings in [client_only(), server_only()] {
        let mut scene = Scene::new(settings, &[]);
        scene.greeted(SSL);
        let mut made = login(NOTHING, SHA256);
        made.auth_response = PASSWORD.to_vec();
        let sent = log_in(&mut scene, made.clone());
        assert_eq!(sent.auth_response, b"");
        assert_ne!(sent.auth_plugin, made.auth_plugin);
        assert_eq!(sent.username, made.username);
    }
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    let mut made = login(SSL, SHA256);
    made.auth_response = PASSWORD.to_vec();
    scene.client_tls(&made);
    let did = scene.client(2, &made.encode().unwrap());
    assert_eq!(scene.server_tls(&did).auth_response, PASSWORD, "both sides have TLS");
}

#[test]
fn other_answers_pass() {
    // An empty password, and a client that asks for the server's key through TLS.
    for answer in [&b"\0"[..], b"", b"\x02"] {
        let mut scene = sent(client_only(), CACHING, &[]);
        scene.server(2, &[1, 4]);
        assert_eq!(scene.client(4, answer), [Did::Forward(Side::Server, 3)]);
    }
    // An empty password, and one in clear from a client that does not care.
    for answer in [&b"\0"[..], b"", b"in clear\0"] {
        let mut scene = sent(server_only(), CACHING, &[]);
        scene.server(3, &[1, 4]);
        assert_eq!(scene.client(3, answer), [Did::Forward(Side::Server, 3 + 1)]);
    }
    // The methods that are the same on both.
    for method in [NATIVE, b"dialog", b"mysql_clear_password", b"client_ed25519"] {
        for (settings, ids) in [(client_only(), [2, 4, 3]), (server_only(), [3, 3, 4])] {
            let mut scene = sent(settings, CACHING, &[]);
            scene.server(ids[0], &switch(method));
            assert_eq!(scene.client(ids[1], PASSWORD), [Did::Forward(Side::Server, ids[2])]);
        }
    }
    // The fast path.
    let mut scene = sent(client_only(), CACHING, &[]);
    assert_eq!(scene.server(2, &[1, 3]), [Did::Forward(Side::Client, 3)]);
    assert_eq!(scene.server(3, OK), [Did::Forward(Side::Client, 4)]);
}

/// Servers take a password in clear over a unix socket, and clients send it so.
#[test]
fn a_unix_socket_is_secure_as_well() {
    let mut scene = Scene::new(client_only(), &[]);
    scene.hands.server_is_unix = true;
    let mut scene = start(scene, CACHING);
    scene.server(2, &[1, 4]);
    assert_eq!(scene.client(4, PASSWORD), [Did::Forward(Side::Server, 3)]);

    let mut scene = start(Scene::new(server_only(), &[]).over_unix_socket(), CACHING);
    scene.server(3, &[1, 4]);
    assert_eq!(scene.client(3, PASSWORD), [Did::Forward(Side::Server, 4)]);
}

#[test]
fn nothing_is_translated_where_both_sides_are_alike() {
    let mut scene = Scene::new(Settings::default(), &[]);
    scene.greeted(NOTHING);
    scene.client(1, &login(NOTHING, CACHING).encode().unwrap());
    scene.server(2, &[1, 4]);
    assert_eq!(scene.client(3, OF_CACHING), [Did::Forward(Side::Server, 3)]);
    assert_eq!(scene.server(4, &key_packet(KEY)), [Did::Forward(Side::Client, 4)]);
    assert_eq!(scene.client(5, &[b'x'; 256]), [Did::Forward(Side::Server, 5)]);
}

#[test]
fn what_cannot_be_translated_is_refused() {
    let text = |method: &str, why: &str| {
        format!(
            "pyproxy: the password of {method} cannot be passed on, since only one side uses TLS: {why}"
        )
    };
    let mut scene = sent(client_only(), CACHING, &[]);
    scene.hands.has_no_rsa = true;
    scene.server(2, &[1, 4]);
    scene.client(4, PASSWORD);
    let refused = text("caching_sha2_password", "the server's key is of no use");
    assert_eq!(refusal(&scene.server(4, &key_packet(KEY))), (1105, refused));
    assert_eq!(scene.awaits, Some(Awaits::Close));

    let mut scene = sent(server_only(), NATIVE, &[]);
    scene.hands.has_no_rsa = true;
    scene.server(3, &switch(SHA256));
    let refused = text("sha256_password", "there is no key for the client");
    assert_eq!(refusal(&scene.client(3, OF_SHA256)), (1105, refused));

    // A client that brings the server's key.
    let mut scene = sent(server_only(), CACHING, &[]);
    scene.server(3, &[1, 4]);
    let refused = text("caching_sha2_password", "it is not encrypted with the proxy's key");
    assert_eq!(refusal(&scene.client(3, &[b'x'; 256])), (1105, refused));
}

/// The key is not the client's business, nor the script's.
#[test]
fn scripts_see_what_the_server_asks_and_decides() {
    let mut scene = sent(client_only(), CACHING, &[Hook::ReadAuthResult]);
    let asked = |scene: &mut Scene, id, packet: &[u8]| {
        scene.server(id, packet);
        assert_eq!(scene.awaits, None, "the script is asked");
        scene.verdict_on(Verdict::Proceed, id, packet)
    };
    assert_eq!(asked(&mut scene, 2, &[1, 4]), [Did::Forward(Side::Client, 3)]);
    scene.client(4, PASSWORD);
    assert_eq!(scene.server(4, &key_packet(KEY)).len(), 1);
    assert_eq!(scene.awaits, Some(Awaits::LoginAnswer), "the script is not asked");
    assert_eq!(asked(&mut scene, 6, OK), [Did::Forward(Side::Client, 5)]);
}

#[test]
fn a_server_may_refuse_instead_of_giving_its_key() {
    let mut scene = sent(client_only(), CACHING, &[]);
    scene.server(2, &[1, 4]);
    scene.client(4, PASSWORD);
    assert_eq!(scene.server(4, b"\xff\x15\x04#28000no"), [Did::Forward(Side::Client, 5)]);
    assert_eq!(scene.awaits, Some(Awaits::Close));
}

fn change_user(method: &[u8]) -> Vec<u8> {
    let change = ChangeUser {
        username: b"bob".to_vec(),
        auth_response: PASSWORD.to_vec(),
        database: Vec::new(),
        charset: Some(45),
        auth_plugin: Some(method.to_vec()),
        attributes: None,
    };
    change.encode(COMMON).unwrap()
}

/// Logged in through TLS towards a server without.
fn ready(hooks: &[Hook]) -> Scene {
    let mut scene = sent(client_only(), NATIVE, hooks);
    scene.server(2, OK);
    assert_eq!(scene.awaits, Some(Awaits::Command));
    scene
}

#[test]
fn a_change_of_the_user_is_a_login() {
    let mut scene = ready(&[]);
    assert_eq!(scene.client(0, &change_user(CACHING)), [Did::Forward(Side::Server, 0)]);
    assert_eq!(scene.server(1, &switch(CACHING)), [Did::Forward(Side::Client, 1)]);
    assert_eq!(scene.client(2, &[b'b'; 32]), [Did::Forward(Side::Server, 2)]);
    assert_eq!(scene.server(3, &[1, 4]), [Did::Forward(Side::Client, 3)]);
    assert_eq!(scene.client(4, PASSWORD), to_server(4, OF_CACHING));
    let wanted = encrypted(KEY, &masked(PASSWORD, SALT));
    assert_eq!(scene.server(5, &key_packet(KEY)), to_server(6, &wanted));
    assert_eq!(scene.server(7, OK), [Did::Forward(Side::Client, 5)]);
    assert_eq!(scene.awaits, Some(Awaits::Command));
}

/// It would have crossed the plain side readable.
#[test]
fn a_change_of_the_user_in_sha256_is_asked_for_again() {
    let expect = |did: Vec<Did>| {
        let [Did::Send(Side::Server, 0, payload)] = &did[..] else { panic!("{did:?}") };
        let change = ChangeUser::parse(payload, COMMON).unwrap();
        assert_eq!((&change.username[..], &change.auth_response[..]), (&b"bob"[..], &b""[..]));
    };
    let mut scene = ready(&[]);
    expect(scene.client(0, &change_user(SHA256)));
    assert_eq!(scene.server(1, &switch(SHA256)), [Did::Forward(Side::Client, 1)]);
    assert_eq!(scene.client(2, PASSWORD), to_server(2, OF_SHA256));
    let wanted = encrypted(KEY, &masked(PASSWORD, SALT));
    assert_eq!(scene.server(3, &key_packet(KEY)), to_server(4, &wanted));
    scene.server(5, OK);
    assert_eq!(scene.engine.session().lock().unwrap().client.username(), Some(&b"bob"[..]));

    let mut scene = ready(&[Hook::ReadQuery]);
    let command = change_user(SHA256);
    scene.client(0, &command);
    let query = Query::new(1, command.clone(), true, std::time::Instant::now()).unwrap();
    scene.engine.session().lock().unwrap().queries.push_back(query);
    expect(scene.verdict_on(Verdict::SendQuery, 0, &command));
}

/// The name of the method and its challenge come in another packet.
#[test]
fn a_further_factor_is_translated() {
    let factors = Capabilities::MULTI_FACTOR_AUTHENTICATION;
    let mut scene = Scene::new(client_only(), &[]);
    scene.greeted(factors);
    log_in(&mut scene, login(factors, NATIVE));
    let request = [b"\x02", SHA256, b"\0", SALT, b"\0"].concat();
    assert_eq!(scene.server(2, &request), [Did::Forward(Side::Client, 3)]);
    assert_eq!(scene.client(4, PASSWORD), to_server(3, OF_SHA256));
    let wanted = encrypted(KEY, &masked(PASSWORD, SALT));
    assert_eq!(scene.server(4, &key_packet(KEY)), to_server(5, &wanted));
}
