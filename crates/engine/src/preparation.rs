//! What a server connection is told before a command runs on it: all of it at once, and then the answers are read.
//!
//! It is to report what changes in its session (`reports.rs`). One that comes out of the pool is made the client's own: reset, if
//! others had it, and given the client's character set, settings, role and database (`server_session.rs`).

use std::collections::VecDeque;

use wire::reply::{ErrPacket, is_err, is_ok};
use wire::result::{Part, ResultTracker, Step as Progress, TextRow};
use wire::{Capabilities, Command};

use crate::collations::{Names, question};
use crate::engine::Step;
use crate::exchange::Nested;
use crate::held::Held;
use crate::reports::{OWN_REPORTS, tell, tell_nothing};
use crate::server_session::assignment;
use crate::turn::Turn;
use crate::{Attributes, Awaits, ER_UNKNOWN_ERROR, Incoming, Query, QueryId, Reply};

/// Unknown database.
const ER_BAD_DB_ERROR: u16 = 1049;

/// One thing that the server is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// It is asked for the names of the client's collation.
    Collation,
    /// It forgets what its last client left.
    Reset,
    /// It is asked which reports its clients get.
    OwnReports,
    /// It is to report everything. One that cannot is as good as one that was not asked.
    Report,
    /// It is to report what it reports to everyone: the client says the rest.
    ReportNothing,
    /// It takes the client's settings.
    Settings,
    /// The client's role.
    Role,
    /// The client's database.
    Database,
}

/// The answers that are awaited.
#[derive(Debug)]
pub struct Preparation {
    tasks: VecDeque<(Task, Command)>,
    tracker: ResultTracker,
    native: Capabilities,
    /// The ERR of the first one that failed.
    failure: Option<Vec<u8>>,
    next: Next,
}

/// What runs when the server is prepared.
#[derive(Debug)]
pub enum Next {
    /// The client's command.
    Command(Held),
    /// The first of the queue.
    Queue,
    /// A query of a waiting script.
    Nested(QueryId, Query),
}

