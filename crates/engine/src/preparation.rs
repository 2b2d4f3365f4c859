//! What a server connection is told before a command runs on it: all of it at once, and then the answers are read.

use std::collections::VecDeque;

use wire::reply::is_err;
use wire::result::{Part, ResultTracker, Step as Progress, TextRow};
use wire::{Capabilities, Command};

use crate::engine::Step;
use crate::exchange::Nested;
use crate::held::Held;
use crate::reports::{OWN_REPORTS, tell};
use crate::turn::Turn;
use crate::{Attributes, Awaits, Incoming, Query, QueryId};

/// One thing that the server is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// It is asked which reports its clients get.
    OwnReports,
    /// It is to report everything. One that cannot is as good as one that was not asked.
    Report,
}

/// The answers that are awaited.
#[derive(Debug)]
pub struct Preparation {
    tasks: VecDeque<Task>,
    tracker: ResultTracker,
    native: Capabilities,
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
        let begins_anew = matches!(command, Command::RESET_CONNECTION | Command::CHANGE_USER);
        if begins_anew || !command.has_reply() || command == Command::PING {
            return false;
        }
        let tasks = self.tasks();
        let Some(first) = tasks.first().copied() else { return false };
        let Some(native) = self.native_capabilities() else { return false };
        for task in &tasks {
            self.begin_server_exchange();
            let payload = self.packet_of(*task);
            self.send_to_server(&payload);
        }
        if let Some(server) = self.server() {
            server.busy = true;
        }
        let tracker = ResultTracker::new(command_of(first).0, native);
        let tasks = tasks.into();
        let preparation = Preparation { tasks, tracker, native, next: next() };
        self.state.preparation = Some(Box::new(preparation));
        self.go(Step::Preparing, Awaits::Answer { kept: true });
        true
    }

    fn native_capabilities(&self) -> Option<Capabilities> {
        let server = self.session.server.as_ref()?;
        Some(server.reports.as_ref().map_or(server.capabilities(), |reports| reports.native()))
    }

    fn tasks(&self) -> Vec<Task> {
        let Some(server) = self.session.server.as_ref() else { return Vec::new() };
        let mut tasks = Vec::new();
        if let Some(reports) = server.reports.as_ref() {
            let tracks = server.capabilities().contains(Capabilities::SESSION_TRACK);
            if tracks && !reports.knows_own {
                tasks.push(Task::OwnReports);
            }
            if !reports.is_told {
                tasks.push(Task::Report);
            }
        }
        tasks
    }

    fn packet_of(&self, task: Task) -> Vec<u8> {
        let text = match task {
            Task::OwnReports => OWN_REPORTS,
            Task::Report => self.session.server.as_ref().map(tell).unwrap_or_default(),
        };
        let mut packet = vec![Command::QUERY.0];
        packet.extend_from_slice(text.as_bytes());
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
        let Some(task) = preparation.tasks.front().copied() else { return self.abort() };
        if part == Part::Row && task == Task::OwnReports {
            self.learn_own_reports(packet.payload);
        }
        match progress {
            Progress::More => {}
            Progress::Done => self.task_done(task, packet.payload),
            _ => self.broken("cannot follow the server's answer"),
        }
    }

    fn learn_own_reports(&mut self, row: &[u8]) {
        let cells: Result<Vec<&[u8]>, _> =
            TextRow::new(row).map(|cell| cell.map(Option::unwrap_or_default)).collect();
        let cells = cells.ok().and_then(|cells| <[&[u8]; 4]>::try_from(cells).ok());
        let reports = self.server().and_then(|server| server.reports.as_mut());
        if let (Some(cells), Some(reports)) = (cells, reports) {
            reports.learn_own(cells);
        }
    }

    fn task_done(&mut self, task: Task, last: &[u8]) {
        let failed = is_err(last);
        if let Some(reports) = self.server().and_then(|server| server.reports.as_mut()) {
            match task {
                Task::OwnReports => reports.knows_own = true,
                Task::Report => (reports.is_told, reports.is_complete) = (true, !failed),
            }
        }
        let Some(preparation) = self.state.preparation.as_mut() else { return self.abort() };
        preparation.tasks.pop_front();
        match preparation.tasks.front().copied() {
            Some(next) => {
                preparation.tracker.start(command_of(next).0, preparation.native);
                self.state.server_ids.restart();
            }
            None => self.is_prepared(),
        }
    }

    fn is_prepared(&mut self) {
        if let Some(server) = self.server() {
            server.busy = false;
        }
        let Some(preparation) = self.state.preparation.take() else { return self.abort() };
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
}

fn command_of(task: Task) -> Command {
    match task {
        Task::OwnReports | Task::Report => Command::QUERY,
    }
}
