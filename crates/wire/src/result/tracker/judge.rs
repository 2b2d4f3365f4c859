//! What a packet is that starts a payload, given what came before it in the answer.

use super::{ResultTracker, State, Then};
use crate::connect::AuthReply;
use crate::reply::{ErrPacket, OkHead, PrepareOk, StatusFlags, is_eof};
use crate::result::shape::Shape;
use crate::result::{Part, Step, TrackError};
use crate::{Command, MAX_PAYLOAD, Reader, marker};

impl ResultTracker {
    /// Judges a packet that starts a payload.
    pub(super) fn judge(&mut self, payload: &[u8]) -> Result<Step, TrackError> {
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
                marker::OK => self.ok(payload),
                marker::ERR => Ok(self.error()),
                _ => Err(self.unexpected(first, "OK or ERR")),
            },
        }
    }

    fn start_of_answer(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match self.shape {
            Shape::Silent => Err(TrackError::NoReply(self.command)),
            Shape::Single => Ok(self.single(first, payload)),
            Shape::Unknown if first == marker::OK || is_eof(payload) => {
                Ok(self.single(first, payload))
            }
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
                let last = first == marker::ERR || is_eof(payload);
                Ok(if last { self.single(first, payload) } else { Step::Stream })
            }
        }
    }

    /// The only packet of an answer. Its fields are taken as far as they are there.
    fn single(&mut self, first: u8, payload: &[u8]) -> Step {
        if first == marker::ERR {
            return self.error();
        }
        self.part = Part::Other;
        self.counters.query_status = Some(0);
        if first == marker::OK {
            self.part = Part::Ok;
            if let Ok(head) = OkHead::parse(payload) {
                self.counters.ok(head);
            }
        } else if first == marker::EOF {
            self.counters.end(payload, self.deprecate_eof);
        }
        self.done()
    }

    fn query(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match first {
            marker::OK => self.ok(payload),
            marker::ERR => Ok(self.error()),
            marker::LOCAL_INFILE => {
                self.part = Part::Other;
                self.counters.query_status = None;
                self.state = State::InfileResult;
                Ok(Step::LocalInfile)
            }
            marker::EOF => Err(self.unexpected(first, "OK, ERR or a column count")),
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
            marker::OK => {
                let ok = PrepareOk::parse(payload)?;
                self.part = Part::Ok;
                self.counters.warnings = ok.warnings;
                self.counters.query_status = Some(0);
                Ok(self.block(ok.params, Then::Columns(ok.columns)))
            }
            marker::ERR => Ok(self.error()),
            _ => Err(self.unexpected(first, "the counts of a statement or ERR")),
        }
    }

    fn field_list(&mut self, first: u8, payload: &[u8]) -> Result<Step, TrackError> {
        match first {
            marker::ERR => Ok(self.error()),
            _ if is_eof(payload) || (self.deprecate_eof && first == marker::EOF) => {
                self.part = Part::ColumnsEnd;
                self.counters.query_status = Some(0);
                self.counters.end(payload, self.deprecate_eof);
                Ok(self.done())
            }
            marker::OK | marker::LOCAL_INFILE => Err(self.unexpected(first, "a column definition")),
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
        if first == marker::ERR {
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
        if first == marker::ERR {
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
            first == marker::EOF && payload.len() < MAX_PAYLOAD
        } else {
            is_eof(payload)
        };
        if first == marker::ERR {
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
