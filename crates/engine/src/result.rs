//! The server's answer to a command: passed on while it arrives, or kept for the script.

use std::sync::Arc;

use wire::reply::{OkPacket, StatusFlags, is_err, is_ok};
use wire::result::{Part, Step as Progress, TrackError};
use wire::{Capabilities, Command};

use crate::engine::{Question, Step};
use crate::exchange::{Change, Infile, Nested};
use crate::session::Anew;
use crate::turn::Turn;
use crate::{Awaits, Effect, Incoming, Side, Slot};

impl Turn<'_> {
    /// One packet of the answer arrived.
    pub fn answer(&mut self, packet: Incoming<'_>) {
        let Some(progress) = self.follow(packet) else { return };
        match progress {
            Progress::More => {
                if self.state.tracker.part() == Part::Ok {
                    self.note_database(packet.payload);
                }
                self.keep_or_forward(packet);
                self.go(Step::Answer, Awaits::MoreAnswer);
            }
            Progress::Done => self.answer_done(packet),
            Progress::Stream if self.is_kept() => {
                self.keep_or_forward(packet);
                self.state.server_ids.restart();
                self.go(Step::Answer, Awaits::MoreAnswer);
            }
            Progress::Stream => {
                // A replica may acknowledge events, which nobody waits for: unread, they would fill the socket at last.
                self.driver.effect(Effect::Discard(Side::Client));
                self.state.exchange.begun = true;
                self.forward(Side::Client, packet);
                // And a master that wants that numbers each event anew.
                self.state.server_ids.restart();
                if !self.state.server_ids.are_left_to_frames() {
                    self.state.client_ids.restart();
                }
                self.driver.effect(Effect::Flush);
                self.go(Step::Answer, Awaits::MoreAnswer);
            }
            Progress::LocalInfile => self.request_file(packet),
            Progress::Auth(_) => self.change_user_round(packet),
        }
    }

    /// Has the tracker look at a packet; `None` if it makes no sense, and the connection ends.
    pub fn follow(&mut self, packet: Incoming<'_>) -> Option<Progress> {
        let fed = self.state.fed.take();
        let progress = match fed.unwrap_or_else(|| self.state.tracker.feed(packet.payload)) {
            Ok(progress) => progress,
            Err(e) => {
                self.cannot_follow(&e);
                return None;
            }
        };
        if let Some(injection) = self.state.exchange.injection.as_mut()
            && injection.first_packet_at.is_none()
        {
            injection.first_packet_at = Some(self.driver.now());
        }
        if self.state.exchange.opens_cursor {
            let part = self.state.tracker.part();
            if let Some(server) = self.server() {
                server.cursors.answer(part, packet.payload);
            }
        }
        Some(progress)
    }

    /// An answer that makes no sense ends the connection.
    pub fn cannot_follow(&mut self, error: &TrackError) {
        self.shared.stats.malformed_packets.increment();
        log::error!("{}: cannot follow the server's answer: {error}", self.name());
        self.broken("cannot follow the server's answer, see the proxy log");
    }

    /// Whether the script asked for the whole result: nothing of it goes to the client by itself.
    fn is_kept(&self) -> bool {
        let injection = self.state.exchange.injection.as_ref();
        injection.is_some_and(|injection| injection.query.resultset_is_needed)
    }

    /// Passes a packet to the client, unless the script asked for the whole result, or the client waits for nothing.
    pub fn keep_or_forward(&mut self, packet: Incoming<'_>) {
        self.note_start();
        let injection = self.state.exchange.injection.as_mut();
        let Some(injection) = injection.filter(|injection| injection.query.resultset_is_needed)
        else {
            if self.state.exchange.is_answered() {
                // What an old server says to a COM_QUIT that the script queued.
                return;
            }
            self.state.exchange.begun = true;
            self.note_prepared(packet.payload);
            if self.state.tracker.part() == Part::Err {
                self.count_error_of_server(packet.payload);
            }
            return self.forward(Side::Client, packet);
        };
        let limit = self.shared.max_kept_bytes;
        if injection.keep(packet.payload, limit) {
            log::error!(
                "{}: the result of query {} is larger than pyproxy-max-kept-bytes={limit}: it is dropped",
                format_args!("connection {}", self.session.id),
                injection.query.id
            );
            self.driver.effect(Effect::Trim);
        } else if injection.bound.is_watch_due() {
            // Nobody else looks at the client while nothing is sent to it.
            self.driver.effect(Effect::Look(Side::Client));
        }
    }

    /// Where the script needs a failure only, the answer is kept until it is clear that there is none.
    fn note_start(&mut self) {
        let injection = self.state.exchange.injection.as_mut();
        let Some(injection) = injection.filter(|injection| injection.query.failure_is_needed)
        else {
            return;
        };
        if self.state.exchange.begun {
            return;
        }
        match self.state.tracker.part() {
            Part::ColumnCount | Part::Column | Part::ColumnsEnd | Part::Err => {
                injection.query.resultset_is_needed = true;
            }
            // Columns that are too large to be kept make a result that is.
            _ if injection.bound.is_passed() => {}
            _ => self.pass_start(),
        }
    }

    /// There is no failure: what was kept goes to the client, and the rest of the answer as it comes.
    fn pass_start(&mut self) {
        let Some(mut injection) = self.state.exchange.injection.take() else { return };
        injection.query.resultset_is_needed = false;
        self.state.exchange.begun = true;
        self.send_kept(&mut injection);
        injection.packets = Arc::default();
        injection.query.failure_is_needed = false;
        self.state.exchange.injection = Some(injection);
    }

    /// The last packet of an answer arrived.
    pub fn answer_done(&mut self, packet: Incoming<'_>) {
        self.note_changes(packet.payload);
        self.keep_or_forward(packet);
        let Some(mut injection) = self.state.exchange.injection.take() else {
            if let Some(due) = self.state.exchange.due.take() {
                self.note_passed();
                due.given();
            }
            return self.command_done();
        };
        injection.summary = self.state.tracker.summary();
        if let Some(translator) = &self.state.translator {
            injection.changes = Some(Box::new(translator.changes().clone()));
        }
        injection.last_packet_at = Some(self.driver.now());
        if self.state.exchange.nested != Nested::No {
            return self.nested_done(injection);
        }
        self.session.result_status = injection.summary.status;
        if injection.bound.is_passed() {
            return self.refuse_large();
        }
        if !injection.query.resultset_is_needed
            && let Some(due) = self.state.exchange.due.take()
        {
            // All of it has passed.
            self.note_passed();
            due.given();
        }
        self.ask(Question::ReadQueryResult(Slot::new(injection)), None);
    }

    /// The server wants a file for LOAD DATA LOCAL.
    fn request_file(&mut self, packet: Incoming<'_>) {
        let injection = self.state.exchange.injection.as_ref();
        let is_dropped = injection.is_some_and(|injection| injection.bound.is_passed());
        let is_unwanted = match self.state.exchange.nested {
            Nested::No => false,
            // In answer to another command a client would not understand it.
            Nested::Wanted(_) => self.session.command != Some(Command::QUERY.0),
            Nested::Dropped => true,
        };
        if self.state.exchange.is_answered() || is_dropped || is_unwanted {
            // The client is not waiting for anything any more, or for an ERR only: the server gets an empty file.
            self.send_to_server(&[]);
            return self.go(Step::FileAnswer, Awaits::FileAnswer);
        }
        if !self.session.client.capabilities().contains(Capabilities::LOCAL_FILES) {
            log::warn!(
                "{}: the server asks for a file of a client that did not offer any: it is refused",
                self.name()
            );
            self.state.exchange.infile = Infile::Refused;
            self.send_to_server(&[]);
            return self.go(Step::FileAnswer, Awaits::FileAnswer);
        }
        self.state.exchange.begun = true;
        if let Some(mut injection) = self.state.exchange.injection.take() {
            // The client reads the results of one command in their order.
            self.send_kept(&mut injection);
            self.state.exchange.injection = Some(injection);
        }
        self.forward(Side::Client, packet);
        self.state.exchange.infile = Infile::ForServer;
        self.go(Step::File, Awaits::File);
    }

    /// Learns from the last packet of an answer what the server is in now.
    pub fn note_changes(&mut self, payload: &[u8]) {
        if let Some(injection) = self.state.exchange.injection.as_mut().filter(|_| is_err(payload))
        {
            injection.error = Some(payload.to_vec());
        }
        let status = self.state.tracker.reported_status();
        let command = self.state.tracker.command();
        let begins_anew = matches!(command, Command::RESET_CONNECTION | Command::CHANGE_USER);
        let opens_cursor = std::mem::take(&mut self.state.exchange.opens_cursor);
        if let Some(server) = self.server() {
            server.busy = false;
            if let Some(status) = status {
                server.reported(status);
            }
            if opens_cursor {
                server.cursors.done(status.unwrap_or_default());
            }
        }
        if begins_anew && is_ok(payload) {
            let is_reset = command == Command::RESET_CONNECTION;
            self.session.begin_anew(if is_reset { Anew::Reset } else { Anew::User });
        } else if let Some(translator) = &mut self.state.translator
            && let Some(server) = self.session.server.as_mut()
        {
            server.session.note(translator.changes());
            self.session.told = translator.take_told();
        }
        self.note_database(payload);
    }

    /// Learns from an OK packet, which may be one of several in an answer, who the user is and which the default database.
    /// The first packet of the answer decides about the change that its command was expected to make.
    fn note_database(&mut self, payload: &[u8]) {
        let change = std::mem::take(&mut self.state.exchange.effect);
        let status = self.state.tracker.summary().status;
        let reported = self.state.translator.as_ref().and_then(|it| it.changes().schema.clone());
        let is_told = status.contains(StatusFlags::SESSION_STATE_CHANGED) || reported.is_some();
        if change == Change::None && !is_told {
            return;
        }
        let accepted = is_ok(payload);
        let injected = self.state.exchange.injection.is_some();
        // What a script queues changes the server only, unless it queued what the client itself asked for.
        let asked = self.session.command == Some(self.state.tracker.command().0);
        let client = &mut self.session.client;
        let Some(server) = self.session.server.as_mut() else { return };
        let expected = match change {
            Change::DefaultDb(database) if accepted => Some(database),
            Change::Login(login) if accepted => {
                let database = login.database.clone().unwrap_or_default();
                let login = Arc::new(*login);
                server.login = Some(Arc::clone(&login));
                if asked {
                    client.server_user = Some(login.username.clone());
                    client.login = Some(login);
                    self.state.places.changed();
                }
                Some(database)
            }
            _ => None,
        };
        // The server knows best, where it tells.
        let told = reported.or_else(|| {
            let ok = OkPacket::parse(payload, server.capabilities());
            ok.and_then(|ok| ok.schema_change()).ok().flatten()
        });
        if let Some(database) = told.or(expected) {
            if !injected || asked {
                client.default_db.clone_from(&database);
                self.session.forgot_database = false;
            }
            server.default_db = database;
        }
    }
}