impl Turn<'_> {
    /// Tells the server what it must know before `command`. `false`: there is nothing. `true`: `next`, which has that command, runs
    /// when it has answered.
    pub fn prepare(&mut self, command: Command, next: impl FnOnce() -> Next) -> bool {
        if !self.shared.tracks_sessions() {
            return false;
        }
        let begins_anew = matches!(command, Command::RESET_CONNECTION | Command::CHANGE_USER);
        if begins_anew || !command.has_reply() || command == Command::PING {
            return false;
        }
        let tasks = self.tasks();
        let Some(native) = self.native_capabilities() else { return false };
        let mut commands = VecDeque::new();
        for (task, packet) in &tasks {
            let command = Command(packet.first().copied().unwrap_or_default());
            commands.push_back((*task, command));
            self.begin_server_exchange();
            self.send_to_server(packet);
        }
        let Some((_, first)) = commands.front() else { return false };
        let tracker = ResultTracker::new(first.0, native);
        if let Some(server) = self.server() {
            server.busy = true;
        }
        let preparation =
            Preparation { tasks: commands, tracker, native, failure: None, next: next() };
        self.state.preparation = Some(Box::new(preparation));
        self.go(Step::Preparing, Awaits::Answer { kept: true });
        true
    }

    fn native_capabilities(&self) -> Option<Capabilities> {
        let server = self.session.server.as_ref()?;
        Some(server.reports.as_ref().map_or(server.capabilities(), |reports| reports.native()))
    }

    /// What is to be done, with the packets that say so.
    fn tasks(&self) -> Vec<(Task, Vec<u8>)> {
        let Some(server) = self.session.server.as_ref() else { return Vec::new() };
        let session = &server.session;
        let wanted = &self.session.state;
        let is_own = session.owner == Some(self.session.owner()) && !session.is_incomplete;
        let difference = wanted.difference(&session.state).filter(|_| is_own);
        let is_reset = difference.is_none();
        let mut tasks = Vec::new();
        let mut settings: Vec<Vec<u8>> = Vec::new();
        if is_reset {
            let collation = self.session.client.login.as_ref().map(|login| login.charset);
            match self.shared.collations.names(server.backend, collation.unwrap_or_default()) {
                // What follows depends on it.
                None => return vec![(Task::Collation, self.query(question(collation).as_bytes()))],
                Some(names) => settings.extend(names.settings(wanted, server.is_mariadb())),
            }
            tasks.push((Task::Reset, vec![Command::RESET_CONNECTION.0]));
            if server.is_mariadb() && !self.session.forgot_flags {
                let login = self.session.client.login.as_ref();
                let flags = login.map(|login| login.capabilities);
                settings.extend(wanted.of_flags(flags.unwrap_or_default()));
            }
        }
        if let Some(reports) = server.reports.as_ref() {
            let tracks = server.capabilities().contains(Capabilities::SESSION_TRACK);
            if tracks && !reports.knows_own {
                tasks.push((Task::OwnReports, self.query(OWN_REPORTS.as_bytes())));
            }
            if self.session.passes_reports {
                if !is_reset && reports.is_told {
                    let text = tell_nothing(server);
                    tasks.push((Task::ReportNothing, self.query(text.as_bytes())));
                }
            } else if is_reset || !reports.is_told {
                tasks.push((Task::Report, self.query(tell(server).as_bytes())));
            }
        }
        let to_set = difference.unwrap_or_else(|| wanted.in_order());
        settings.extend(to_set.iter().map(|(name, value)| assignment(name, value)));
        let has_id = is_own && session.state.insert_id == wanted.insert_id;
        if let Some(id) = wanted.insert_id.filter(|_| !has_id) {
            settings.push(format!("last_insert_id = {id}").into_bytes());
        }
        if !settings.is_empty() {
            // NAMES is no variable, and the variables behind it are the session's all the same.
            let is_name = settings.first().is_some_and(|first| first.starts_with(b"NAMES "));
            let set: &[u8] = if is_name { b"SET " } else { b"SET SESSION " };
            let text = [set, settings.join(&b", "[..]).as_slice()].concat();
            tasks.push((Task::Settings, self.query(&text)));
        }
        if let Some(role) = wanted.role.as_ref().filter(|_| session.state.role != wanted.role) {
            tasks.push((Task::Role, self.query(&[b"SET ROLE ", role.as_slice()].concat())));
        }
        let database = &self.session.client.default_db;
        let is_same = *database == server.default_db;
        // It has a character set of its own, which a reset takes away.
        let is_due = !is_same || (is_reset && !self.session.forgot_database);
        if !database.is_empty() && is_due {
            tasks.push((Task::Database, [&[Command::INIT_DB.0], database.as_slice()].concat()));
            if self.session.forgot_database {
                tasks.push((
                    Task::Settings,
                    self.query(b"SET SESSION collation_database = DEFAULT"),
                ));
            }
        }
        tasks
    }

    fn query(&self, text: &[u8]) -> Vec<u8> {
        let packet = [&[Command::QUERY.0], text].concat();
        let speaks_attributes = self
            .native_capabilities()
            .is_some_and(|native| native.contains(Capabilities::QUERY_ATTRIBUTES));
        // Those of the client's command belong to that.
        if speaks_attributes { Attributes::default().put_before(&packet) } else { packet }
    }

    /// A packet of an answer.
    pub fn prepared(&mut self, packet: Incoming<'_>) {
        let Some(preparation) = self.state.preparation.as_mut() else { return self.abort() };
        let progress = match preparation.tracker.feed(packet.payload) {
            Ok(progress) => progress,
            Err(e) => return self.cannot_follow(&e),
        };
        let part = preparation.tracker.part();
        let Some((task, _)) = preparation.tasks.front().copied() else { return self.abort() };
        if part == Part::Row {
            self.learn(task, packet.payload);
        }
        match progress {
            Progress::More => self.go(Step::Preparing, Awaits::MoreAnswer),
            Progress::Done => self.task_done(task, packet.payload),
            _ => self.broken("cannot follow the server's answer"),
        }
    }

    fn learn(&mut self, task: Task, row: &[u8]) {
        let cells: Result<Vec<&[u8]>, _> =
            TextRow::new(row).map(|cell| cell.map(Option::unwrap_or_default)).collect();
        let Ok(cells) = cells else { return };
        match (task, cells.as_slice()) {
            (Task::OwnReports, [variables, schema, state, transaction]) => {
                let Some(server) = self.server() else { return };
                let is_mariadb = server.is_mariadb();
                if let Some(reports) = server.reports.as_mut() {
                    reports.learn_own([variables, schema, state, transaction], is_mariadb);
                }
            }
            (Task::Collation, [charset, collation, is_default]) => {
                self.learn_collation(Names::new(charset, collation, *is_default == b"Yes"));
            }
            _ => {}
        }
    }

    fn learn_collation(&mut self, names: Names) {
        let number = self.session.client.login.as_ref().map(|login| login.charset);
        if let Some(backend) = self.server().map(|server| server.backend) {
            self.shared.collations.learn(backend, number.unwrap_or_default(), names);
        }
    }

    fn task_done(&mut self, task: Task, last: &[u8]) {
        let failed = is_err(last);
        let is_dropped = task == Task::Database && failed && self.is_still_without_database(last);
        let may_fail = is_dropped
            || matches!(
                task,
                Task::Collation | Task::OwnReports | Task::Report | Task::ReportNothing
            );
        match task {
            // What is known already stays. Without a row, the server does not know the number.
            Task::Collation => {
                let is_told = !failed && !is_ok(last);
                self.learn_collation(if is_told { Names::Unknown } else { Names::Untold });
            }
            Task::Reset if !failed => self.session.forget_server_session(),
            Task::Database if !failed || is_dropped => {
                let database = self.session.client.default_db.clone();
                if let Some(server) = self.server() {
                    server.default_db = database;
                }
            }
            _ => {}
        }
        if let Some(reports) = self.server().and_then(|server| server.reports.as_mut()) {
            match task {
                Task::OwnReports => reports.knows_own = true,
                Task::ReportNothing => reports.forget(),
                Task::Report => (reports.is_told, reports.is_complete) = (true, !failed),
                _ => {}
            }
        }
        let Some(preparation) = self.state.preparation.as_mut() else { return self.abort() };
        if failed && !may_fail && preparation.failure.is_none() {
            preparation.failure = Some(last.to_vec());
        }
        preparation.tasks.pop_front();
        match preparation.tasks.front().copied() {
            Some((_, next)) => {
                preparation.tracker.start(next.0, preparation.native);
                // As if it had been sent now.
                self.state.server_ids.restart();
                self.state.server_ids.next_part();
                self.go(Step::Preparing, Awaits::MoreAnswer);
            }
            None => self.is_prepared(task),
        }
    }

    /// Whether the client's database is gone, and the connection none the worse: as one that had it when it was dropped.
    fn is_still_without_database(&self, error: &[u8]) -> bool {
        let is_unknown = ErrPacket::parse(error).is_ok_and(|err| err.code == ER_BAD_DB_ERROR);
        let database = &self.session.client.default_db;
        let server = self.session.server.as_ref();
        is_unknown
            && server.is_some_and(|server| {
                server.default_db.is_empty() || server.default_db == *database
            })
    }

    fn is_prepared(&mut self, last: Task) {
        let Some(preparation) = self.state.preparation.take() else { return self.abort() };
        let (owner, state) = (self.session.owner(), self.session.state.clone());
        if let Some(server) = self.server() {
            server.busy = false;
            if last != Task::Collation && preparation.failure.is_none() {
                (server.session.owner, server.session.state) = (Some(owner), state);
            }
        }
        if let Some(failure) = preparation.failure {
            return self.is_unprepared(&failure, preparation.next);
        }
        match preparation.next {
            Next::Command(held) => {
                self.state.at_hand_is_held = true;
                held.show(|packet| self.forward_command(packet));
                self.state.at_hand_is_held = false;
            }
            Next::Queue => {
                if !self.start_next_query() {
                    self.command_done();
                }
            }
            Next::Nested(id, query) => {
                let nested = std::mem::take(&mut self.state.exchange.nested);
                if nested != Nested::Wanted(id) {
                    self.behind_nested();
                } else if !self.start_nested(id, query) {
                    self.next_nested();
                }
            }
        }
    }

    /// The client's command must not run on a connection that is not as the client expects it.
    fn is_unprepared(&mut self, failure: &[u8], next: Next) {
        let ndx = self.server().map(|server| server.backend);
        let address = ndx.and_then(|ndx| self.shared.backends.address(ndx)).unwrap_or_default();
        let why = ErrPacket::parse(failure);
        let reason = why.as_ref().map_or_else(
            |_| "it does not say why".into(),
            |err| String::from_utf8_lossy(err.message).into_owned(),
        );
        let message = format!("cannot prepare a connection to {}: {reason}", address.name);
        log::warn!("{}: {message}", self.name());
        if let Next::Nested(..) = next {
            return self.nested_lost(&message);
        }
        self.close_server();
        self.session.queries.clear();
        if self.state.exchange.is_answered() {
            return self.command_done();
        }
        let code = why.map_or(ER_UNKNOWN_ERROR, |err| crate::ErrorCode::of(&err));
        self.answer_command(&Reply::error(code, &format!("pyproxy: {message}")));
    }
}
