//! Session reports: a server connection that is asked for all of them, whatever its client reads.
//!
//! The packets of such a server are translated where they come in: the other rules see what the client would get from a server of
//! its own, and what was reported is kept beside it.

use sqltok::exact::Dialect;
use wire::connect::Login;
use wire::reply::{OwnReports, Transactions};
use wire::result::{Moment, Translated, Translator};
use wire::{Capabilities, Command};

use crate::engine::Step;
use crate::turn::Turn;
use crate::{Awaits, Incoming, Server};

/// What a server reports to a client that asks for nothing special, in both vendors' default settings.
const USUAL_VARIABLES: &[u8] =
    b"autocommit,character_set_client,character_set_connection,character_set_results,time_zone";

/// What a server connection reports, and to whom.
#[derive(Debug)]
pub struct Reports {
    /// What the server was asked for at the login: how it answers.
    native: Capabilities,
    /// What a client that tracks would get by itself.
    own: OwnReports,
    /// It was told what to report, since the session began.
    pub(crate) is_told: bool,
    /// It does as it was told.
    pub(crate) is_complete: bool,
    /// The server was asked for what is in `own`.
    pub(crate) knows_own: bool,
    /// It reports GTIDs because it was told to.
    pub(crate) has_gtids: bool,
}

impl Reports {
    /// For a connection that was opened with a login that asked for `native`.
    pub(crate) fn new(native: Capabilities) -> Self {
        let own = OwnReports {
            variables: USUAL_VARIABLES.to_vec(),
            schema: true,
            ..OwnReports::default()
        };
        Self { native, own, is_told: false, is_complete: false, knows_own: false, has_gtids: false }
    }

    /// The session begins anew: the server reports what it reports to everyone.
    pub(crate) fn forget(&mut self) {
        (self.is_told, self.is_complete, self.has_gtids) = (false, false, false);
    }

    /// It was told to report everything, and does if `is_complete`.
    pub(crate) fn told(&mut self, is_complete: bool, is_mariadb: bool) {
        (self.is_told, self.is_complete) = (true, is_complete);
        self.has_gtids = is_complete && !is_mariadb;
    }

    /// It reports what the client says.
    pub(crate) fn told_nothing(&mut self) {
        (self.is_told, self.is_complete) = (false, false);
    }

    /// What a client would get by itself, as the server said in answer to [`OWN_REPORTS`].
    pub(crate) fn learn_own(&mut self, cells: [&[u8]; 4], is_mariadb: bool) {
        let [variables, schema, state, transaction] = cells;
        let is_on = |cell: &[u8]| cell == b"1" || cell.eq_ignore_ascii_case(b"ON");
        self.own = OwnReports {
            variables: variables.to_vec(),
            schema: is_on(schema),
            state: is_on(state),
            gtids: false,
            transaction: match transaction.to_ascii_uppercase().as_slice() {
                b"CHARACTERISTICS" => Transactions::Characteristics,
                b"STATE" => Transactions::State,
                _ if is_mariadb => Transactions::Nothing,
                _ => Transactions::Explicit,
            },
        };
        self.knows_own = true;
    }

    /// How the server answers.
    pub(crate) fn native(&self) -> Capabilities {
        self.native
    }

    fn translator(&self, client: Capabilities, passes: bool) -> Translator {
        // What changes the form of other packets both agreed on.
        let others = self.native.difference(Capabilities::TRACKED);
        // In a transaction MySQL cannot be told to report no GTIDs.
        let all = OwnReports { gtids: !self.has_gtids, ..OwnReports::all() };
        let own = if passes { all } else { self.own.clone() };
        Translator::new(self.native, others | (client & Capabilities::TRACKED), own)
    }
}

/// Asks for what each client of the server gets. One row of four columns.
pub const OWN_REPORTS: &str = "SELECT @@global.session_track_system_variables, @@global.session_track_schema, \
     @@global.session_track_state_change, @@global.session_track_transaction_info";

/// Has the server report every change of the session.
pub fn tell(server: &Server) -> &'static str {
    if server.is_mariadb() {
        "SET SESSION session_track_schema = ON, session_track_state_change = ON, \
         session_track_transaction_info = 'CHARACTERISTICS', session_track_system_variables = \
         IF(@@session.session_track_system_variables = '*', '*', \
         CONCAT(@@session.session_track_system_variables, ',last_gtid'))"
    } else {
        "SET SESSION session_track_schema = ON, session_track_state_change = ON, \
         session_track_transaction_info = 'CHARACTERISTICS', session_track_gtids = 'OWN_GTID'"
    }
}

/// Has the server report what it reports to everyone, but for GTIDs of MySQL: see [`NO_GTIDS`].
pub fn tell_nothing(server: &Server) -> &'static str {
    if server.is_mariadb() {
        "SET SESSION session_track_schema = DEFAULT, session_track_state_change = DEFAULT, \
         session_track_transaction_info = DEFAULT, session_track_system_variables = DEFAULT"
    } else {
        "SET SESSION session_track_schema = DEFAULT, session_track_state_change = DEFAULT, \
         session_track_transaction_info = DEFAULT"
    }
}

/// Has a MySQL report GTIDs to those only that it reports them to anyhow. It refuses that in a transaction.
pub const NO_GTIDS: &str = "SET SESSION session_track_gtids = DEFAULT";

