//! LOAD DATA LOCAL INFILE: the client's file and the server's verdict on it.

use wire::result::{ResultTracker, Step as Progress};
use wire::{Command, MAX_PAYLOAD, marker};

use crate::engine::Step;
use crate::error_code::ER_NOT_ALLOWED_COMMAND;
use crate::exchange::{Infile, Nested};
use crate::turn::Turn;
use crate::{Awaits, Hook, Incoming, Reply, Side};

impl Turn<'_> {
    /// One packet of the file arrived; an empty one ends it.
    pub fn file(&mut self, packet: Incoming<'_>) {
        let is_last = packet.payload.is_empty();
        let for_server =
            self.state.exchange.infile == Infile::ForServer && self.session.server.is_some();
        if for_server {
            self.forward(Side::Server, packet);
        }
        if !is_last {
            return self.go(Step::File, Awaits::File);
        }
        self.state.exchange.infile = Infile::No;
        if for_server {
            return self.go(Step::FileAnswer, Awaits::FileAnswer);
        }
        if let Some(due) = self.state.exchange.due.take() {
            self.send_to_client(&Reply::ok(self.session.status()));
            due.given();
        }
        self.command_done();
    }

    /// Whether an answer that `hook` made asks the client for a file that nobody would read: the client would wait for ever.
    /// Logged and counted as an error of the script.
    pub fn asks_in_vain(&self, reply: &Reply, hook: Hook) -> bool {
        let command = self.session.command.map_or(Command::SLEEP, Command);
        let is_served = hook == Hook::ReadQuery && command == Command::QUERY;
        if is_served && reply.is_file_request() {
            return false;
        }
        let starts_as_request = |payload: &[u8]| payload.first() == Some(&marker::LOCAL_INFILE);
        if !reply.packets().iter().any(|payload| starts_as_request(payload)) {
            return false;
        }
        // A row that begins with NULL starts the same way.
        let mut tracker = ResultTracker::new(command.0, self.session.client.capabilities());
        let asks = reply.packets().iter().any(|payload| {
            let start = payload.get(..MAX_PAYLOAD - 1).unwrap_or(payload);
            let progress = tracker.feed(start);
            starts_as_request(start) && matches!(progress, Ok(Progress::LocalInfile) | Err(_))
        });
        if asks {
            self.shared.stats.hook(hook).errors.increment();
            log::error!(
                "{}: {} asks the client for a file (0xfb), but nobody would read it: only read_query can ask, in answer to a \
                 COM_QUERY and with nothing else in the answer",
                self.name(),
                hook.name()
            );
        }
        asks
    }

    /// The server's answer to the empty file that it got in place of one that the client did not offer.
    fn refused(&mut self, packet: Incoming<'_>) {
        self.note_changes(packet.payload);
        self.state.exchange.infile = Infile::No;
        let injection = self.state.exchange.injection.take();
        let reply = Reply::error(
            ER_NOT_ALLOWED_COMMAND,
            "pyproxy: the server asked for a local file, which the client did not offer",
        );
        match injection.filter(|_| self.state.exchange.nested != Nested::No) {
            Some(mut injection) => {
                // An ERR is an answer to everything.
                _ = injection.answer(reply.packets().iter().map(Vec::as_slice));
                self.nested_done(injection);
            }
            None => self.answer_command(&reply),
        }
    }

    /// The server's answer to the file.
    pub fn file_answer(&mut self, packet: Incoming<'_>) {
        let Some(progress) = self.follow(packet) else { return };
        let refused = self.state.exchange.infile == Infile::Refused;
        match progress {
            Progress::Done if refused => self.refused(packet),
            Progress::Done => self.answer_done(packet),
            Progress::More if refused => {
                self.broken("the server asked for a file that the client did not offer");
            }
            Progress::More => {
                // Another statement of the same command has a result, too.
                self.keep_or_forward(packet);
                self.go(Step::Answer, Awaits::MoreAnswer);
            }
            progress => {
                log::error!("{}: unexpected answer to a file: {progress:?}", self.name());
                self.broken("cannot follow the server's answer, see the proxy log");
            }
        }
    }
}
