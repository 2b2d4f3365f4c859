//! How long a connection waits, and what follows.
//!
//! A login has one deadline, which nothing moves. Later on a deadline moves when the peer that is awaited sends something, or takes
//! something of what it is to get; what another one does is no progress.

use std::time::Instant;

use engine::{Awaits, Event, Side};

use super::connection::{Connection, awaited};
use super::timers::{Deadline, Timers};
use super::tools::Tools;

/// What a connection waits for, as far as time limits tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// A place at a backend that is full.
    Place,
    /// A server that can be reached, and greets.
    Server,
    /// A server's answer.
    Answer,
    /// What the client wants next.
    Client,
    /// The client's part in a COM_CHANGE_USER.
    Password,
    /// A script's verdict, which the script itself limits.
    Script,
    /// A peer that takes what it is sent.
    Write,
}

/// How much time a connection has left.
#[derive(Debug)]
pub struct Patience {
    deadline: Deadline,
    /// When the login has to be complete; `None`: it is.
    login_by: Option<Instant>,
    wait: Wait,
    /// When this wait began, or made progress last.
    since: Instant,
}

impl Patience {
    /// For a client that was accepted.
    pub fn new(tools: &Tools) -> Self {
        let since = Instant::now();
        let login_by = Some(since + tools.ctx.time_limits.login.value());
        Self { deadline: Deadline::default(), login_by, wait: Wait::Server, since }
    }
}

impl Connection {
    /// A timer went off: whether the connection has waited for too long.
    pub fn is_late(&mut self, now: Instant, timers: &mut Timers) -> bool {
        self.patience.deadline.is_over(now, self.io.key, timers)
    }

    /// It has waited for too long.
    pub fn timed_out(&mut self, now: Instant, tools: &mut Tools) {
        if self.introduction_timed_out(now) {
            return;
        }
        if self.patience.login_by.is_some_and(|by| by <= now) {
            self.is_left |= self.waits;
            self.tell(Event::LoginTimedOut, tools);
        } else if self.patience.wait == Wait::Write {
            self.stalled(tools);
        } else {
            self.tell(Event::TimedOut, tools);
            if self.awaits == Awaits::Greeting {
                // It may take longer.
                self.io.attempt_at = Some(now);
            }
        }
    }

    /// A peer does not take what it is sent.
    fn stalled(&mut self, tools: &mut Tools) {
        let client_stalls = self.io.client.queued() > 0;
        let who = if client_stalls { "client" } else { "server" };
        let id = self.engine.session().lock().map_or(0, |session| session.id);
        log::info!("connection {id}: the {who} does not take what it is sent");
        let event = match (client_stalls, awaited(self.awaits)) {
            (true, _) => Event::Ended(Side::Client),
            (false, Some(Side::Client)) => Event::Ended(Side::Server),
            (false, _) => Event::TimedOut,
        };
        self.tell(event, tools);
    }

    /// Sets the deadline anew.
    #[inline]
    pub fn set_deadline(&mut self, tools: &mut Tools, timers: &mut Timers) {
        let limits = &tools.ctx.time_limits;
        let patience = &mut self.patience;
        if self.awaits == Awaits::Command {
            patience.login_by = None;
        }
        let wait = match self.awaits {
            Awaits::Place => Wait::Place,
            Awaits::Connect | Awaits::Retry | Awaits::Greeting => Wait::Server,
            Awaits::Close => Wait::Write,
            Awaits::Verdict => Wait::Script,
            _ if self.io.is_writing() => Wait::Write,
            Awaits::LoginData => Wait::Password,
            awaits if awaited(awaits) == Some(Side::Client) => Wait::Client,
            _ => Wait::Answer,
        };
        let (client, server) = self.io.take_progress();
        let progress = match wait {
            Wait::Place | Wait::Server | Wait::Script => false,
            Wait::Answer => server.read,
            Wait::Client => client.read,
            Wait::Password => false,
            Wait::Write => client.written || server.written,
        };
        if progress || wait != patience.wait {
            patience.wait = wait;
            patience.since = Instant::now();
        }
        let by = match wait {
            Wait::Script => None,
            Wait::Place => Some(patience.since + limits.connect.value()),
            Wait::Server => {
                Some(self.io.attempt_at.unwrap_or(patience.since) + limits.connect.value())
            }
            Wait::Answer => Some(patience.since + limits.query()),
            Wait::Client => Some(patience.since + limits.idle()),
            Wait::Password => Some(patience.since + limits.login.value()),
            Wait::Write => Some(patience.since + limits.write.value()),
        };
        let is_ending = self.is_left && wait == Wait::Script;
        let by = match (patience.login_by, by) {
            _ if is_ending => None,
            (Some(login_by), Some(by)) if matches!(wait, Wait::Place | Wait::Server) => {
                Some(by.min(login_by))
            }
            (Some(login_by), _) => Some(login_by),
            (None, by) => by,
        };
        let until = self.introduction.until();
        let by = until.map_or(by, |until| Some(by.map_or(until, |by| until.min(by))));
        patience.deadline.set(by, self.io.key, timers);
    }
}
