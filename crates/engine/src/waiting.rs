//! A script that waits before it says its verdict, and the queries that it runs meanwhile.
//!
//! Between [`Then::Ask`](crate::Then::Ask) and [`Event::Verdict`](crate::Event::Verdict) the connection is lent to the script. The
//! packet that it was asked about is kept here. Nothing is read but the answers to the script's queries; a client that leaves, and
//! whatever else ends the connection, cancels the script, and the end comes when it has said its verdict.

use std::collections::VecDeque;

use wire::reply::ErrPacket;
use wire::{Command, marker};

use crate::engine::{Question, Step};
use crate::exchange::{Infile, Nested};
use crate::held::Held;
use crate::preparation::Next;
use crate::turn::Turn;
use crate::{Awaits, Effect, Incoming, Injection, Query, Slot, Verdict};

/// What names a query of a waiting script: its own number, counted by the driver's side.
pub type QueryId = u64;

/// What became of a query of a waiting script.
#[derive(Debug)]
pub enum Outcome {
    /// Its answer is complete; an ERR of the server is one, too.
    Answered(Slot<Injection>),
    /// It was sent. No server answers such a command.
    Sent,
    /// Its answer is larger than may be kept (`pyproxy-max-kept-bytes`).
    TooLarge,
    /// There is no server connection, or it was lost before the answer was complete: why.
    Lost(String),
}

/// What is known of a waiting script.
#[derive(Debug, Default)]
pub struct Waiting {
    held: Option<Held>,
    /// Queries that wait for those before them.
    queued: VecDeque<(QueryId, Query)>,
    /// What it said while a query was running that goes first.
    verdict: Option<Verdict>,
    /// The connection is to end like this once the script has said its verdict.
    end: Option<Awaits>,
    /// A query lost the server connection.
    lost_server: bool,
}

