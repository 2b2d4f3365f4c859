//! What a server connection is told before a command of its client.

use std::collections::BTreeMap;

use wire::reply::StatusFlags;
use wire::statement::StmtPrepare;
use wire::{Capabilities, Command};

use super::Task;
use crate::Attributes;
use crate::collations::{Names, question};
use crate::reports::{NO_GTIDS, OWN_REPORTS, tell, tell_nothing};
use crate::server_session::{assignment, name_of};
use crate::statements::{ClientStatement, Context, Login};
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
        let difference = wanted.difference(&session.state).filter(|_| is_own);
        let is_reset = difference.is_none();
        let login = self.session.client.login.as_ref();
        let collation = login.map(|login| login.charset);
        let missing = about.filter(|(number, command)| {
            is_reset || !session.statements.has(*number, command.has_reply())
        });
        let statement = missing.and_then(|(number, _)| self.session.statements.get(number));
        let statement = statement.map(|statement| (statement, Context::of(wanted, database)));
        let needs_names = is_reset
            || statement
                .as_ref()
                .is_some_and(|(statement, present)| statement.context.needs_login(present));
        let mut names = Names::default();
        if needs_names {
            let number = collation.unwrap_or_default();
            match self.shared.collations.names(server.backend, number) {
                Some(known) => names = known,
                // What follows depends on it.
                None => return vec![(Task::Collation, self.query(question(collation).as_bytes()))],
            }
        }
        let flags = login.filter(|_| !self.session.forgot_flags).map(|login| login.capabilities);
        let flags = flags.unwrap_or_default();
        let mut tasks = Vec::new();
        let mut settings: Vec<Vec<u8>> = Vec::new();
        if is_reset {
            settings.extend(names.settings(wanted, server.is_mariadb()));
            tasks.push((Task::Reset, vec![Command::RESET_CONNECTION.0]));
            if server.is_mariadb() {
                settings.extend(wanted.of_flags(flags));
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
                // In front of other commands it would end what they ask about.
                let may_set = !server.status().intersects(StatusFlags::OF_TRANSACTION);
                if !is_reset && reports.has_gtids && may_set && self.session.says_reports {
                    tasks.push((Task::NoGtids, self.query(NO_GTIDS.as_bytes())));
                }
            } else if is_reset || !reports.is_told {
                tasks.push((Task::Report, self.query(tell(server).as_bytes())));
            }
        }
        let to_set = difference.unwrap_or_else(|| wanted.in_order());
        let old = server.has_old_names();
        let to_set = to_set.iter().map(|(name, value)| assignment(name_of(name, old), value));
        settings.extend(to_set);
        let has_id = !is_reset && session.state.insert_id == wanted.insert_id;
        if let Some(id) = wanted.insert_id.filter(|_| !has_id) {
            settings.push(format!("last_insert_id = {id}").into_bytes());
        }
        let none = BTreeMap::new();
        let inherited = if is_reset { &none } else { &session.state.inherited };
        for (name, value) in wanted.not_inherited(inherited) {
            let set = [b"SET SESSION ", assignment(name_of(name, old), value).as_slice()].concat();
            tasks.push((Task::Inherited, self.query(&set)));
        }
        tasks.extend(self.set(&settings));
        if let Some(role) = wanted.role.as_ref().filter(|_| session.state.role != wanted.role) {
            tasks.push((Task::Role, self.query(&[b"SET ROLE ", role.as_slice()].concat())));
        }
        // It has a character set of its own, which a reset takes away.
        let is_due = *database != server.default_db || (is_reset && !self.session.forgot_database);
        if !database.is_empty() && is_due {
            tasks.extend(self.choose(Task::Database, database));
        }
        if let Some((statement, present)) = statement {
            let login = Login { names, flags, is_mariadb: server.is_mariadb() };
            self.prepare_in_context(&mut tasks, statement, &present, &login);
        }
        tasks
    }

    /// Prepares a statement in a session as it was when the client did. Behind it the session is as it was before.
    fn prepare_in_context(
        &self,
        tasks: &mut Vec<(Task, Vec<u8>)>,
        statement: &ClientStatement,
        present: &Context,
        login: &Login,
    ) {
        let former = &*statement.context;
        let is_elsewhere = former.database != present.database && !present.database.is_empty();
        tasks.extend(self.set(&former.settings(present, login)));
        if is_elsewhere && !former.database.is_empty() {
            tasks.extend(self.choose(Task::StatementDatabase, &former.database));
        }
        let prepare = StmtPrepare { query: &statement.text }.encode();
        tasks.push((Task::Statement, prepare));
        tasks.extend(self.set(&present.settings(former, login)));
        if is_elsewhere && !former.database.is_empty() {
            tasks.extend(self.choose(Task::Database, &present.database));
        }
    }

    /// Chooses a default database, with the character set that the client expects of it.
    fn choose(&self, task: Task, database: &[u8]) -> impl Iterator<Item = (Task, Vec<u8>)> {
        let choose = (task, [&[Command::INIT_DB.0], database].concat());
        let forget = self.session.forgot_database.then(|| {
            (
                Task::Settings,
                self.query(b"SET SESSION collation_database = @@global.collation_database"),
            )
        });
        std::iter::once(choose).chain(forget)
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
