//! `/api/v1/connections`: who is connected, and what they do.

use std::time::Instant;

use engine::Session;
use serde_json::{Value, json};
use wire::Command;

use super::{Refusal, text};
use crate::drive::Context;

/// How many are listed unless `limit` says otherwise.
const USUAL: usize = 200;
/// The most that are listed at a time.
const MOST: usize = 1000;

/// Some of them, in the order of their numbers: `limit` of those behind `after`.
pub fn list(ctx: &Context, query: &str) -> Result<Value, Refusal> {
    let (mut after, mut limit) = (0, USUAL);
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("after", value)) => {
                after = value.parse().map_err(|_| Refusal::Parameter("after is not a number"))?;
            }
            Some(("limit", value)) => {
                limit = value.parse().map_err(|_| Refusal::Parameter("limit is not a number"))?;
            }
            _ => return Err(Refusal::Parameter("only after and limit can be given")),
        }
    }
    let sessions = ctx.shared.live.list(after, limit.min(MOST));
    let now = Instant::now();
    let seen: Vec<_> =
        sessions.iter().filter_map(|session| session.lock().as_deref().map(Seen::of)).collect();
    let last = seen.last().map(|seen| seen.id).filter(|_| sessions.len() == limit.min(MOST));
    let connections: Vec<_> = seen.into_iter().map(|seen| seen.show(ctx, now)).collect();
    Ok(json!({ "connections": connections, "next_after": last }))
}

/// A copy of what is shown, made while the session is locked: so that it is not for long.
struct Seen {
    id: u64,
    client: String,
    user: Option<Vec<u8>>,
    database: Vec<u8>,
    backend: Option<usize>,
    state: &'static str,
    connected_at: Option<Instant>,
    command: Option<(u8, Instant)>,
    text: Option<(Vec<u8>, usize)>,
    tls: Option<String>,
}

impl Seen {
    fn of(session: &Session) -> Self {
        let command = session.command.zip(session.command_at);
        let text = &session.text;
        Self {
            id: session.id,
            client: session.client.src.name.clone(),
            user: session.client.username().map(<[u8]>::to_vec),
            database: session.client.default_db.clone(),
            backend: session.server.as_ref().map(|server| server.backend),
            state: state(session),
            connected_at: session.connected_at,
            text: command.filter(|_| text.len > 0).map(|_| (text.shown().to_vec(), text.len)),
            command,
            tls: session.client.tls.as_ref().map(|tls| tls.version.clone()),
        }
    }

    fn show(self, ctx: &Context, now: Instant) -> Value {
        let since = |at: Instant| now.saturating_duration_since(at).as_secs_f64();
        let backend = self.backend.and_then(|ndx| ctx.backends.get(ndx));
        let query = self.text.as_ref().filter(|_| ctx.shows_queries);
        let command = self.command.map(|(command, at)| {
            json!({
                "command": Command(command).word(),
                "seconds": since(at),
                "query": query.map(|(start, _)| text(start)),
                "query_is_cut": query.map(|(start, len)| *len > start.len()),
            })
        });
        json!({
            "id": self.id,
            "client": self.client,
            "user": self.user.as_deref().map(text),
            "database": text(&self.database),
            "backend": backend.map(|backend| backend.address().name),
            "state": self.state,
            "seconds": since(self.connected_at.unwrap_or(now)),
            "tls": self.tls,
            "command": command,
        })
    }
}

/// What it does, in a word.
fn state(session: &Session) -> &'static str {
    let in_transaction = session.server.as_ref().is_some_and(|server| server.in_transaction());
    match (session.hook, session.command_at) {
        (Some(_), _) => "hook",
        (None, Some(_)) => "command",
        (None, None) if session.client.handshake.is_none() => "connecting",
        (None, None) if session.command.is_none() && !is_logged_in(session) => "login",
        (None, None) if in_transaction => "idle in transaction",
        (None, None) => "idle",
    }
}

fn is_logged_in(session: &Session) -> bool {
    session.server.as_ref().is_none_or(|server| server.authenticated)
}