/// Whether a command may choose a default database, or runs what may: programs have one of their own.
fn chooses_schema(packet: &[u8]) -> bool {
    let [command, text @ ..] = packet else { return false };
    match Command(*command) {
        Command::QUERY => {
            // It is read only as far as it has to be: a word too many, and a report is there that says nothing new.
            let first = text.trim_ascii_start().get(..6).unwrap_or_default().to_ascii_uppercase();
            let is_plain = !text.contains(&b';');
            if is_plain
                && [&b"INSERT"[..], b"REPLAC", b"UPDATE", b"DELETE"].contains(&first.as_slice())
            {
                return false;
            }
            let has =
                |word: &[u8]| text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
            text.contains(&b'(') || [&b"USE"[..], b"CALL", b"EXECUTE", b"FROM"].into_iter().any(has)
        }
        Command::INIT_DB | Command::STMT_EXECUTE => true,
        _ => false,
    }
}

impl Server {
    /// Whether it is a MariaDB, as far as is known.
    pub(crate) fn is_mariadb(&self) -> bool {
        let version = self.handshake.as_ref().map(|told| told.server_version.as_slice());
        matches!(Dialect::of_server_version(version.unwrap_or_default()), Dialect::MariaDb(_))
    }

    /// Whether it has the older names of `transaction_isolation` and `transaction_read_only`, or may have them.
    pub(crate) fn has_old_names(&self) -> bool {
        let version = self.handshake.as_ref().map(|told| told.server_version.as_slice());
        match Dialect::of_server_version(version.unwrap_or_default()) {
            Dialect::MySql(version) => version < 50_720,
            Dialect::MariaDb(version) => version < 110_101,
            Dialect::Any => true,
        }
    }

    /// Whether it reports every change of its session, as it was told.
    pub fn is_tracked(&self) -> bool {
        self.reports.as_ref().is_some_and(|reports| reports.is_complete)
    }

    /// A client with these capabilities reads what this server answers from now on.
    pub(crate) fn is_read_by(&mut self, client: Capabilities) {
        if self.reports.is_some() {
            self.read_with(client);
        }
    }
}

impl Turn<'_> {
    /// A login that opens a connection asks for reports, if a script wants them and the server has them.
    pub fn ask_for_reports(&self, payload: &mut [u8], offered: Capabilities) {
        if self.shared.tracks_sessions() && offered.contains(Capabilities::TRACKED) {
            Login::ask(payload, Capabilities::TRACKED);
        }
    }

    /// What the login that was accepted asked for besides what the client did.
    pub fn note_reports(&mut self, opens: bool) {
        let tracks = self.shared.tracks_sessions();
        let Some(server) = self.server() else { return };
        if opens && tracks && server.offered.contains(Capabilities::TRACKED) {
            let native = server.capabilities() | Capabilities::TRACKED;
            server.reports = Some(Box::new(Reports::new(native)));
        }
        if let Some(reports) = server.reports.as_mut() {
            reports.forget();
        }
    }

    /// The answer to a command follows, of which this is the first packet.
    pub fn expect_answer(&mut self, packet: &[u8]) {
        let command = packet.first().copied().unwrap_or_default();
        self.session.told.is_in(&self.session.client.default_db);
        let Some(server) = self.session.server.as_ref() else { return };
        self.state.tracker.start(command, server.capabilities());
        self.state.translator = server.reports.as_ref().map(|reports| {
            let moment = Moment {
                is_mariadb: server.is_mariadb(),
                is_answered: self.state.exchange.is_answered(),
                chooses_schema: !self.session.told.may_be_late() || chooses_schema(packet),
            };
            let translator = reports.translator(server.capabilities(), self.session.passes_reports);
            let mut translator = translator.telling(self.session.told.clone(), moment);
            translator.start(command);
            Box::new(translator)
        });
    }

    /// An OK of the server that ends a login, in the form for the client; `None`: as it is.
    pub fn ok_for_client(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let server = self.session.server.as_ref()?;
        let translator = server.reports.as_ref()?.translator(server.capabilities(), false);
        translator.only_ok(payload).ok()
    }

    /// A packet of an answer: goes on with what the client would get in its place.
    pub fn translated_answer(&mut self, packet: Incoming<'_>) {
        let status = self.session.status();
        let translated = self
            .state
            .translator
            .as_mut()
            .map(|translator| translator.feed(packet.payload, status));
        match translated {
            None | Some(Ok(Translated::Same)) => self.answer_packet(packet),
            Some(Err(e)) => self.cannot_follow(&e),
            Some(Ok(Translated::Packets(packets))) => {
                self.go(self.state.step, Awaits::MoreAnswer);
                for payload in packets {
                    if !matches!(self.state.step, Step::Answer | Step::FileAnswer) {
                        break;
                    }
                    self.state.at_hand_is_held = true;
                    self.answer_packet(Incoming { payload: &payload, ..packet });
                    self.state.at_hand_is_held = false;
                }
            }
        }
    }

    fn answer_packet(&mut self, packet: Incoming<'_>) {
        match self.state.step {
            Step::FileAnswer => self.file_answer(packet),
            _ => self.answer(packet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_late_where_nothing_chooses_a_database() {
        for text in [&b"\x03USE d"[..], b"\x03DELETE FROM t; USE d", b"\x03select f()", b"\x02d"] {
            assert!(chooses_schema(text), "{}", text.escape_ascii());
        }
        for text in [&b"\x03INSERT INTO t VALUES (1)"[..], b"\x03 COMMIT", b"\x0e", b""] {
            assert!(!chooses_schema(text), "{}", text.escape_ascii());
        }
    }
}
