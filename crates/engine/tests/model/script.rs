//! A script that decides at random, within what hooks may return.

use std::sync::Arc;
use std::time::Instant;

use engine::{Ask, Hook, Query, Reply, Session, Shared, Verdict};
use wire::Capabilities;
use wire::reply::StatusFlags;

use super::choices::Choices;
use super::client::Client;
use super::packets;
use super::server::{End, ModelLink};

/// What the script says, and whether it made an answer that does not fit the command.
#[derive(Debug)]
pub struct Said {
    pub verdict: Verdict,
    pub is_raw: bool,
}

/// The end of the server connection that a session holds.
pub fn end_of(session: &Session) -> Option<Arc<End>> {
    let link: &dyn std::any::Any = &*session.server.as_ref()?.link;
    link.downcast_ref::<ModelLink>().map(|link| Arc::clone(&link.0))
}

/// What the script does with the connection while it is asked.
pub fn act(
    session: &mut Session,
    shared: &Shared,
    hook: Hook,
    now: Instant,
    had: &mut Vec<u64>,
    input: &mut Choices<'_>,
) {
    assert_eq!(session.hook, Some(hook));
    if input.chance(56) {
        let ndx = Some(input.below(shared.backends.len() + 2)).filter(|ndx| *ndx > 0);
        let before = session.server.as_ref().map(|server| server.id);
        let _ = session.set_backend(shared, ndx.map(|ndx| ndx - 1), now);
        let after = session.server.as_ref().map(|server| server.id);
        had.extend(before);
        // What it parked itself while it waits may still be its own.
        if after.is_some() && after != before && !after.is_some_and(|after| had.contains(&after)) {
            check_taken(session, hook);
        }
    }
    if shared.tracks_sessions() && hook != Hook::DisconnectClient {
        note_state(session, input);
    }
    match hook {
        Hook::ReadQuery | Hook::ReadQueryResult => {
            let most = if hook == Hook::ReadQuery { 4 } else { 2 };
            let chance = if hook == Hook::ReadQuery { 160 } else { 24 };
            if input.chance(chance) {
                for _ in 0..input.below(most) {
                    let packet =
                        packets::command_of_script(session.client.capabilities(), shared, input);
                    let mut query = Query::new(1, packet, input.chance(160), now).unwrap();
                    // By the packet, so that nothing else of the input moves.
                    query.failure_is_needed =
                        !query.resultset_is_needed && query.packet.len().is_multiple_of(3);
                    session.queries.push_back(query);
                }
            }
        }
        Hook::ReadAuth if input.chance(48) => {
            let offered = session.client.handshake.as_ref().map(|offer| offer.capabilities);
            let login = packets::login(offered.unwrap_or_default(), b"dialog", input);
            let packet = if input.chance(16) { vec![1, 2, 3] } else { login.encode().unwrap() };
            session.queries.push_back(Query::new(1, packet, false, now).unwrap());
        }
        _ => {}
    }
    session.close_after_result |= input.chance(3);
    if input.chance(8) {
        let ndx = input.below(shared.backends.len());
        shared.pool().of(ndx).min_idle_connections = u32::from(input.byte() % 3);
        let _ = shared.pool().of(ndx).idle_count(None, now);
    }
}

/// The script learned something of the session, or not.
fn note_state(session: &mut Session, input: &mut Choices<'_>) {
    let (name, value) = (vec![b'a' + input.byte() % 3], vec![b'0' + input.byte() % 2]);
    match input.below(24) {
        0 => _ = session.state.settings.insert(name, value),
        1 => session.state.settings.clear(),
        2 => session.state.role = Some(name),
        3 => session.state.insert_id = Some(u64::from(input.byte())),
        4 => {
            if let Some(server) = session.server.as_mut() {
                server.session.tie("it is", input.chance(64));
            }
        }
        5 => {
            if let Some(server) = session.server.as_mut() {
                server.session.free("it is");
                server.session.state = session.state.clone();
            }
        }
        _ => {}
    }
}

