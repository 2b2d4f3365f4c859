//! What a server connection is told before a command runs on it: all of it at once, and then the answers are read.
//!
//! It is to report what changes in its session (`reports.rs`). One that comes out of the pool is made the client's own: reset, if
//! others had it, and given the client's character set, settings, role and database (`server_session.rs`). A statement that is
//! executed there and was prepared elsewhere is prepared there, too.

mod tasks;

use std::collections::VecDeque;

use wire::reply::{ErrPacket, PrepareOk, is_err, is_ok};
use wire::result::{Part, ResultTracker, Step as Progress, TextRow};
use wire::statement::StmtClose;
use wire::{Capabilities, Command};

use crate::collations::Names;
use crate::engine::Step;
use crate::exchange::Nested;
use crate::held::Held;
use crate::statements::NO_STATEMENT;
use crate::turn::Turn;
use crate::{Awaits, ER_UNKNOWN_ERROR, Incoming, Query, QueryId, Reply, Session};

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
    /// It is to report no GTIDs, which the client has not asked for.
    NoGtids,
    /// It takes a value that the client's session began with, unless the user may not set it.
    Inherited,
    /// It takes the client's settings.
    Settings,
    /// The client's role.
    Role,
    /// The client's database.
    Database,
    /// The database that the client had when it prepared the statement. Without it the statement is refused, and nothing else.
    StatementDatabase,
    /// The statement that the command is about.
    Statement,
}

/// The answers that are awaited.
#[derive(Debug)]
pub struct Preparation {
    tasks: VecDeque<(Task, Command)>,
    tracker: ResultTracker,
    native: Capabilities,
    /// The ERR of the first one that failed.
    failure: Option<Vec<u8>>,
    /// The statement that is prepared, and its number on the server.
    statement: Option<(u32, Option<u32>)>,
    /// The ERR of the first one that concerns nothing but that statement.
    refusal: Option<Vec<u8>>,
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

impl Next {
    fn has_reply(&self, session: &Session) -> bool {
        let command = match self {
            Self::Command(_) => session.command,
            Self::Queue => session.queries.front().and_then(|query| query.packet.first().copied()),
            Self::Nested(_, query) => query.packet.first().copied(),
        };
        command.is_some_and(|command| Command(command).has_reply())
    }
}

impl Turn<'_> {
    /// Tells the server what it must know before the command in `packet`. `false`: there is nothing. `true`: `next`, which has that
    /// command, runs when it has answered.
    pub fn prepare(&mut self, packet: &[u8], next: impl FnOnce() -> Next) -> bool {
        if !self.shared.tracks_sessions() || self.state.refusal.is_some() {
            return false;
        }
        let command = Command(packet.first().copied().unwrap_or_default());
        let begins_anew = matches!(command, Command::RESET_CONNECTION | Command::CHANGE_USER);
        let is_told = command.has_reply() || command == Command::STMT_SEND_LONG_DATA;
        if begins_anew || !is_told || command == Command::PING {
            return false;
        }
        self.state.refusal = self.objection_to_statement(packet);
        if self.state.refusal.is_some() {
            return false;
        }
        self.close_statements();
        let about = self.statement_of(packet);
        let tasks = self.tasks(about.map(|number| (number, command)));
        self.session.says_reports = false;
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
        let prepares = commands.iter().any(|(task, _)| *task == Task::Statement);
        self.state.preparation = Some(Box::new(Preparation {
            tasks: commands,
            tracker,
            native,
            failure: None,
            statement: about.filter(|_| prepares).map(|number| (number, None)),
            refusal: None,
            next: next(),
        }));
        self.go(Step::Preparing, Awaits::Answer { kept: true });
        true
    }

