//! `con_read_auth`: the client's login packet arrived (host contract 2.5).

use std::sync::Arc;

use wire::Capabilities;
use wire::connect::{AuthReply, AuthSwitch, ChangeUser, Login, LoginKind};

use super::connection::{LoginReason, LoginRounds};
use super::step::{Step, hook_failed};
use crate::chassis::{ConState, Verdict};
use crate::embed::Outcome;
use crate::session::{Hook, Reply};

/// ER_HANDSHAKE_ERROR.
const BAD_HANDSHAKE: u16 = 1043;
/// ER_ACCESS_DENIED_ERROR.
const ACCESS_DENIED: u16 = 1045;
/// CR_SSL_CONNECTION_ERROR, as clients know it.
const NO_TLS: u16 = 2026;
/// CR_VERSION_ERROR.
const TOO_OLD: u16 = 2007;

/// Reads the login, asks the script, and passes the login on in the way the server connection needs.
pub fn read_auth(step: &mut Step<'_>) -> Verdict {
    let Some(packet) = step.client.pop_received() else { return Verdict::Error };
    if step.session().client.handshake.is_none() {
        return step.refuse(&Reply::error(BAD_HANDSHAKE, b"08S01", "Bad handshake"));
    }
    let mut payload = packet.payload().to_vec();
    let parsed = match LoginKind::classify(&payload) {
        Ok(LoginKind::V41(asked)) => {
            step.conn.may_compress = asked.capabilities.intersects(Capabilities::COMPRESSION);
            Login::mask(&mut payload, Capabilities::unsupported_in_login(offered(step)))
                .and_then(|()| Login::parse(&payload))
        }
        Ok(LoginKind::Ssl) => {
            let message = "pyproxy: TLS is not supported by this proxy, connect without it";
            return step.refuse(&Reply::error(NO_TLS, b"HY000", message));
        }
        Ok(LoginKind::Pre41) => {
            let reply = Reply::error_before_handshake(TOO_OLD, "4.0 protocol is not supported");
            return step.refuse(&reply);
        }
        Err(e) => Err(e),
    };
    let login = match parsed {
        Ok(login) => login,
        Err(e) => {
            step.ctx.shared.stats.malformed_packets.increment();
            log::warn!("connection {}: cannot read the client's login: {e}", step.id());
            return step.refuse(&Reply::error(BAD_HANDSHAKE, b"08S01", "Bad handshake"));
        }
    };
    {
        let mut session = step.session();
        session.client.default_db = login.database.clone().unwrap_or_default();
        session.client.login = Some(Arc::new(login.clone()));
    }
    decide(step, login, payload)
}

/// The client answered a question that the script asked in `read_auth`: the script is asked again, about a login with
/// this answer in it.
pub fn read_answer_to_script(step: &mut Step<'_>, auth_response: &[u8]) -> Verdict {
    let method = std::mem::take(&mut step.conn.login.method);
    let login = {
        let mut session = step.session();
        let Some(login) = session.client.login.as_mut() else { return Verdict::Error };
        let login = Arc::make_mut(login);
        login.auth_response = auth_response.to_vec();
        if !method.is_empty() {
            login.auth_plugin = Some(method);
        }
        login.clone()
    };
    match login.encode() {
        Ok(payload) => decide(step, login, payload),
        Err(_) => step.refuse(&Reply::error(BAD_HANDSHAKE, b"08S01", "Bad handshake")),
    }
}

/// Asks the script about the login, whose packet is `payload`, and does what it says.
fn decide(step: &mut Step<'_>, login: Login, payload: Vec<u8>) -> Verdict {
    let outcome = match step.conn.script.as_mut() {
        Some(script) => script.read_auth(step.call),
        None => Outcome::Proceed,
    };
    match outcome {
        Outcome::SendResult(reply) => answer(step, &reply),
        Outcome::SendQuery => replace(step, login, payload),
        Outcome::Failed if step.rejects_on_script_error() => {
            step.refuse(&Reply::proxy_error(&hook_failed(Hook::ReadAuth)))
        }
        _ => {
            warn_about_unsent_queries(step);
            pass_on(step, login, &payload)
        }
    }
}

/// What the client was offered.
fn offered(step: &Step<'_>) -> Capabilities {
    let session = step.session();
    session.client.handshake.as_ref().map(|handshake| handshake.capabilities).unwrap_or_default()
}

fn warn_about_unsent_queries(step: &Step<'_>) {
    let mut session = step.session();
    if !session.queries.is_empty() {
        session.queries.clear();
        let id = session.id;
        log::warn!("connection {id}: read_auth queued packets but did not return PROXY_SEND_QUERY");
    }
}

