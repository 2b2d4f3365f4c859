//! Answers in another form than the server gives them: for a client that does not track its session, or reads EOF packets, in
//! front of a server that is asked for both ([`TRACKED`](crate::Capabilities::TRACKED)).
//!
//! A server reports changes of the session behind a result set only with DEPRECATE_EOF; so a proxy that wants all of them asks
//! for it, whatever its client speaks.

use super::{Part, ResultTracker, Step, TrackError};
use crate::reply::{EofPacket, OkPacket, OwnReports, SessionChanges, StatusFlags, Told};
use crate::{Capabilities, Command, MAX_PAYLOAD, WireError, Writer, marker};

/// What a client gets in place of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Translated {
    /// The packet as it is.
    Same,
    /// These. None: they come with the next one.
    Packets(Vec<Vec<u8>>),
}

/// What there is to know of the client that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// The server is a MariaDB, which adds what is due to other reports only; MySQL to any OK.
    pub is_mariadb: bool,
    /// The client has its answer: this is another one, for a script.
    pub is_answered: bool,
    /// The command may choose another one, for as long as it runs or longer.
    pub chooses_schema: bool,
}

/// Follows one answer at a time, and translates it.
#[derive(Debug, Clone)]
pub struct Translator {
    tracker: ResultTracker,
    from: Capabilities,
    to: Capabilities,
    own: OwnReports,
    told: Told,
    moment: Moment,
    /// An EOF of this answer said that there are reports.
    announced: bool,
    /// The client has not got the EOF behind the columns.
    owes_eof: bool,
    /// A first row that waits for the EOF in front of it.
    row: Option<Vec<u8>>,
    changes: SessionChanges,
}

impl Translator {
    /// A first row that is longer does not wait.
    const LONGEST_WAITING_ROW: usize = 1 << 16;

    /// For a server that answers with `from`, which has [`TRACKED`](Capabilities::TRACKED), and a client that reads `to`, and of
    /// session reports, if it tracks, its `own`.
    pub fn new(from: Capabilities, to: Capabilities, own: OwnReports) -> Self {
        Self {
            tracker: ResultTracker::new(0, from),
            from,
            to,
            own,
            told: Told::default(),
            moment: Moment::default(),
            announced: false,
            owes_eof: false,
            row: None,
            changes: SessionChanges {
                variables: Vec::new(),
                schema: None,
                state: false,
                gtids: None,
                characteristics: None,
                transaction: None,
            },
        }
    }

    /// The next answer is one to `command`.
    pub fn start(&mut self, command: u8) {
        self.tracker.start(command, self.from);
        (self.owes_eof, self.row, self.announced) = (false, None, false);
        self.changes = SessionChanges::default();
    }

    /// For a client that was told so much, at this moment.
    #[must_use]
    pub fn telling(mut self, told: Told, moment: Moment) -> Self {
        (self.told, self.moment) = (told, moment);
        self
    }

    /// What the client was told by now.
    pub fn take_told(&mut self) -> Told {
        std::mem::take(&mut self.told)
    }

    /// What this answer reported so far.
    pub const fn changes(&self) -> &SessionChanges {
        &self.changes
    }

    /// Whether the packet is a row that passes as it is, with nothing in front of it. Then it is taken.
    #[inline]
    pub fn passes(&mut self, payload: &[u8]) -> bool {
        let is_row = !self.owes_eof
            && payload.len() < MAX_PAYLOAD
            && payload.first().is_some_and(|&first| first < marker::EOF)
            && self.tracker.is_among_rows();
        is_row && self.tracker.feed(payload).is_ok()
    }

    /// Takes the payload of one packet. `status` is what is known of the connection: some of what the client gets is in front of
    /// the packet that tells it.
    pub fn feed(&mut self, payload: &[u8], status: StatusFlags) -> Result<Translated, TrackError> {
        let was_last_definition =
            !self.to.contains(Capabilities::DEPRECATE_EOF) && self.tracker.is_at_last_definition();
        let step = self.tracker.feed(payload)?;
        if payload.len() >= MAX_PAYLOAD {
            return Ok(self.behind_eof(payload, status));
        }
        match self.tracker.part() {
            Part::Column if was_last_definition => {
                if self.tracker.command() == Command::STMT_PREPARE {
                    let eof = EofPacket { warnings: 0, status }.encode();
                    return Ok(Translated::Packets(vec![payload.to_vec(), eof]));
                }
                self.owes_eof = true;
                Ok(Translated::Same)
            }
            Part::Row => {
                if self.may_be_out_params(payload) {
                    self.row = Some(payload.to_vec());
                    return Ok(Translated::Packets(Vec::new()));
                }
                Ok(self.behind_eof(payload, status))
            }
            Part::Ok if self.tracker.command() != Command::STMT_PREPARE => Ok(self.ok(payload)?),
            Part::RowsEnd => self.end_of_rows(payload),
            Part::ColumnsEnd => Ok(self.ok(payload)?),
            // The only packet of an answer to COM_SET_OPTION, for example.
            Part::Other if step == Step::Done && payload.first() == Some(&marker::EOF) => {
                Ok(self.ok(payload)?)
            }
            Part::Err => {
                self.told.failed();
                Ok(self.behind_eof(payload, status))
            }
            _ => Ok(Translated::Same),
        }
    }

    /// The OK that ends a login, or any other outside an answer, for the client. What it reports is not kept.
    pub fn only_ok(&self, payload: &[u8]) -> Result<Vec<u8>, WireError> {
        let ok = OkPacket::parse(payload, self.from)?;
        let own = self.own_of(&ok, &mut Told::default());
        Ok(self.encoded(&ok, false, &own))
    }

