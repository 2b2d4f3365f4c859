//! A scripted server with real logins: it checks passwords with every method of [`super::auth`], and answers the
//! few statements that clients send by themselves.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use openssl::ssl::SslAcceptor;

use super::auth::{Accounts, Identity, Method, fresh_scramble};
use super::conn::ServerConn;
use super::greeting::Greeting;
use super::{RawServer, Seen};
use crate::client::{COM_PING, COM_QUERY, COM_QUIT};
use crate::proto::caps::{self, STATUS_AUTOCOMMIT};
use crate::proto::{ok_err, resultset};

const COM_CHANGE_USER: u8 = 0x11;
const COM_SET_OPTION: u8 = 0x1b;
const COM_RESET_CONNECTION: u8 = 0x1f;
/// The length of the packet that asks for TLS: a login without its names.
const SSL_REQUEST: usize = 32;
/// ER_UNSUPPORTED_PS, which makes clients go on without prepared statements.
const UNSUPPORTED_PS: u16 = 1295;
/// Clients choose what they speak by the version.
const VERSION: &str = "8.0.36";
/// The value of every variable that a client asks for: it is a number where they want one.
const VARIABLE: &[u8] = b"16777216";

/// The server. `SELECT CURRENT_USER()` tells who is logged in.
#[derive(Debug)]
pub struct LoginServer {
    server: RawServer,
}

impl LoginServer {
    /// Starts on a free loopback port; the handshake names the method `greets_with`.
    pub fn start(greets_with: Method) -> Self {
        Self { server: RawServer::start(behaviour(greets_with, None)) }
    }

    /// Starts on this loopback port, and offers TLS if there is what accepts it.
    pub fn start_on(port: u16, greets_with: Method, tls: Option<SslAcceptor>) -> Self {
        Self { server: RawServer::start_on(port, behaviour(greets_with, tls)) }
    }

    /// Starts on a unix socket, over which passwords come in clear.
    pub fn start_unix(path: &Path, greets_with: Method) -> Self {
        Self { server: RawServer::start_unix(path, behaviour(greets_with, None)) }
    }

    /// Where it listens; see [`RawServer::address`].
    ///
    /// # Panics
    /// If that is a unix socket.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What was seen so far, one entry per connection in order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.server.seen()
    }
}

fn behaviour(
    greets_with: Method,
    tls: Option<SslAcceptor>,
) -> impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static {
    let accounts = Arc::new(Accounts::one_for_each_method());
    move |conn| serve(conn, &accounts, greets_with, tls.as_ref())
}

fn serve(
    conn: &mut ServerConn,
    accounts: &Accounts,
    greets_with: Method,
    tls: Option<&SslAcceptor>,
) -> io::Result<()> {
    let scramble = fresh_scramble();
    let greeting = Greeting::default().version(VERSION).method(greets_with.name());
    let greeting = greeting.with(caps::MULTI_FACTOR).scramble(scramble);
    let greeting = if tls.is_some() { greeting.with(caps::SSL) } else { greeting };
    conn.write(0, &greeting.payload())?;
    let mut login = conn.read()?;
    if let Some(acceptor) = tls.filter(|_| login.payload.len() == SSL_REQUEST) {
        conn.start_tls(acceptor)?;
        login = conn.read()?;
    }
    let Some(mut identity) = accounts.log_in(conn, login.id, &login.payload, scramble)? else {
        return Ok(());
    };
    loop {
        let command = conn.read()?;
        match command.payload.first() {
            Some(&COM_QUIT) => return Ok(()),
            Some(&COM_CHANGE_USER) => {
                let (command, capabilities) = (&command.payload, identity.capabilities);
                match accounts.change_user(conn, command, capabilities)? {
                    Some(changed) => identity = changed,
                    None => return Ok(()),
                }
            }
            _ => {
                conn.write_all(1, &answer(&command.payload, &identity))?;
            }
        }
    }
}

fn answer(command: &[u8], identity: &Identity) -> Vec<Vec<u8>> {
    match command.split_first() {
        Some((&COM_QUERY, sql)) => query(&String::from_utf8_lossy(sql), &identity.user),
        Some((&(COM_PING | COM_RESET_CONNECTION), _)) => vec![ok_err::plain_ok()],
        Some((&COM_SET_OPTION, _)) => vec![ok_err::eof(STATUS_AUTOCOMMIT)],
        _ => vec![ok_err::err(UNSUPPORTED_PS, "HY000", "This command is not supported here")],
    }
}

/// One row for a SELECT, OK for everything else.
fn query(sql: &str, user: &str) -> Vec<Vec<u8>> {
    let mut words = sql.split_whitespace();
    if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("select")) {
        return vec![ok_err::plain_ok()];
    }
    let items: Vec<&str> = sql.split(',').collect();
    let value = |item: &&str| {
        let asks_who = item.to_ascii_lowercase().contains("current_user");
        Some(if asks_who { user.as_bytes() } else { VARIABLE })
    };
    let row: Vec<_> = items.iter().map(value).collect();
    resultset::text_result(&items, &[&row], STATUS_AUTOCOMMIT)
}