/// The client's login goes to the server as it is.
fn pass_on(step: &mut Step<'_>, login: Login, payload: &[u8]) -> Verdict {
    if !step.has_server() {
        return accept_without_server(step);
    }
    if step.session().server.as_ref().is_some_and(|server| server.authenticated) {
        return take_over_pooled(step, login);
    }
    step.with_server(|server| server.append_payload(payload));
    send_login(step, LoginReason::Connect, login)
}

/// `PROXY_SEND_QUERY`: the first queued packet goes out in place of the client's login.
fn replace(step: &mut Step<'_>, login: Login, payload: Vec<u8>) -> Verdict {
    let Some(query) = step.session().queries.pop_front() else {
        log::warn!(
            "connection {}: read_auth returned PROXY_SEND_QUERY but queued nothing",
            step.id()
        );
        return pass_on(step, login, &payload);
    };
    step.session().queries.clear();
    let fresh = step.session().server.as_ref().is_some_and(|server| !server.authenticated);
    if !fresh {
        return script_error(step, "no new server connection that could take a login packet");
    }
    let mut replacement = query.packet;
    let parsed = Login::mask(&mut replacement, Capabilities::UNSUPPORTED)
        .and_then(|()| Login::copy_extended(&mut replacement, login.capabilities))
        .and_then(|()| Login::parse(&replacement));
    match parsed {
        Ok(replaced) => {
            step.with_server(|server| server.append_payload(&replacement));
            send_login(step, LoginReason::Connect, replaced)
        }
        Err(e) => script_error(step, &format!("the packet queued in read_auth is no login: {e}")),
    }
}

fn script_error(step: &Step<'_>, what: &str) -> Verdict {
    log::error!("connection {}: read_auth: {what}", step.id());
    step.refuse(&Reply::proxy_error(&hook_failed(Hook::ReadAuth)))
}

fn send_login(step: &mut Step<'_>, reason: LoginReason, login: Login) -> Verdict {
    if let Some(server) = step.session().server.as_mut() {
        server.busy = true;
    }
    let offered = || step.session().client.handshake.as_ref()?.auth_plugin.clone();
    let method = login.auth_plugin.clone().or_else(offered).unwrap_or_default();
    step.conn.login = LoginRounds { reason, method, sent: Some(login), ..LoginRounds::default() };
    step.go(ConState::SendAuth)
}

/// There is no server (a script made the handshake): whoever comes is let in.
fn accept_without_server(step: &mut Step<'_>) -> Verdict {
    let status = step.session().status();
    answer(step, &Reply::ok(status))
}

/// `PROXY_SEND_RESULT`, and every other answer that the proxy makes itself.
fn answer(step: &mut Step<'_>, reply: &Reply) -> Verdict {
    let told = reply.packets().first().and_then(|payload| AuthReply::classify(payload).ok());
    match told {
        Some(AuthReply::Err) | None => step.refuse(reply),
        Some(told) => {
            if told == AuthReply::Ok {
                let mut session = step.session();
                // A server that still waits for a login would take the first command for one; a pooled one belongs
                // to whom it was logged in for.
                session.park_server(step.call, step.ctx.shared);
                session.choice = None;
            }
            step.sync_server();
            step.send_to_client(reply);
            if told == AuthReply::Ok {
                step.reset_packet_ids();
            }
            let method = match reply.packets().first().map(|payload| AuthSwitch::parse(payload)) {
                Some(Ok(switch)) if told == AuthReply::Switch => switch.plugin,
                _ => Vec::new(),
            };
            step.conn.login = LoginRounds {
                told: Some(told),
                method,
                asked_by_script: !told.is_final(),
                ..LoginRounds::default()
            };
            step.go(ConState::SendAuthResult)
        }
    }
}

/// The client got a pooled connection, which is logged in as somebody: make it the client's own.
fn take_over_pooled(step: &mut Step<'_>, login: Login) -> Verdict {
    let change_user_is_on = step.ctx.shared.pool_change_user;
    let (speaks, same_db) = {
        let session = step.session();
        let server = session.server.as_ref();
        let wanted = login.database.as_deref().unwrap_or_default();
        (
            server.is_some_and(|server| server.speaks(login.capabilities)),
            server.is_some_and(|server| server.default_db == wanted),
        )
    };
    match (speaks, change_user_is_on) {
        (true, true) => change_user(step, login, Auth::OfClient),
        (true, false) if same_db => compare_logins(step, &login),
        _ => replace_pooled(step, login),
    }
}

