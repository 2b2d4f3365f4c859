//! Which reports of its session a client gets, of those that a proxy asked its server for.

use super::session_changes::{
    GTIDS, SCHEMA, STATE_CHANGE, SYSTEM_VARIABLES, TRANSACTION_CHARACTERISTICS, TRANSACTION_STATE,
    write,
};
use crate::{Reader, WireError, Writer};

/// Which reports a client would get that has its server for itself: it did not ask for those that the proxy asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnReports {
    /// `session_track_system_variables`: names with commas between them, or `*`.
    pub variables: Vec<u8>,
    /// `session_track_schema`
    pub schema: bool,
    /// `session_track_state_change`
    pub state: bool,
    /// `session_track_gtids`
    pub gtids: bool,
    /// `session_track_transaction_info`
    pub transaction: Transactions,
}

/// What is reported of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transactions {
    /// Nothing: OFF of MariaDB.
    #[default]
    Nothing,
    /// Where one begins or ends that a statement began: OFF of MySQL.
    Explicit,
    /// STATE.
    State,
    /// CHARACTERISTICS.
    Characteristics,
}

impl OwnReports {
    /// Everything.
    pub fn all() -> Self {
        Self {
            variables: b"*".to_vec(),
            schema: true,
            state: true,
            gtids: true,
            transaction: Transactions::Characteristics,
        }
    }

    /// What is left of the reports of one packet, for a client that was told so much. Reports that cannot be read are left out.
    pub fn of(&self, reports: &[u8], told: &mut Told) -> Vec<u8> {
        let mut own = Vec::new();
        // What is behind a report that cannot be read cannot be read either.
        _ = self.copy(reports, told, &mut own);
        own
    }

    fn copy(&self, reports: &[u8], told: &mut Told, own: &mut Vec<u8>) -> Result<(), WireError> {
        let mut r = Reader::new(reports);
        while !r.is_empty() {
            let kind = r.u8()?; // int<1>
            let data = r.lenenc_bytes()?; // string<lenenc>
            let is_own = match kind {
                SYSTEM_VARIABLES => {
                    self.copy_variables(data, own)?;
                    false
                }
                SCHEMA => self.schema,
                STATE_CHANGE => self.state,
                GTIDS => self.gtids,
                TRANSACTION_CHARACTERISTICS => self.transaction == Transactions::Characteristics,
                TRANSACTION_STATE => {
                    let state = Reader::new(data).lenenc_bytes()?;
                    let tells = self.tells(state, begins_with_snapshot(reports), told);
                    if tells && self.transaction == Transactions::Explicit {
                        write_explicit(own, state, told.has_snapshot);
                        false
                    } else {
                        tells
                    }
                }
                _ => false,
            };
            if is_own {
                write(own, kind, data);
            }
        }
        Ok(())
    }

    /// Whether the client is told of this state of its transaction.
    fn tells(&self, state: &[u8], begins_with_snapshot: bool, told: &mut Told) -> bool {
        let is_explicit = state.first() == Some(&b'T');
        let reads = is_explicit && state.get(2) == Some(&b'R');
        let was_explicit = std::mem::replace(&mut told.is_explicit, is_explicit);
        let had_snapshot = told.has_snapshot;
        let is_new = is_explicit != was_explicit;
        // Of what it reads, that from the start only is told.
        told.has_snapshot = reads && (begins_with_snapshot || had_snapshot);
        match self.transaction {
            Transactions::Nothing => false,
            Transactions::Explicit => is_new || had_snapshot != told.has_snapshot,
            Transactions::State | Transactions::Characteristics => true,
        }
    }

    fn copy_variables(&self, data: &[u8], own: &mut Vec<u8>) -> Result<(), WireError> {
        let mut r = Reader::new(data);
        while !r.is_empty() {
            let name = r.lenenc_bytes()?;
            let value = r.lenenc_bytes()?;
            if self.names(name) {
                let mut pair = Vec::new();
                let mut w = Writer::new(&mut pair);
                w.lenenc_bytes(name);
                w.lenenc_bytes(value);
                write(own, SYSTEM_VARIABLES, &pair);
            }
        }
        Ok(())
    }