    /// Whether this is the first row of what may be OUT parameters: the EOF in front of them says so, and the server only behind
    /// them.
    fn may_be_out_params(&self, payload: &[u8]) -> bool {
        self.owes_eof
            && self.row.is_none()
            && self.tracker.command() == Command::STMT_EXECUTE
            && self.to.contains(Capabilities::PS_MULTI_RESULTS)
            && payload.len() <= Self::LONGEST_WAITING_ROW
    }

    /// The packet, behind what waits for it.
    fn behind_eof(&mut self, payload: &[u8], status: StatusFlags) -> Translated {
        if !std::mem::take(&mut self.owes_eof) {
            return Translated::Same;
        }
        let mut packets = vec![EofPacket { warnings: 0, status }.encode()];
        packets.extend(self.row.take());
        packets.push(payload.to_vec());
        Translated::Packets(packets)
    }

    fn end_of_rows(&mut self, payload: &[u8]) -> Result<Translated, TrackError> {
        let ok = OkPacket::parse(payload, self.from)?;
        let translated = self.ok(payload)?;
        let opens_cursor = self.tracker.command() == Command::STMT_EXECUTE
            && ok.status.contains(StatusFlags::CURSOR_EXISTS)
            && self.row.is_none();
        if !std::mem::take(&mut self.owes_eof) || opens_cursor {
            // Behind the columns of a cursor comes one end only.
            return Ok(translated);
        }
        let mut packets = vec![EofPacket { warnings: 0, status: plain(ok.status) }.encode()];
        packets.extend(self.row.take());
        match translated {
            Translated::Same => packets.push(payload.to_vec()),
            Translated::Packets(end) => packets.extend(end),
        }
        Ok(Translated::Packets(packets))
    }

    /// An OK, or one in place of an EOF.
    fn ok(&mut self, payload: &[u8]) -> Result<Translated, WireError> {
        let is_end = payload.first() == Some(&marker::EOF);
        let ok = OkPacket::parse(payload, self.from)?;
        if let Some(reports) = ok.session_state {
            let schema = self.changes.schema.take();
            self.changes.add(reports)?;
            if is_end && ok.status.contains(StatusFlags::MORE_RESULTS_EXISTS) {
                // That of a program which still runs.
                self.changes.schema = schema;
            } else {
                self.changes.schema = self.changes.schema.take().or(schema);
            }
        }
        let mut told = self.take_told();
        let own = self.own_of(&ok, &mut told);
        let encoded = if is_end && !self.to.contains(Capabilities::DEPRECATE_EOF) {
            // MariaDB says that there is something, and says it with an OK later.
            let announced = match own.is_empty() || !self.moment.is_mariadb {
                true => StatusFlags::empty(),
                false => StatusFlags::SESSION_STATE_CHANGED,
            };
            self.announced |= !own.is_empty();
            told.owe(&own);
            EofPacket { warnings: ok.warnings, status: plain(ok.status) | announced }.encode()
        } else {
            let own = self.told_with(&ok, own, is_end, &mut told);
            self.encoded(&ok, is_end, &own)
        };
        if ok.session_state.is_some() {
            told.is_up_to_date();
        }
        self.told = told;
        Ok(if encoded == payload { Translated::Same } else { Translated::Packets(vec![encoded]) })
    }

    /// What an OK reports to a client that has its server for itself.
    fn own_of(&self, ok: &OkPacket<'_>, told: &mut Told) -> Vec<u8> {
        let tracks = self.to.contains(Capabilities::SESSION_TRACK);
        let reports = ok.session_state.filter(|_| tracks);
        reports.map(|reports| self.own.of(reports, told)).unwrap_or_default()
    }

    /// What is told with an OK that reports `own`.
    fn told_with(&self, ok: &OkPacket<'_>, own: Vec<u8>, is_end: bool, told: &mut Told) -> Vec<u8> {
        let moment = &self.moment;
        if moment.is_answered {
            // MySQL adds to a script's question what a failed statement left. What else a script changes is not the client's.
            if is_end && ok.session_state.is_some() {
                told.owe(&own);
            }
            return own;
        }
        if !moment.is_mariadb {
            return told.pay(own);
        }
        if !moment.chooses_schema && told.is_late(&own) {
            told.owe(&own);
            return Vec::new();
        }
        if own.is_empty() && !self.announced { own } else { told.pay(own) }
    }

    fn encoded(&self, ok: &OkPacket<'_>, is_end: bool, own: &[u8]) -> Vec<u8> {
        let tracks = self.to.contains(Capabilities::SESSION_TRACK);
        let session_state = Some(own).filter(|own| !own.is_empty());
        // Servers give the text its length for every client, whatever the protocol's documentation says.
        let mut info = Vec::new();
        if !tracks && !ok.info.is_empty() {
            Writer::new(&mut info).lenenc_bytes(ok.info);
        }
        let info = if tracks { ok.info } else { &info };
        let ok = OkPacket { status: plain(ok.status), session_state, info, ..*ok };
        if is_end { ok.encode_as_eof(self.to) } else { ok.encode(self.to) }
    }
}

/// Without the flag that announces reports: whoever writes reports sets it.
fn plain(status: StatusFlags) -> StatusFlags {
    status.difference(StatusFlags::SESSION_STATE_CHANGED)
}

#[cfg(test)]
#[path = "translator_tests.rs"]
mod tests;
