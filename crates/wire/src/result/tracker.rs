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

use super::shape::Shape;
use super::summary::Counters;
use super::{Part, Step, Summary, TrackError};
use crate::connect::AuthReply;
use crate::reply::{ErrPacket, OkHead, PrepareOk, StatusFlags, is_eof};
use crate::{Capabilities, Command, MAX_PAYLOAD, Reader, lenenc};

const OK: u8 = 0x00;
const EOF: u8 = 0xfe;

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
            && payload.first().is_some_and(|&first| first < EOF)
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

    /// Judges a packet that starts a payload.
    fn judge(&mut self, payload: &[u8]) -> Result<Step, TrackError> {
        let &first = payload.first().ok_or(TrackError::Empty(self.command))?;
        match self.state {
            State::Done => Err(TrackError::Finished(self.command)),
            _ if self.shape != Shape::Auth && ErrPacket::is_progress(payload) => {
                self.part = Part::Other;
                Ok(Step::More)
            }
            State::Start => self.start_of_answer(first, payload),
            State::Definitions { left, then } => self.definition(first, payload, left, then),
            State::DefinitionsEnd(then) => self.definitions_end(first, payload, then),
            State::Rows => self.row_or_end(first, payload),
            State::InfileResult => match first {
                OK => self.ok(payload),
                lenenc::ERR => Ok(self.error()),
                _ => Err(self.unexpected(first, "OK or ERR")),
            },
        }
    }

    fn start_of_answer(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match self.shape {
            Shape::Silent => Err(TrackError::NoReply(self.command)),
            Shape::Single => Ok(self.single(first, payload)),
            Shape::Unknown if first == OK || is_eof(payload) => Ok(self.single(first, payload)),
            Shape::Query | Shape::Unknown => self.query(first, payload),
            Shape::FieldList => self.field_list(first, payload),
            Shape::Prepare => self.prepare(first, payload),
            Shape::Fetch => self.row_or_end(first, payload),
            Shape::Auth => {
                let reply = AuthReply::classify(payload)?;
                self.part = Part::Other;
                Ok(if reply.is_final() { self.single(first, payload) } else { Step::Auth(reply) })
            }
            Shape::Stream => {
                self.part = Part::Other;
                let last = first == lenenc::ERR || is_eof(payload);
                Ok(if last { self.single(first, payload) } else { Step::Stream })
            }
        }
    }

    /// The only packet of an answer. Its fields are taken as far as they are there.
    fn single(&mut self, first: u8, payload: &[u8]) -> Step {
        if first == lenenc::ERR {
            return self.error();
        }
        self.part = Part::Other;
        self.counters.query_status = Some(0);
        if first == OK {
            self.part = Part::Ok;
            if let Ok(head) = OkHead::parse(payload) {
                self.counters.ok(head);
            }
        } else if first == EOF {
            self.counters.end(payload, self.deprecate_eof);
        }
        self.done()
    }

    fn query(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match first {
            OK => self.ok(payload),
            lenenc::ERR => Ok(self.error()),
            lenenc::NULL => {
                self.part = Part::Other;
                self.counters.query_status = None;
                self.state = State::InfileResult;
                Ok(Step::LocalInfile)
            }
            EOF => Err(self.unexpected(first, "OK, ERR or a column count")),
            _ => {
                let mut r = Reader::new(payload);
                let count = r.lenenc_int()?;
                if !r.is_empty() {
                    return Err(self.unexpected(first, "OK, ERR or a column count"));
                }
                self.part = Part::ColumnCount;
                self.columns = Some(count);
                self.counters.has_resultset = true;
                self.counters.query_status = Some(0);
                self.state = State::Definitions { left: count, then: Then::Rows };
                Ok(Step::More)
            }
        }
    }

    fn prepare(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match first {
            OK => {
                let ok = PrepareOk::parse(payload)?;
                self.part = Part::Ok;
                self.counters.warnings = ok.warnings;
                self.counters.query_status = Some(0);
                Ok(self.block(ok.params, Then::Columns(ok.columns)))
            }
            lenenc::ERR => Ok(self.error()),
            _ => Err(self.unexpected(first, "the counts of a statement or ERR")),
        }
    }

    fn field_list(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match first {
            lenenc::ERR => Ok(self.error()),
            _ if is_eof(payload) || (self.deprecate_eof && first == EOF) => {
                self.part = Part::ColumnsEnd;
                self.counters.query_status = Some(0);
                self.counters.end(payload, self.deprecate_eof);
                Ok(self.done())
            }
            OK | lenenc::NULL => Err(self.unexpected(first, "a column definition")),
            _ => {
                self.part = Part::Column;
                Ok(Step::More)
            }
        }
    }

    fn definition(
        &mut self,
        first: u8,
        payload: &[u8],
        left: u64,
        then: Then,
    ) -> Result<Step, TrackError> {
        if first == lenenc::ERR {
            return Ok(self.error());
        }
        // No definition can look like EOF. A server that leaves out definitions is followed all the
        // same.
        if !self.deprecate_eof && is_eof(payload) {
            return self.definitions_end(first, payload, then);
        }
        self.part = Part::Column;
        match left {
            0 | 1 if self.deprecate_eof => Ok(self.enter(then)),
            0 | 1 => {
                self.state = State::DefinitionsEnd(then);
                Ok(Step::More)
            }
            _ => {
                self.state = State::Definitions { left: left.saturating_sub(1), then };
                Ok(Step::More)
            }
        }
    }

    fn definitions_end(
        &mut self,
        first: u8,
        payload: &[u8],
        then: Then,
    ) -> Result<Step, TrackError> {
        if first == lenenc::ERR {
            return Ok(self.error());
        }
        if !is_eof(payload) {
            return Err(self.unexpected(first, "EOF behind the definitions"));
        }
        self.part = Part::ColumnsEnd;
        self.counters.end(payload, self.deprecate_eof);
        let more = self.has_status(StatusFlags::MORE_RESULTS_EXISTS);
        if then == Then::Rows {
            self.out_params = more && self.has_status(StatusFlags::PS_OUT_PARAMS);
            let cursor = self.command == Command::STMT_EXECUTE
                && self.has_status(StatusFlags::CURSOR_EXISTS);
            if cursor && !more {
                return Ok(self.done());
            }
        }
        Ok(self.enter(then))
    }

    /// Goes on to what follows a block of definitions.
    fn enter(&mut self, then: Then) -> Step {
        match then {
            Then::Rows => {
                self.state = State::Rows;
                Step::More
            }
            Then::Columns(count) => self.block(count, Then::Nothing),
            Then::Nothing => self.done(),
        }
    }

    /// Expects a block of definitions of a prepared statement; one of none is not sent at all.
    fn block(&mut self, count: u16, then: Then) -> Step {
        if count == 0 {
            return self.enter(then);
        }
        self.state = State::Definitions { left: count.into(), then };
        Step::More
    }

    fn row_or_end(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        // A row whose first cell has 16 MiB or more starts 0xfe too, but is longer than any end.
        let end = if self.deprecate_eof {
            first == EOF && payload.len() < MAX_PAYLOAD
        } else {
            is_eof(payload)
        };
        if first == lenenc::ERR {
            return Ok(self.error());
        }
        if !end {
            return Ok(self.row(payload));
        }
        self.counters.end(payload, self.deprecate_eof);
        self.part = Part::RowsEnd;
        self.counters.has_resultset = true;
        self.counters.query_status = Some(0);
        let more = self.has_status(StatusFlags::MORE_RESULTS_EXISTS) || self.out_params;
        self.out_params = false;
        Ok(self.end_of_result(more && self.shape != Shape::Fetch))
    }

    #[inline]
    fn row(&mut self, payload: &[u8]) -> Step {
        self.part = Part::Row;
        self.counters.row(payload);
        Step::More
    }

    fn ok(&mut self, payload: &[u8]) -> Result<Step, TrackError> {
        self.counters.ok(OkHead::parse(payload)?);
        self.part = Part::Ok;
        self.counters.query_status = Some(0);
        Ok(self.end_of_result(self.has_status(StatusFlags::MORE_RESULTS_EXISTS)))
    }

    fn error(&mut self) -> Step {
        self.part = Part::Err;
        self.counters.error();
        self.done()
    }

    fn end_of_result(&mut self, more: bool) -> Step {
        if more {
            self.state = State::Start;
            Step::More
        } else {
            self.done()
        }
    }

    const fn done(&mut self) -> Step {
        self.state = State::Done;
        Step::Done
    }

    const fn has_status(&self, flag: StatusFlags) -> bool {
        self.counters.status.contains(flag)
    }

    const fn unexpected(&self, first: u8, expected: &'static str) -> TrackError {
        TrackError::Unexpected { command: self.command, first, expected }
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
