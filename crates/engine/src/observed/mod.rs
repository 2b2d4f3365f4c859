//! What is noted of a command while somebody looks: from its arrival to the end of its answer.
//!
//! A command of a client is counted once, with all the time until the client has its answer, whatever a script runs for it or in its place.
//! Rows are those that the client got.

mod prepared;
mod queries;
mod slow;

use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::Command;
use wire::packet::parts;
use wire::result::{ResultTracker, Summary};

use crate::turn::Turn;
use crate::{Reply, Source};

pub(crate) use prepared::PreparedQueries;
use prepared::PreparedQuery;
pub use queries::{Clock, QueryStats};
pub use slow::{SlowLog, SlowQueries, SlowQuery};

/// What is noted of the answer.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Rows that the client got.
    rows: u64,
    /// Their bytes, with the headers of packets.
    bytes: u64,
    /// The number of the error that it got last.
    error: Option<u16>,
    /// The statement that is executed.
    prepared: Option<Arc<PreparedQuery>>,
}

/// A command whose answer is complete, or will not be.
struct Observed {
    command: Command,
    time: Duration,
    ended_at: Instant,
    backend: Option<usize>,
    /// The connection ended in place of the answer.
    is_aborted: bool,
}

impl Turn<'_> {
    /// Notes when the command came, and what it is about.
    #[cold]
    pub fn observe(&mut self, command: Command, payload: &[u8]) {
        self.session.command_at = Some(self.driver.event_at());
        self.session.notes = Notes::default();
        if !self.shared.notes_queries {
            return;
        }
        let text = match command {
            Command::QUERY => payload.get(1 + self.session.attributes.hidden()..),
            Command::STMT_PREPARE => payload.get(1..),
            _ => None,
        };
        self.session.text.set(text.unwrap_or_default());
        if self.shared.counts_queries() {
            self.session.notes.prepared = self.prepared_query(payload);
        }
    }

    /// The client has its answer to a command that somebody looks at, or the connection ends without.
    #[cold]
    pub fn note_end(&mut self, is_aborted: bool) {
        let Some(began) = self.session.command_at.take() else { return };
        let backend = self.session.asked_backend.take();
        let command = self.session.command.map(Command).filter(|command| command.has_reply());
        let Some(command) = command else { return };
        let ended_at = self.driver.now();
        let time = ended_at.saturating_duration_since(began);
        let of_backend = backend.filter(|_| !is_aborted);
        if let Some(stats) = of_backend.and_then(|ndx| self.shared.stats.backends.get(ndx)) {
            stats.answers.own().observe(time);
        }
        if self.shared.counts_queries() {
            if is_aborted && backend.is_some() {
                // As far as it came.
                self.note_rows(&self.state.tracker.summary());
            }
            self.note_query(&Observed { command, time, ended_at, backend, is_aborted });
        }
    }

    /// The connection ends. A command that is under way has no answer.
    pub fn note_abort(&mut self) {
        if self.session.command_at.is_some() {
            self.note_end(!self.state.exchange.is_answered());
        }
    }

    /// The answer that the server gave went to the client as it came.
    #[inline]
    pub fn note_passed(&mut self) {
        if self.session.command_at.is_some() {
            self.note_rows(&self.state.tracker.summary());
        }
    }

    /// The client got the rows of this result.
    pub fn note_rows(&mut self, summary: &Summary) {
        let notes = &mut self.session.notes;
        notes.rows = notes.rows.saturating_add(summary.row_count);
        notes.bytes = notes.bytes.saturating_add(summary.bytes);
    }

    /// The client gets this answer of the proxy or its script.
    #[inline]
    pub fn note_reply(&mut self, reply: &Reply) {
        // Rows come behind a count, a column and an end.
        if reply.packets().len() > 3 && self.session.command_at.is_some() {
            self.note_rows_of(reply);
        }
    }

    #[cold]
    fn note_rows_of(&mut self, reply: &Reply) {
        let command = self.session.command.unwrap_or_default();
        let mut tracker = ResultTracker::new(command, self.session.client.capabilities());
        for packet in reply.packets().iter().flat_map(|payload| parts(payload)) {
            if tracker.feed(packet).is_err() {
                // Raw packets of a script may be anything.
                return;
            }
        }
        self.note_rows(&tracker.summary());
    }

    /// Counts the payload if it is an ERR, which the client gets.
    #[inline]
    pub fn count_error(&mut self, source: Source, payload: &[u8]) {
        if let Some(code) = self.shared.stats.errors.count(source, payload) {
            self.session.notes.error = Some(code);
        }
    }
}