/// A connection came out of the pool: it is nobody else's, and nothing waits to be read.
fn check_taken(session: &Session, hook: Hook) {
    let end = end_of(session).unwrap();
    assert!(end.may_be_shared(), "a connection that is not idle was handed over: {end:?}");
    let state = end.state();
    let client = &session.client;
    let login = client.login.as_ref().map(|login| login.username.clone());
    if hook != Hook::ConnectServer && !state.lied {
        let server = session.server.as_ref().unwrap();
        let translated =
            if server.reports.is_some() { Capabilities::TRACKED } else { Capabilities::empty() };
        let form = packets::DIALECT.difference(translated);
        let (spoken, read) = (state.capabilities & form, client.capabilities() & form);
        assert_eq!(spoken, read, "a connection of another dialect");
        let user = client.server_user.clone().or(login);
        assert_eq!(Some(&state.user), user.as_ref(), "a connection of another user");
    }
}

/// What the script answers.
pub fn decide(
    ask: &Ask,
    session: &Session,
    shared: &Shared,
    client: &Client,
    input: &mut Choices<'_>,
) -> Said {
    let hook = ask.hook();
    let fits = |verdict| Said { verdict, is_raw: false };
    match input.byte() {
        0..=99 => return fits(Verdict::Proceed),
        100..=103 => return fits(Verdict::Failed),
        _ => {}
    }
    match hook {
        Hook::ConnectServer => match input.byte() {
            0..=139 => fits(Verdict::IgnoreResult),
            140..=199 => fits(Verdict::Greet),
            200..=219 => raw(vec![packets::handshake(input)]),
            220..=224 => raw(vec![packets::err()]),
            _ => fits(Verdict::Proceed),
        },
        Hook::ReadHandshake if input.chance(8) => raw(vec![packets::err()]),
        Hook::ReadHandshake | Hook::DisconnectClient => fits(Verdict::Proceed),
        Hook::ReadAuth | Hook::ReadAuthResult => match input.byte() {
            0..=127 if hook == Hook::ReadAuth && !session.queries.is_empty() => {
                fits(Verdict::SendQuery)
            }
            0..=199 => fits(Verdict::Proceed),
            200..=229 => {
                raw(vec![packets::ok(StatusFlags::AUTOCOMMIT, Capabilities::empty(), input)])
            }
            230..=239 => raw(vec![packets::err()]),
            240..=247 => raw(vec![packets::switch(input)]),
            _ => raw(vec![input.garbage(10)]),
        },
        Hook::ReadQuery => match input.byte() {
            0..=159 => fits(Verdict::SendQuery),
            160..=189 => {
                let capabilities = session.client.capabilities();
                fits(Verdict::Forward(packets::command_of_script(capabilities, shared, input)))
            }
            _ => answer(client, input),
        },
        Hook::ReadQueryResult => match input.byte() {
            0..=149 => fits(Verdict::IgnoreResult),
            _ => answer(client, input),
        },
    }
}

fn raw(packets: Vec<Vec<u8>>) -> Said {
    Said { verdict: Verdict::SendResult(Reply::from_packets(packets).unwrap()), is_raw: true }
}

/// An answer to the client's command.
fn answer(client: &Client, input: &mut Choices<'_>) -> Said {
    let capabilities = client.capabilities();
    let packets = match input.byte() {
        0..=79 => vec![packets::ok(packets::status(input), capabilities, input)],
        80..=139 => vec![packets::err()],
        140..=209 => packets::result_set(capabilities, StatusFlags::AUTOCOMMIT, input),
        210..=239 => vec![packets::file_request()],
        _ => {
            let first = input.garbage(12);
            if input.chance(64) { vec![first, input.garbage(5)] } else { vec![first] }
        }
    };
    let is_raw = !client.could_read(&packets);
    Said { is_raw, ..raw(packets) }
}