    /// What the client closed while other connections were attached.
    fn close_statements(&mut self) {
        let owner = self.session.owner();
        let Some(server) = self.session.server.as_mut() else { return };
        if server.session.owner != Some(owner) {
            // Somebody's reset did it, or the one that follows does.
            return;
        }
        for statement_id in server.session.statements.take_closed(&self.session.statements) {
            self.begin_server_exchange();
            self.send_to_server(&StmtClose { statement_id }.encode());
        }
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
        match part {
            Part::Row => self.learn(task, packet.payload),
            Part::Ok if task == Task::Statement => {
                let told = PrepareOk::parse(packet.payload).ok().map(|ok| ok.statement_id);
                if let Some((_, id)) = &mut preparation.statement {
                    *id = told;
                }
            }
            _ => {}
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
                Task::Collation
                    | Task::OwnReports
                    | Task::Report
                    | Task::ReportNothing
                    | Task::NoGtids
                    | Task::Inherited
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
        let is_mariadb = self.server().is_some_and(|server| server.is_mariadb());
        if let Some(reports) = self.server().and_then(|server| server.reports.as_mut()) {
            match task {
                Task::OwnReports => reports.knows_own = true,
                Task::ReportNothing => reports.told_nothing(),
                Task::NoGtids if !failed => reports.has_gtids = false,
                Task::Report => reports.told(!failed, is_mariadb),
                _ => {}
            }
        }
        let Some(preparation) = self.state.preparation.as_mut() else { return self.abort() };
        if failed && !may_fail {
            let is_about_statement = matches!(task, Task::StatementDatabase | Task::Statement);
            let Preparation { failure, refusal, .. } = &mut **preparation;
            let why = if is_about_statement { refusal } else { failure };
            why.get_or_insert_with(|| last.to_vec());
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

    /// Whether the client's database is gone, and what follows none the worse: the connection is as one that had it when it was dropped,
    /// or the command does the same in another.
    fn is_still_without_database(&self, error: &[u8]) -> bool {
        let is_unknown = ErrPacket::parse(error).is_ok_and(|err| err.code == ER_BAD_DB_ERROR);
        let database = &self.session.client.default_db;
        let server = self.session.server.as_ref();
        is_unknown
            && server.is_some_and(|server| {
                server.default_db.is_empty()
                    || server.default_db == *database
                    || self.next_ignores_default()
            })
    }

    fn next_ignores_default(&self) -> bool {
        let Some(preparation) = self.state.preparation.as_ref() else { return false };
        match &preparation.next {
            Next::Command(held) => {
                let text_at = self.session.attributes.hidden();
                held.show(|packet| self.ignores_default(packet.payload, text_at))
            }
            Next::Queue => {
                let query = self.session.queries.front();
                query.is_some_and(|query| self.ignores_default(&query.packet, 0))
            }
            Next::Nested(_, query) => self.ignores_default(&query.packet, 0),
        }
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
        self.note_prepared_again(&preparation);
        if let Some(failure) = preparation.failure {
            return self.is_unprepared(&failure, preparation.next);
        }
        self.state.refusal =
            preparation.refusal.filter(|_| preparation.next.has_reply(self.session));
        self.go_on_prepared(preparation.next);
        self.state.refusal = None;
    }

    /// Answers the command that was not sent, because its statement cannot be prepared, or kept: as if the server had said so.
    pub fn answer_refused(&mut self) {
        if let Some(refusal) = self.state.refusal.take() {
            self.state.exchange.numbers = None;
            self.state.at_hand_is_held = true;
            self.translated_answer(Incoming::single(1, &refusal));
            self.state.at_hand_is_held = false;
        }
    }

    /// The statement has a number on this server, or cannot be prepared there.
    fn note_prepared_again(&mut self, preparation: &Preparation) {
        let Some((number, id)) = preparation.statement else { return };
        let Some(server) = self.session.server.as_mut() else { return };
        let usable = id.filter(|_| preparation.refusal.is_none() && preparation.failure.is_none());
        server.session.statements.add(number, usable.unwrap_or(NO_STATEMENT));
        if let Some(statement_id) = id.filter(|_| usable.is_none()) {
            // It was prepared, but not as the client did.
            self.begin_server_exchange();
            self.send_to_server(&StmtClose { statement_id }.encode());
        }
    }

    fn go_on_prepared(&mut self, next: Next) {
        match next {
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
        if why.as_ref().is_ok_and(|err| err.code == ER_BAD_DB_ERROR) {
            // Another client, with a database that there is, may have it.
            if let Some(server) = self.server() {
                server.session.owner = None;
            }
            self.park_server();
        } else {
            self.close_server();
        }
        self.session.queries.clear();
        if self.state.exchange.is_answered() {
            return self.command_done();
        }
        let code = why.map_or(ER_UNKNOWN_ERROR, |err| crate::ErrorCode::of(&err));
        self.answer_command(&Reply::error(code, &format!("pyproxy: {message}")));
    }
}