    fn names(&self, variable: &[u8]) -> bool {
        self.variables
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|name| name == b"*" || name.eq_ignore_ascii_case(variable))
    }
}

/// Whether a transaction that these reports are about begins with a consistent snapshot.
fn begins_with_snapshot(reports: &[u8]) -> bool {
    const SNAPSHOT: &[u8] = b"WITH CONSISTENT SNAPSHOT";
    entries(reports).iter().any(|(kind, data)| {
        *kind == TRANSACTION_CHARACTERISTICS
            && data.windows(SNAPSHOT.len()).any(|part| part == SNAPSHOT)
    })
}

/// The state of a transaction without what statements in it did. A consistent snapshot is a read from the start.
fn write_explicit(own: &mut Vec<u8>, state: &[u8], has_snapshot: bool) {
    let letters = state.iter().enumerate().map(|(place, letter)| match (place, letter) {
        (0, _) => *letter,
        (2, b'R') if has_snapshot => *letter,
        _ => b'_',
    });
    let letters: Vec<u8> = letters.collect();
    let mut data = Vec::new();
    Writer::new(&mut data).lenenc_bytes(&letters);
    write(own, TRANSACTION_STATE, &data);
}

/// What a client was told of its session, and what it is still to be told.
///
/// An EOF packet has no room for reports, an ERR packet neither: they come with an OK later.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The reports that are due, as an OK packet has them.
    due: Vec<u8>,
    /// The state of its transaction that the client was told last; empty: none.
    state: Vec<u8>,
    /// The client is in a transaction that a statement began.
    is_explicit: bool,
    /// It was told that this one began with a consistent snapshot.
    has_snapshot: bool,
    /// The server may have reports of a statement that failed, which comes with the next ones.
    may_be_late: bool,
}

impl Told {
    /// A statement failed, and nothing was reported with that.
    pub fn failed(&mut self) {
        self.may_be_late = true;
    }

    /// The server has reported what it had.
    pub fn is_up_to_date(&mut self) {
        self.may_be_late = false;
    }

    /// Whether there may be such reports.
    pub fn may_be_late(&self) -> bool {
        self.may_be_late
    }

    /// Whether `own` is nothing but that of a statement that failed: the database of its programs, and then again that of the client.
    pub fn is_late(&self, own: &[u8]) -> bool {
        self.may_be_late && matches!(entries(own).as_slice(), [(SCHEMA, _)])
    }

    /// These reports are due.
    pub fn owe(&mut self, own: &[u8]) {
        let due = std::mem::take(&mut self.due);
        self.due = merged(&due, own);
    }

    /// This is the default database now. What is due may be that of a program that has ended.
    #[inline]
    pub fn is_in(&mut self, database: &[u8]) {
        // As with all clients that were not told anything late.
        if !self.due.is_empty() {
            self.correct_schema(database);
        }
    }

    fn correct_schema(&mut self, database: &[u8]) {
        if !entries(&self.due).iter().any(|(kind, _)| *kind == SCHEMA) {
            return;
        }
        let mut schema = Vec::new();
        Writer::new(&mut schema).lenenc_bytes(database);
        let mut present = Vec::new();
        write(&mut present, SCHEMA, &schema);
        self.owe(&present);
    }

    /// `own`, with what is due.
    pub fn pay(&mut self, own: Vec<u8>) -> Vec<u8> {
        let due = std::mem::take(&mut self.due);
        let is_due = |what| entries(&due).iter().any(|(kind, _)| *kind == what);
        let all = match is_due(TRANSACTION_STATE) {
            true => self.without_known(&merged(&due, &own)),
            false => merged(&due, &own),
        };
        let told = entries(&all).into_iter().rfind(|(kind, _)| *kind == TRANSACTION_STATE);
        if let Some((_, state)) = told {
            self.state = state.to_vec();
        }
        all
    }

