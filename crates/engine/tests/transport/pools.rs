//! Idle connections have TLS and compression, or not: a client gets one that is as its own would be.

use std::sync::Arc;
use std::time::Instant;

use engine::{
    Awaits, Claim, ClientTls, Compression, Event, Hook, ServerTls, Settings, Shared, Side, Verdict,
};
use wire::connect::Login;
use wire::{Capabilities, Command};

use crate::scene::*;

const SSL: Capabilities = Capabilities::SSL;
const ZLIB: Capabilities = Capabilities::COMPRESS;
const NOTHING: Capabilities = Capabilities::empty();

/// Leaves a connection in the pool whose client asked for this.
fn park(shared: &Arc<Shared>, settings: Settings, asked: Capabilities) {
    let mut scene = Scene::sharing(shared, settings, &[Hook::ReadQuery]);
    scene.greeted(SSL | ZLIB);
    log_in(&mut scene, asked);
    assert_eq!(scene.awaits, Some(Awaits::LoginAnswer));
    let id = if scene.engine.session().lock().unwrap().server.as_ref().unwrap().tls.is_some() {
        3
    } else {
        2
    };
    scene.server(id, OK);
    let ping = [Command::PING.0];
    scene.client(0, &ping);
    let mut session = scene.engine.session().lock().unwrap();
    session.set_backend(shared, None, Instant::now()).unwrap();
    drop(session);
    scene.verdict_on(Verdict::Proceed, 0, &ping);
    assert_eq!(shared.pool().of(0).idle_count(None, Instant::now()), 1);
}

/// The client's login; through TLS on either side as it is asked for.
fn log_in(scene: &mut Scene, asked: Capabilities) -> Vec<Did> {
    let made = login(asked, NATIVE);
    let id = if asked.contains(SSL) {
        scene.client_tls(&made);
        2
    } else {
        1
    };
    let did = scene.client(id, &made.encode().unwrap());
    if scene.awaits == Some(Awaits::Secured(Side::Server)) {
        return scene.secured(Side::Server);
    }
    did
}

/// A client that is greeted from the pool.
fn greeted_from_pool(shared: &Arc<Shared>, settings: Settings) -> Scene {
    let mut scene = Scene::sharing(shared, settings, &[Hook::ConnectServer]);
    scene.tell(Event::Accepted);
    let mut session = scene.engine.session().lock().unwrap();
    session.set_backend(shared, Some(0), Instant::now()).unwrap();
    assert!(session.server.is_some());
    drop(session);
    scene.verdict(Verdict::IgnoreResult);
    assert_eq!(scene.awaits, Some(Awaits::Login));
    scene
}

/// Whether the last packet to the server makes the idle connection the client's own.
fn is_taken_over(did: &[Did]) -> bool {
    let last = did.iter().rev().find_map(|did| match did {
        Did::Send(Side::Server, _, payload) => payload.first(),
        _ => None,
    });
    last == Some(&Command::CHANGE_USER.0)
}

#[test]
fn an_idle_connection_fits_a_client_that_is_as_it() {
    let mirrored = Settings { compression: Compression::Mirror, ..mirror() };
    for parked in [NOTHING, SSL, ZLIB, SSL | ZLIB] {
        for asked in [NOTHING, SSL, ZLIB, SSL | ZLIB] {
            let shared = shared(true);
            park(&shared, mirrored, parked);
            let mut scene = greeted_from_pool(&shared, mirrored);
            let did = log_in(&mut scene, asked);
            assert_eq!(is_taken_over(&did), parked == asked, "{parked:?} for {asked:?}: {did:?}");
            if parked == asked {
                let compresses = did.contains(&Did::NewExchange(Side::Server));
                assert_eq!(compresses, parked.contains(ZLIB));
                continue;
            }
            // Another connection takes its place, and becomes what the client wants.
            assert_eq!((scene.awaits, scene.hands.connects.len()), (Some(Awaits::Greeting), 1));
            let did = scene.server(0, &greeting(SSL | ZLIB).encode().unwrap());
            let sent = if asked.contains(SSL) { scene.server_tls(&did) } else { plain_login(&did) };
            assert_eq!(sent.capabilities, COMMON | asked);
        }
    }
}

/// What both ends do by themselves does not matter.
#[test]
fn an_idle_connection_fits_every_client_where_sides_are_by_themselves() {
    let one_side = Settings {
        compression: Compression::ServerOnly,
        ..hops(ClientTls::Optional, ServerTls::Required)
    };
    let other_side = Settings {
        compression: Compression::ClientOnly,
        ..hops(ClientTls::Optional, ServerTls::Off)
    };
    for settings in [one_side, other_side] {
        for asked in [NOTHING, SSL, ZLIB, SSL | ZLIB] {
            let shared = shared(true);
            park(&shared, settings, ZLIB);
            let mut scene = greeted_from_pool(&shared, settings);
            let did = log_in(&mut scene, asked);
            assert!(is_taken_over(&did), "{asked:?}: {did:?}");
        }
    }
}

