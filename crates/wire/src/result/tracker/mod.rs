//! Knows, packet by packet, where the answer to a command ends.
//!
//! Every packet of the server goes through [`ResultTracker::feed`]; a row costs a few comparisons.
//! Classic answers end in EOF packets, with DEPRECATE_EOF in OK packets that start 0xfe; both are
//! followed. Three rules that simpler trackers miss:
//!
//! * a packet of the full length is continued by the next one, which is never judged by its first
//!   byte;
//! * column definitions are counted, so that a row cannot be taken for the end of them;
//! * MariaDB's progress reports look like ERR but end nothing.
//!
//! Sources: the pages of the commands and
//! <https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets>.

mod judge;

use super::shape::Shape;
use super::summary::Counters;
use super::{Part, Step, Summary, TrackError};
use crate::reply::StatusFlags;
use crate::{Capabilities, Command, MAX_PAYLOAD, marker};

/// What follows a block of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Rows,
    /// The columns of a prepared statement, behind its parameters.
    Columns(u16),
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The first packet, or the first one of a further result.
    Start,
    Definitions {
        left: u64,
        then: Then,
    },
    DefinitionsEnd(Then),
    Rows,
    /// The answer to the file that the client sent.
    InfileResult,
    Done,
}

/// Follows the answer to one command at a time. Does not allocate.
#[derive(Debug, Clone)]
pub struct ResultTracker {
    command: Command,
    shape: Shape,
    deprecate_eof: bool,
    state: State,
    /// The packet before had the full length; this is the verdict on its first part.
    continued: Option<Step>,
    /// The EOF behind the columns of OUT parameters announced more results. Servers up to 5.6 leave
    /// that bit out of the EOF behind the rows although an OK follows.
    out_params: bool,
    part: Part,
    columns: Option<u64>,
    counters: Counters,
}

impl ResultTracker {
    /// For the answer to `command`. `caps` are those of the login that the server got.
    pub const fn new(command: u8, caps: Capabilities) -> Self {
        let command = Command(command);
        let shape = Shape::of(command);
        Self {
            command,
            shape,
            deprecate_eof: caps.contains(Capabilities::DEPRECATE_EOF),
            // Rows that are fetched have their definitions in an earlier answer.
            state: if matches!(shape, Shape::Fetch) { State::Rows } else { State::Start },
            continued: None,
            out_params: false,
            part: Part::Other,
            columns: None,
            counters: Counters::ZERO,
        }
    }

    /// Starts over for the next command.
    pub const fn start(&mut self, command: u8, caps: Capabilities) {
        *self = Self::new(command, caps);
    }

    /// Takes the payload of one packet as it was on the wire, that is at most [`MAX_PAYLOAD`]
    /// bytes.
    ///
    /// An error means that the answer cannot be followed; further calls are useless but harmless.
    #[inline]
    pub fn feed(&mut self, payload: &[u8]) -> Result<Step, TrackError> {
        if self.state == State::Rows
            && self.continued.is_none()
            && payload.len() < MAX_PAYLOAD
            && payload.first().is_some_and(|&first| first < marker::EOF)
        {
            return Ok(self.row(payload));
        }
        self.feed_any(payload)
    }

    /// The counters so far.
    pub const fn summary(&self) -> Summary {
        self.counters.summary()
    }

    /// The status that the server reported last in this answer. `None` if it reported none so far: an ERR has no status, and
    /// neither has the answer to COM_STMT_PREPARE with DEPRECATE_EOF.
    pub const fn reported_status(&self) -> Option<StatusFlags> {
        if self.counters.has_status { Some(self.counters.status) } else { None }
    }

    /// Whether the next packet is the last definition of columns or parameters of a block. Known only with DEPRECATE_EOF: without,
    /// the EOF tells.
    pub(super) fn is_at_last_definition(&self) -> bool {
        self.deprecate_eof
            && self.continued.is_none()
            && matches!(self.state, State::Definitions { left: 0 | 1, .. })
    }

    /// Whether a row or the end of the rows comes next.
    #[inline]
    pub(super) fn is_among_rows(&self) -> bool {
        self.state == State::Rows && self.continued.is_none()
    }

    /// Whether the packet fed last ended a result, and not only a part of one.
    pub(super) fn is_between_results(&self) -> bool {
        matches!(self.state, State::Start | State::Done) && self.continued.is_none()
    }

    /// The counters since the last call: of one result, if it is called behind each.
    pub(super) fn take_summary(&mut self) -> Summary {
        std::mem::replace(&mut self.counters, Counters::ZERO).summary()
    }

    /// The command that is answered.
    pub const fn command(&self) -> Command {
        self.command
    }

    /// Number of columns of the latest result set; `None` if there is none.
    pub const fn columns(&self) -> Option<u64> {
        self.columns
    }

    /// What the packet fed last was.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// Whether the answer is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done && self.continued.is_none()
    }

    fn feed_any(&mut self, payload: &[u8]) -> Result<Step, TrackError> {
        let full = payload.len() >= MAX_PAYLOAD;
        let verdict = match self.continued {
            Some(verdict) => {
                if self.part == Part::Row {
                    self.counters.row_part(payload);
                }
                verdict
            }
            None => self.judge(payload)?,
        };
        self.continued = full.then_some(verdict);
        // The verdict holds only when the last part of the payload is there; events are forwarded
        // part by part.
        Ok(if full && verdict != Step::Stream { Step::More } else { verdict })
    }

    #[inline]
    fn row(&mut self, payload: &[u8]) -> Step {
        self.part = Part::Row;
        self.counters.row(payload);
        Step::More
    }
}

#[cfg(test)]
mod tests;