    /// The reports without a state of its transaction that is what the client knows: what has been in between is over.
    fn without_known(&self, reports: &[u8]) -> Vec<u8> {
        const NONE: &[u8] = b"\x08________";
        let known = if self.state.is_empty() { NONE } else { &self.state };
        let mut left = Vec::new();
        for (kind, data) in entries(reports) {
            if kind != TRANSACTION_STATE || data != known {
                write(&mut left, kind, data);
            }
        }
        left
    }
}

/// Two packets' reports in one: of what is reported again, the last counts.
fn merged(earlier: &[u8], later: &[u8]) -> Vec<u8> {
    let again = entries(later);
    let is_kept = |(kind, data): &(u8, &[u8])| {
        again.iter().all(|other| !is_same_thing((*kind, data), *other))
    };
    let mut merged = Vec::new();
    for (kind, data) in entries(earlier).into_iter().filter(is_kept) {
        write(&mut merged, kind, data);
    }
    merged.extend_from_slice(later);
    merged
}

/// The reports one by one; variables are in reports of their own here.
fn entries(reports: &[u8]) -> Vec<(u8, &[u8])> {
    let mut r = Reader::new(reports);
    let mut entries = Vec::new();
    while !r.is_empty() {
        let (Ok(kind), Ok(data)) = (r.u8(), r.lenenc_bytes()) else { break };
        entries.push((kind, data));
    }
    entries
}

fn is_same_thing((kind, data): (u8, &[u8]), (other, others): (u8, &[u8])) -> bool {
    let name = |data: &[u8]| Reader::new(data).lenenc_bytes().map(<[u8]>::to_vec).ok();
    kind == other && (kind != SYSTEM_VARIABLES || name(data) == name(others))
}

#[cfg(test)]
mod tests {
    use super::super::session_changes::tests::reports;
    use super::*;
    use crate::reply::SessionChanges;

    #[test]
    fn a_client_gets_what_it_asked_for() {
        let told = &mut Told::default();
        assert_eq!(OwnReports::default().of(&reports(), told), b"");
        let own = OwnReports {
            variables: b"autocommit, TIME_ZONE".to_vec(),
            schema: true,
            ..OwnReports::default()
        };
        let mut expected = Vec::new();
        write(&mut expected, SYSTEM_VARIABLES, b"\x09time_zone\x03UTC");
        write(&mut expected, SYSTEM_VARIABLES, b"\x0aautocommit\x03OFF");
        write(&mut expected, SCHEMA, b"\x04shop");
        assert_eq!(own.of(&reports(), told), expected);
        let (mut whole, mut own) = (SessionChanges::default(), SessionChanges::default());
        whole.add(&reports()).unwrap();
        own.add(&OwnReports::all().of(&reports(), told)).unwrap();
        assert_eq!(own, whole);
        assert_eq!(OwnReports::all().of(b"\x01\x09\x04t", told), b"");
    }

    #[test]
    fn mysql_reports_what_statements_begin_and_end() {
        let own = OwnReports { transaction: Transactions::Explicit, ..OwnReports::default() };
        let told = &mut Told::default();
        let mut is_told = |letters: &[u8], characteristics: &[u8]| {
            let mut report = Vec::new();
            write(&mut report, TRANSACTION_STATE, &[b"\x08", letters].concat());
            write(&mut report, TRANSACTION_CHARACTERISTICS, characteristics);
            !own.of(&report, told).is_empty()
        };
        let snapshot: &[u8] = b"\x2bSTART TRANSACTION WITH CONSISTENT SNAPSHOT;";
        let steps: [(&[u8], &[u8], bool); 11] = [
            (b"I___W___", b"\0", false),
            (b"________", b"\0", false),
            (b"T_R_____", snapshot, true),
            (b"T_______", b"\x12START TRANSACTION;", true),
            (b"T_R_____", b"\x12START TRANSACTION;", false),
            (b"T_R_W___", b"\x12START TRANSACTION;", false),
            (b"T_R_____", snapshot, true),
            (b"T_R_W___", snapshot, false),
            (b"________", b"\0", true),
            (b"_______L", b"\0", false),
            (b"T_______", b"\x12START TRANSACTION;", true),
        ];
        for (letters, characteristics, expected) in steps {
            let tells = is_told(letters, characteristics);
            assert_eq!(tells, expected, "{}", letters.escape_ascii());
        }
    }

