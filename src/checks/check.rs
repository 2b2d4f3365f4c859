//! One check of one backend.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Address, BackendKind, ServerTls, Tls};
use wire::Command;
use wire::connect::{Handshake, Login};
use wire::reply::is_err;
use wire::{Capabilities, Reader, marker};

use super::Account;
use super::conversation::Conversation;
use super::login::{self, Failure, told};
use crate::chassis::address::moved;
use crate::drive::Context;

const QUESTION: &[u8] = b"SELECT @@read_only";

/// What is to be checked.
#[derive(Debug)]
pub struct Job {
    /// The plugin.
    pub ctx: &'static Context,
    /// Where the server was last.
    pub address: Address,
    /// Its name, if it is configured by one.
    pub host: Option<Arc<str>>,
    /// What it is for.
    pub kind: BackendKind,
    /// Who logs in.
    pub account: Option<Account>,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The server's name leads elsewhere now.
    pub moved: Option<Address>,
    /// Whether clients can be taken there; if not, why.
    pub verdict: Result<Found, String>,
    /// How long it took until the greeting.
    pub took: Duration,
}

/// A server that takes clients.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What keeps the check from knowing more.
    pub complaint: Option<String>,
}

impl Job {
    /// Makes the check.
    pub fn run(&self) -> Report {
        let moved = self.host.as_deref().and_then(|host| self.look_up(host));
        let began = Instant::now();
        let mut took = Duration::ZERO;
        let verdict = self.talk(moved.as_ref().unwrap_or(&self.address), began, &mut took);
        Report { moved, verdict, took }
    }

    fn look_up(&self, host: &str) -> Option<Address> {
        let port = self.address.port?;
        if host.parse::<IpAddr>().is_ok() {
            return None;
        }
        // While the name service does not know, the server is where it was.
        let found: Vec<_> = (host, port).to_socket_addrs().ok()?.collect();
        moved(&self.address, &found)
    }

    fn talk(&self, server: &Address, began: Instant, took: &mut Duration) -> Result<Found, String> {
        let limit = self.ctx.time_limits.connect.value();
        let reason = |e: io::Error| e.to_string();
        let mut talk = Conversation::begin(server, began + limit).map_err(reason)?;
        let greeting = talk.receive().map_err(reason)?;
        *took = began.elapsed();
        if is_err(&greeting) {
            return Ok(Found { complaint: Some(told(&greeting)) });
        }
        let greeting = Handshake::parse(&greeting);
        let greeting = greeting.map_err(|e| format!("its greeting makes no sense: {e}"))?;
        let Some(account) = &self.account else { return Ok(Found::default()) };
        talk.deadline = Instant::now() + limit;
        match self.ask(&mut talk, &greeting, account, server) {
            Ok(true) if self.kind == BackendKind::ReadWrite => Err("it is read-only".to_owned()),
            Ok(_) => Ok(Found::default()),
            Err(Failure::Broken(e)) => Err(e.to_string()),
            Err(Failure::Refused(why)) => Ok(Found { complaint: Some(why) }),
        }
    }

    /// Logs in and asks whether the server is read-only.
    fn ask(
        &self,
        talk: &mut Conversation,
        greeting: &Handshake,
        account: &Account,
        server: &Address,
    ) -> Result<bool, Failure> {
        let is_offered = greeting.capabilities.contains(Capabilities::SSL);
        let has_tls = match self.ctx.settings.tls {
            Tls::Mirror => is_offered,
            Tls::Hops { server, .. } => server == ServerTls::Required,
        };
        if has_tls && !is_offered {
            return Err(Failure::Refused("the server does not offer TLS".to_owned()));
        }
        let packet = login::packet(greeting, account, has_tls)?;
        if let Some(request) = Login::tls_request(&packet).filter(|_| has_tls) {
            talk.send(&request)?;
            let (ctx, host) = (self.ctx, self.host.as_deref());
            let trust = &ctx.shared.trust;
            let begin = |stream: &mut _| ctx.tls.start_client(stream, &server.name, host, trust);
            talk.encrypt(begin).map_err(|e| Failure::Refused(format!("TLS: {e}")))?;
        }
        let is_private = has_tls || server.port.is_none();
        login::log_in(talk, &packet, &account.password, is_private)?;
        talk.command(&[&[Command::QUERY.0], QUESTION].concat())?;
        let is_read_only = read_only(talk)?;
        // Whether it hears that makes no difference.
        _ = talk.command(&[Command::QUIT.0]);
        Ok(is_read_only)
    }
}

/// The answer to [`QUESTION`].
fn read_only(talk: &mut Conversation) -> Result<bool, Failure> {
    let first = talk.receive()?;
    if is_err(&first) {
        return Err(Failure::Refused(told(&first)));
    }
    let is_eof = |payload: &[u8]| payload.first() == Some(&marker::EOF) && payload.len() < 9;
    while !is_eof(&talk.receive()?) {}
    let mut value = None;
    loop {
        let row = talk.receive()?;
        if is_err(&row) {
            return Err(Failure::Refused(told(&row)));
        }
        if is_eof(&row) {
            break;
        }
        value = Some(Reader::new(&row).lenenc_bytes()?.to_ascii_uppercase());
    }
    // What a server of another kind says for "no" is not known; none of them says it otherwise.
    Ok(!matches!(value.as_deref(), Some(b"0" | b"OFF") | None))
}