/// The pooled connection that the client was greeted from does not fit it: it was opened with other capabilities, or, if
/// there is no new login, is in another database. It goes back, and another one takes its place; the client's auth data
/// belong to another scramble, so the server is made to ask for them again.
fn replace_pooled(step: &mut Step<'_>, login: Login) -> Verdict {
    if !login.capabilities.contains(Capabilities::PLUGIN_AUTH) {
        // Nobody can ask this client again. The next time it shall not meet the same connection.
        step.close_server();
        return step
            .refuse(&Reply::proxy_error("no pooled connection fits this client, try again"));
    }
    if step.ctx.shared.pool_change_user && take_fitting(step, login.capabilities) {
        return change_user(step, login, Auth::AskAgain);
    }
    {
        let mut session = step.session();
        let backend = session.backend_ndx();
        session.park_server(step.call, step.ctx.shared);
        session.choice = backend;
    }
    step.sync_server();
    step.conn.login =
        LoginRounds { reason: LoginReason::Reconnect, sent: Some(login), ..LoginRounds::default() };
    step.go(ConState::ConnectServer)
}

/// Exchanges the attached pooled connection for an idle one of the same backend that speaks the client's dialect.
fn take_fitting(step: &Step<'_>, capabilities: Capabilities) -> bool {
    let shared = step.ctx.shared;
    let mut session = step.session();
    let Some(ndx) = session.backend_ndx() else { return false };
    let found = shared.pool.borrow_mut(step.call).of(ndx).take_for_login(step.call, capabilities);
    let Some(server) = found else { return false };
    session.exchange_server(step.call, shared, server);
    drop(session);
    step.sync_server();
    true
}

/// Which auth data a server gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Auth {
    /// Those in the client's login.
    OfClient,
    /// None, for a method that no account has: the server answers with a switch request for the right one, and the client
    /// with auth data for this server's scramble.
    AskAgain,
}

/// The login as the server shall get it.
fn with_auth(login: &Login, auth: Auth) -> Login {
    match auth {
        Auth::OfClient => login.clone(),
        Auth::AskAgain => Login {
            auth_response: Vec::new(),
            auth_plugin: Some(b"pyproxy_switch_request".to_vec()),
            ..login.clone()
        },
    }
}

/// The new server's handshake is there, but the client's auth data are not for its scramble.
pub fn login_again(step: &mut Step<'_>) -> Verdict {
    let Some(login) = step.conn.login.sent.take() else { return Verdict::Error };
    let offered = {
        let session = step.session();
        let handshake = session.server.as_ref().and_then(|server| server.handshake.as_ref());
        handshake.map(|handshake| handshake.capabilities).unwrap_or_default()
    };
    if !offered.contains(login.capabilities.mariadb_extended()) {
        // The client was greeted with another server's offer, and would misread what this one sends.
        let message = "the servers of this backend differ, try again";
        return step.refuse(&Reply::proxy_error(message));
    }
    let request = with_auth(&login, Auth::AskAgain);
    let (Ok(payload), true) = (request.encode(), step.has_server()) else {
        return step.refuse(&Reply::error(BAD_HANDSHAKE, b"08S01", "Bad handshake"));
    };
    step.with_server(|server| server.append_payload(&payload));
    send_login(step, LoginReason::Connect, login)
}

fn change_user(step: &mut Step<'_>, login: Login, auth: Auth) -> Verdict {
    let sent = with_auth(&login, auth);
    let request = ChangeUser {
        username: sent.username,
        auth_response: sent.auth_response,
        database: sent.database.unwrap_or_default(),
        charset: Some(sent.charset.into()),
        auth_plugin: sent.auth_plugin,
        attributes: sent.attributes,
    };
    let both = {
        let session = step.session();
        let server = session.server.as_ref().map(|server| server.capabilities());
        server.unwrap_or_default() & login.capabilities
    };
    let (Ok(payload), true) = (request.encode(both), step.has_server()) else {
        let message = "the login does not fit into COM_CHANGE_USER";
        return step.refuse(&Reply::error(BAD_HANDSHAKE, b"08S01", message));
    };
    step.with_server(|server| {
        server.reset_packet_ids();
        server.append_payload(&payload);
    });
    send_login(step, LoginReason::PooledConnection, login)
}

/// Without re-authentication only who would have logged in the same way gets the connection.
fn compare_logins(step: &mut Step<'_>, login: &Login) -> Verdict {
    let same = {
        let session = step.session();
        let provable = session.server.as_ref().filter(|server| server.login_is_proof);
        provable.and_then(|server| server.login.as_ref()).is_some_and(|pooled| {
            pooled.username == login.username
                && pooled.auth_plugin == login.auth_plugin
                && pooled.auth_response == login.auth_response
        })
    };
    if !same {
        step.session().park_server(step.call, step.ctx.shared);
        step.sync_server();
        let reply = Reply::error(ACCESS_DENIED, b"28000", "(proxy-pool) login failed");
        return step.refuse(&reply);
    }
    let status = step.session().status();
    step.send_to_client(&Reply::ok(status));
    step.reset_packet_ids();
    step.conn.login = LoginRounds { told: Some(AuthReply::Ok), ..LoginRounds::default() };
    step.go(ConState::SendAuthResult)
}
