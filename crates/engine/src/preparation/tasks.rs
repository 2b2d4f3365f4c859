//! What a server connection is told before a command of its client.

use wire::statement::StmtPrepare;
use wire::{Capabilities, Command};

use super::Task;
use crate::Attributes;
use crate::collations::question;
use crate::reports::{OWN_REPORTS, tell, tell_nothing};
use crate::server_session::assignment;
use crate::statements::ClientStatement;
use crate::turn::Turn;

impl Turn<'_> {
    /// How the attached server answers.
    pub(super) fn native_capabilities(&self) -> Option<Capabilities> {
        let server = self.session.server.as_ref()?;
        Some(server.reports.as_ref().map_or(server.capabilities(), |reports| reports.native()))
    }

    /// What is to be done, with the packets that say so, before a command that is `about` this statement of the client's.
    pub(super) fn tasks(&self, about: Option<(u32, Command)>) -> Vec<(Task, Vec<u8>)> {
        let Some(server) = self.session.server.as_ref() else { return Vec::new() };
        let session = &server.session;
        let wanted = &self.session.state;
        let database = &self.session.client.default_db;
        let is_own = session.owner == Some(self.session.owner()) && !session.is_incomplete;
        let is_reset = !is_own || wanted.difference(&session.state).is_none();
        let missing = about.filter(|(number, command)| {
            is_reset || !session.statements.has(*number, command.has_reply())
        });
        let statement = missing.and_then(|(number, _)| self.session.statements.get(number));
        let context = statement.map(|statement| &*statement.context);
        // The statement is prepared in a session as it was then, which is made what it is now behind it.
        let former = context.filter(|context| !context.is_that_of(wanted, database));
        let first = former.map_or(wanted, |former| &former.state);
        let difference = first.difference(&session.state).filter(|_| is_own && !is_reset);
        let is_reset = difference.is_none();
        let mut tasks = Vec::new();
        let mut settings: Vec<Vec<u8>> = Vec::new();
        if is_reset {
            let collation = self.session.client.login.as_ref().map(|login| login.charset);
            match self.shared.collations.names(server.backend, collation.unwrap_or_default()) {
                // What follows depends on it.
                None => return vec![(Task::Collation, self.query(question(collation).as_bytes()))],
                Some(names) => settings.extend(names.settings(first, server.is_mariadb())),
            }
            tasks.push((Task::Reset, vec![Command::RESET_CONNECTION.0]));
            if server.is_mariadb() && !self.session.forgot_flags {
                let login = self.session.client.login.as_ref();
                let flags = login.map(|login| login.capabilities);
                settings.extend(first.of_flags(flags.unwrap_or_default()));
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
        let to_set = difference.unwrap_or_else(|| first.in_order());
        settings.extend(to_set.iter().map(|(name, value)| assignment(name, value)));
        let has_id = !is_reset && session.state.insert_id == wanted.insert_id;
        let insert_id = wanted.insert_id.filter(|_| !has_id);
        let insert_id = insert_id.map(|id| format!("last_insert_id = {id}").into_bytes());
        if former.is_none() {
            settings.extend(insert_id.clone());
        }
        tasks.extend(self.set(&settings));
        if let Some(role) = wanted.role.as_ref().filter(|_| session.state.role != wanted.role) {
            tasks.push((Task::Role, self.query(&[b"SET ROLE ", role.as_slice()].concat())));
        }
        let mut present = &server.default_db;
        // It has a character set of its own, which a reset takes away.
        let mut is_due = is_reset && !self.session.forgot_database;
        if let Some(former) = former {
            if !former.database.is_empty() && (is_due || former.database != *present) {
                tasks.push((Task::StatementDatabase, init_db(&former.database)));
                (present, is_due) = (&former.database, self.session.forgot_database);
            }
            tasks.extend(statement.map(prepare));
            let settings = wanted.difference(first).unwrap_or_else(|| wanted.in_order());
            let settings = settings.iter().map(|(name, value)| assignment(name, value));
            tasks.extend(self.set(&settings.chain(insert_id).collect::<Vec<_>>()));
        }
        if !database.is_empty() && (is_due || database != present) {
            tasks.push((Task::Database, init_db(database)));
            if self.session.forgot_database {
                let text = b"SET SESSION collation_database = DEFAULT";
                tasks.push((Task::Settings, self.query(text)));
            }
        }
        if former.is_none() {
            tasks.extend(statement.map(prepare));
        }
        tasks
    }

    /// Makes the settings, if there are any.
    fn set(&self, settings: &[Vec<u8>]) -> Option<(Task, Vec<u8>)> {
        // NAMES is no variable, and the variables behind it are the session's all the same.
        let is_name = settings.first()?.starts_with(b"NAMES ");
        let set: &[u8] = if is_name { b"SET " } else { b"SET SESSION " };
        Some((Task::Settings, self.query(&[set, settings.join(&b", "[..]).as_slice()].concat())))
    }

    fn query(&self, text: &[u8]) -> Vec<u8> {
        let packet = [&[Command::QUERY.0], text].concat();
        let speaks_attributes = self
            .native_capabilities()
            .is_some_and(|native| native.contains(Capabilities::QUERY_ATTRIBUTES));
        // Those of the client's command belong to that.
        if speaks_attributes { Attributes::default().put_before(&packet) } else { packet }
    }
}

fn init_db(database: &[u8]) -> Vec<u8> {
    [&[Command::INIT_DB.0], database].concat()
}

fn prepare(statement: &ClientStatement) -> (Task, Vec<u8>) {
    (Task::Statement, StmtPrepare { query: &statement.text }.encode())
}