impl Turn<'_> {
    /// The script begins to wait. `held`: what it was asked about.
    pub fn begin_to_wait(&mut self, held: Option<Held>) {
        self.sync_server();
        if self.state.step == Step::Asked {
            self.session.is_lent = true;
            self.state.waiting = Some(Box::new(Waiting { held, ..Waiting::default() }));
            self.go(Step::Asked, Awaits::Verdict);
        }
    }

    /// The waiting script wants this to be run on the connection's server.
    pub fn nested_query(&mut self, id: QueryId, query: Query) {
        let Some(waiting) = self.state.waiting.as_mut() else { return };
        if waiting.end.is_some() {
            return self.lose(id, "the connection ends");
        }
        if !self.session.may_query() || !query.is_nestable() {
            return self.lose(id, "it cannot be run here");
        }
        if self.state.exchange.nested != Nested::No {
            return waiting.queued.push_back((id, query));
        }
        if !self.start_nested(id, query) {
            self.next_nested();
        }
    }

    /// Nobody waits for this query any more: it is not run, or its answer is dropped.
    pub fn abandon_query(&mut self, id: QueryId) {
        if let Some(waiting) = self.state.waiting.as_mut() {
            waiting.queued.retain(|(queued, _)| *queued != id);
        }
        if self.state.exchange.nested == Nested::Wanted(id) {
            self.state.exchange.nested = Nested::Dropped;
        }
    }

    /// Runs the next query that waits for its turn, or goes on waiting for the verdict.
    pub fn next_nested(&mut self) {
        while let Some((id, query)) =
            self.state.waiting.as_mut().and_then(|waiting| waiting.queued.pop_front())
        {
            if self.start_nested(id, query) {
                return;
            }
        }
        self.go(Step::Asked, Awaits::Verdict);
    }

    /// Sends a query. `false`: there is no answer to wait for.
    pub fn start_nested(&mut self, id: QueryId, query: Query) -> bool {
        // The script may have exchanged the server before it asked.
        self.sync_server();
        if self.session.server.is_none() {
            self.lose(id, "no server connection is attached");
            return false;
        }
        if self.server_is_gone() {
            self.note_lost_server();
            self.lose(id, "the server closed the connection");
            return false;
        }
        let command = Command(query.packet.first().copied().unwrap_or_default());
        if self.prepare(&query.packet, || Next::Nested(id, query.clone())) {
            self.state.exchange.nested = Nested::Wanted(id);
            return true;
        }
        let has_reply = command.has_reply();
        self.send_query(&query);
        if !has_reply {
            self.note_cursor(&query.packet);
            self.state.server_ids.restart();
            self.driver.effect(Effect::FlushServer);
            self.driver.effect(Effect::Resume { id, outcome: Outcome::Sent });
            return false;
        }
        self.read_answer_to(query);
        self.state.exchange.nested = Nested::Wanted(id);
        self.answer_refused();
        true
    }

    /// The answer to a query of the script is complete.
    pub fn nested_done(&mut self, injection: Injection) {
        if let Nested::Wanted(id) = std::mem::take(&mut self.state.exchange.nested) {
            let outcome = if injection.bound.is_passed() {
                Outcome::TooLarge
            } else {
                Outcome::Answered(Slot::new(injection))
            };
            self.driver.effect(Effect::Resume { id, outcome });
        }
        self.behind_nested();
    }

    /// Goes on behind a query of the script, with what waited for it.
    pub fn behind_nested(&mut self) {
        match self.state.waiting.as_mut().map(|waiting| waiting.verdict.take()) {
            None => self.command_done(),
            Some(Some(verdict)) => self.act_on(verdict),
            Some(None) => self.next_nested(),
        }
    }

    /// Before the next command the rest of an answer is read that no script wants any more. Whether there is one.
    pub fn drains(&mut self) -> bool {
        let drains = self.state.exchange.nested == Nested::Dropped;
        if drains {
            let step =
                if self.state.preparation.is_some() { Step::Preparing } else { Step::Answer };
            self.go(step, Awaits::Answer { kept: true });
        }
        drains
    }

    /// Whether the answer to a query of a script is being read that still waits, or whose verdict waits for it. A client in the middle
    /// of its file can be told nothing.
    pub fn runs_nested(&self) -> bool {
        self.state.exchange.nested != Nested::No
            && self.state.waiting.is_some()
            && self.state.step != Step::File
    }

    /// The server went while it was to answer the script's query, or takes too long: the script is told, and decides.
    pub fn nested_lost(&mut self, why: &str) {
        self.note_lost_server();
        self.state.exchange.injection = None;
        self.state.exchange.infile = Infile::No;
        self.state.preparation = None;
        let nested = std::mem::take(&mut self.state.exchange.nested);
        let queued = self.state.waiting.as_mut().map(|waiting| std::mem::take(&mut waiting.queued));
        if let Nested::Wanted(id) = nested {
            self.lose(id, why);
        }
        for (id, _) in queued.unwrap_or_default() {
            self.lose(id, why);
        }
        self.behind_nested();
    }

    /// What the server said last is the reason.
    pub fn nested_lost_with(&mut self, packet: Incoming<'_>) {
        let why = match ErrPacket::parse(packet.payload) {
            Ok(err) => String::from_utf8_lossy(err.message).into_owned(),
            Err(_) => "the server closed the connection".to_owned(),
        };
        self.nested_lost(&why);
    }

    fn note_lost_server(&mut self) {
        self.close_server();
        if let Some(waiting) = self.state.waiting.as_mut() {
            waiting.lost_server = true;
        }
    }

    fn lose(&mut self, id: QueryId, why: &str) {
        self.driver.effect(Effect::Resume { id, outcome: Outcome::Lost(why.to_owned()) });
    }

    /// The verdict of a script that waited.
    pub fn late_verdict(&mut self, verdict: Verdict) {
        // What it did not take of what was kept for it is for others.
        self.session.ticket = None;
        let Some(waiting) = self.state.waiting.as_mut() else { return };
        if let Some(end) = waiting.end {
            self.state.waiting = None;
            self.state.question = None;
            self.sync_server();
            return self.go(Step::Ending, end);
        }
        waiting.queued.clear();
        if self.state.exchange.nested == Nested::No {
            return self.act_on(verdict);
        }
        self.state.exchange.nested = Nested::Dropped;
        let answers = match &verdict {
            Verdict::SendKept(_) => true,
            // One that asks for a file goes on, or is refused.
            Verdict::SendResult(reply) => {
                reply.packets().iter().all(|payload| payload.first() != Some(&marker::LOCAL_INFILE))
            }
            _ => false,
        };
        if answers && self.state.exchange.infile == Infile::No {
            // The client need not wait for what is only dropped; its next command does.
            return self.act_on(verdict);
        }
        waiting.verdict = Some(verdict);
    }

    /// Acts on the verdict of a script that waited, with the packet that it was asked about.
    fn act_on(&mut self, verdict: Verdict) {
        let Some(waiting) = self.state.waiting.take() else { return };
        let Some(question) = self.state.question.take() else { return };
        self.sync_server();
        if waiting.lost_server && self.session.server.is_none() {
            const LOST: &str = "the server closed the connection";
            // The client's session is gone with it.
            self.session.close_after_result = true;
            match question {
                Question::ReadQuery | Question::ReadQueryResult(_)
                    if verdict == Verdict::Failed =>
                {
                    self.session.queries.clear();
                    return self.fail_command(LOST);
                }
                Question::ReadAuthResult(_) => {
                    return self.refuse(&self.login_error(&format!("pyproxy: {LOST}")));
                }
                _ => {}
            }
        }
        match waiting.held {
            Some(held) => {
                self.state.at_hand_is_held = true;
                held.show(|packet| self.go_on(question, verdict, Some(packet)));
                self.state.at_hand_is_held = false;
            }
            None => self.go_on(question, verdict, None),
        }
    }

    /// If the connection ends while a script waits, the script is cancelled, and the end comes behind its verdict.
    pub fn hold_the_end(&mut self) {
        if self.state.step != Step::Ending {
            return;
        }
        let Some(waiting) = self.state.waiting.as_mut() else { return };
        if waiting.verdict.is_some() {
            self.state.waiting = None;
            return;
        }
        let awaits = std::mem::replace(&mut self.state.awaits, Awaits::Verdict);
        if waiting.end.is_none() {
            waiting.end = Some(awaits);
            self.driver.effect(Effect::Cancel);
        } else if awaits == Awaits::Abort {
            waiting.end = Some(awaits);
        }
        let queued = std::mem::take(&mut waiting.queued);
        let nested = std::mem::take(&mut self.state.exchange.nested);
        if let Nested::Wanted(id) = nested {
            self.lose(id, "the connection ends");
        }
        for (id, _) in queued {
            self.lose(id, "the connection ends");
        }
    }
}