    #[test]
    fn what_a_transaction_has_read_is_no_snapshot() {
        let own = OwnReports { transaction: Transactions::Explicit, ..OwnReports::default() };
        let state = |letters: &[u8]| {
            let mut report = Vec::new();
            write(&mut report, TRANSACTION_STATE, letters);
            report
        };
        let told = &mut Told::default();
        // It began with a statement that failed.
        let report = state(b"\x08T_R___S_");
        assert_eq!(own.of(&report, told), state(b"\x08T_______"));
        let mut report = state(b"\x08T_R___S_");
        write(
            &mut report,
            TRANSACTION_CHARACTERISTICS,
            b"\x2bSTART TRANSACTION WITH CONSISTENT SNAPSHOT;",
        );
        assert_eq!(own.of(&report, told), state(b"\x08T_R_____"));
    }

    #[test]
    fn what_is_due_comes_with_the_next_and_the_last_report_counts() {
        let report = |kind, data: &[u8]| {
            let mut report = Vec::new();
            write(&mut report, kind, data);
            report
        };
        let mut told = Told::default();
        told.owe(&report(SCHEMA, b"\x04shop"));
        told.owe(&report(SYSTEM_VARIABLES, b"\x01a\x011"));
        let later =
            [report(SYSTEM_VARIABLES, b"\x01a\x012"), report(SYSTEM_VARIABLES, b"\x01b\x013")];
        let later = later.concat();
        assert_eq!(told.pay(later.clone()), [report(SCHEMA, b"\x04shop"), later.clone()].concat());
        assert_eq!(told.pay(later.clone()), later);
    }

    #[test]
    fn the_database_that_is_due_is_that_of_now() {
        let mut schema = Vec::new();
        write(&mut schema, SCHEMA, b"\x04shop");
        let mut told = Told::default();
        told.is_in(b"shop");
        assert_eq!(told.pay(Vec::new()), b"");
        let mut of_program = Vec::new();
        write(&mut of_program, SCHEMA, b"\x05other");
        told.owe(&of_program);
        told.is_in(b"shop");
        assert_eq!(told.pay(Vec::new()), schema);
    }

    #[test]
    fn a_transaction_that_is_over_before_it_is_told_is_none() {
        let state = |letters: &[u8]| {
            let mut report = Vec::new();
            write(&mut report, TRANSACTION_STATE, letters);
            report
        };
        let (none, begun) = (state(b"\x08________"), state(b"\x08T_______"));
        let mut told = Told::default();
        told.owe(&begun);
        assert_eq!(told.pay(none.clone()), b"");
        told.owe(&begun);
        assert_eq!(told.pay(Vec::new()), begun);
        told.owe(&none);
        assert_eq!(told.pay(begun), b"");
        assert_eq!(told.pay(none.clone()), none);
        // It was not in between: the client has just asked for it.
        let mut database = Vec::new();
        write(&mut database, SCHEMA, b"\x04shop");
        told.owe(&database);
        assert_eq!(told.pay(none.clone()), [database, none].concat());
    }

    #[test]
    fn a_late_report_is_that_of_a_failure() {
        let mut told = Told::default();
        let own = b"\x01\x05\x04shop";
        assert!(!told.is_late(own));
        told.failed();
        assert!(told.is_late(own));
        assert!(!told.is_late(b"\x02\x02\x011"));
        told.is_up_to_date();
        assert!(!told.is_late(own));
    }
}