#[test]
fn a_new_server_without_tls_is_of_no_use_to_a_client_with_tls() {
    let shared = shared(true);
    park(&shared, mirror(), NOTHING);
    let mut scene = greeted_from_pool(&shared, mirror());
    log_in(&mut scene, SSL);
    let did = scene.server(0, &greeting(NOTHING).encode().unwrap());
    assert_eq!(refusal(&did).1, "pyproxy: the server does not offer TLS (SSL)");
}

/// Each side compresses by itself.
#[test]
fn a_new_server_without_compression_is_not_asked_for_it() {
    let settings = compressing(Compression::Mirror);
    let shared = shared(true);
    park(&shared, settings, NOTHING);
    let mut scene = greeted_from_pool(&shared, settings);
    log_in(&mut scene, ZLIB);
    let did = scene.server(0, &greeting(NOTHING).encode().unwrap());
    assert_eq!(plain_login(&did).capabilities, COMMON);
    let did = scene.server(2, OK);
    assert!(matches!(did[..], [Did::Forward(..), Did::Compress(Side::Client, _)]), "{did:?}");
}

/// The client is in with the login that opened the connection.
#[test]
fn compression_begins_behind_a_login_that_is_only_compared() {
    let settings = compressing(Compression::Mirror);
    let shared = shared(false);
    park(&shared, settings, ZLIB);
    let mut scene = greeted_from_pool(&shared, settings);
    let did = log_in(&mut scene, ZLIB);
    assert!(matches!(did[..], [Did::Send(Side::Client, 2, _), Did::Compress(Side::Client, _)]));
    assert_eq!(scene.client(3, &[Command::PING.0])[0], Did::NewExchange(Side::Server));
}

/// A script switches to an idle connection between commands.
#[test]
fn a_switch_takes_what_is_as_the_client() {
    for parked in [NOTHING, SSL] {
        for asked in [NOTHING, SSL] {
            let shared = shared(true);
            let mut scene = Scene::sharing(&shared, mirror(), &[Hook::ReadQuery]);
            scene.greeted(SSL);
            log_in(&mut scene, asked);
            scene.server(if asked == SSL { 3 } else { 2 }, OK);
            scene.client(0, &[Command::PING.0]);
            park(&shared, mirror(), parked);
            let mut session = scene.engine.session().lock().unwrap();
            // The present connection goes, and stays out of the choice.
            session.set_backend(&shared, None, Instant::now()).unwrap();
            let mut pool = shared.pool();
            let user = login(NOTHING, NATIVE).username;
            let claim = Claim::new(&user, &session.client.src, session.client.capabilities());
            let own = pool.of(0).take_for_user(&claim, |_| true).unwrap();
            assert_eq!(own.tls.is_some(), asked == SSL);
            let other = pool.of(0).take_for_user(&claim, |_| true);
            assert_eq!(other.is_some(), parked == asked);
        }
    }
}

#[test]
fn a_login_tells_the_script_what_the_server_is_asked_for() {
    let mut scene = Scene::new(mirror(), &[]);
    scene.greeted(SSL);
    log_in(&mut scene, SSL);
    let session = scene.engine.session().lock().unwrap();
    let login: &Login = session.client.login.as_ref().unwrap();
    assert!(login.capabilities.contains(SSL));
}

/// The CAs may have been replaced because one of them is not to be trusted any more.
#[test]
fn nobody_gets_a_connection_that_was_verified_with_other_files() {
    let required = hops(ClientTls::Optional, ServerTls::Required);
    for (settings, asked, is_verified) in
        [(required, NOTHING, true), (mirror(), SSL, true), (mirror(), NOTHING, false)]
    {
        let shared = shared(true);
        park(&shared, settings, asked);
        shared.trust.renew(1);
        let mut scene = Scene::sharing(&shared, settings, &[Hook::ConnectServer]);
        scene.tell(Event::Accepted);
        let mut session = scene.engine.session().lock().unwrap();
        session.set_backend(&shared, Some(0), Instant::now()).unwrap();
        assert_eq!(session.server.is_none(), is_verified, "{settings:?}");
        drop(session);
        assert_eq!(shared.pool().of(0).idle_count(None, Instant::now()), 0, "it is closed");
    }
    // What is parked later is looked at as well.
    let shared = shared(true);
    shared.trust.renew(1);
    park(&shared, required, NOTHING);
    greeted_from_pool(&shared, required);
}
