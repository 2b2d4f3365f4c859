//! Running the queries that a script queued.

use wire::Command;

use crate::engine::Step;
use crate::preparation::Next;
use crate::turn::Turn;
use crate::{Awaits, Effect, Injection, Query, Reply};

impl Turn<'_> {
    /// Runs what `read_query` queued in place of the client's command.
    pub fn run_queue(&mut self) {
        if self.session.server.is_none() {
            self.session.queries.clear();
            return self.fail_command("no server connection is attached");
        }
        if self.server_is_gone() {
            return self.hear_last_words();
        }
        if !self.start_next_query() {
            self.fail_command("the queued queries have no result");
        }
    }

    /// Forwards `packet` in place of the client's command.
    pub fn forward_other(&mut self, packet: Vec<u8>) {
        match Query::forwarded(packet, self.driver.now()) {
            Ok(query) => {
                self.session.queries.push_back(query);
                self.run_queue();
            }
            Err(error) => self.fail_command(&error.to_string()),
        }
    }

    /// Sends the next queued query that needs an answer, and every one before it that does not. `false`: none is left, and
    /// nothing was started.
    pub fn start_next_query(&mut self) -> bool {
        while let Some(query) = self.session.queries.pop_front() {
            let has_reply = Command(query.packet.first().copied().unwrap_or_default()).has_reply();
            let is_kept = query.resultset_is_needed;
            if self.state.exchange.is_answered() && !is_kept && has_reply {
                log::warn!(
                    "{}: query {} is not run: the client has its result already or expects none, and this one would have \
                     to be sent to it (resultset_is_needed is not set)",
                    self.name(),
                    query.id
                );
                continue;
            }
            if self.start_query(query) {
                return true;
            }
        }
        false
    }

    /// Sends one query; `false` if it has no answer and is done.
    fn start_query(&mut self, query: Query) -> bool {
        if self.session.server.is_none() {
            self.session.queries.clear();
            return false;
        }
        let command = Command(query.packet.first().copied().unwrap_or_default());
        if self.prepare(&query.packet, || Next::Queue) {
            self.session.queries.push_front(query);
            return true;
        }
        self.send_query(&query);
        if command == Command::QUIT {
            if self.session.command != Some(Command::QUIT.0) {
                log::warn!("{}: a queued COM_QUIT ends the connection", self.name());
            }
        } else if !command.has_reply() {
            self.note_cursor(&query.packet);
            return self.sent_unanswered();
        }
        self.read_answer_to(query);
        self.answer_refused();
        true
    }

    /// Sends a query of the script.
    pub fn send_query(&mut self, query: &Query) {
        self.shared.stats.queued_queries.increment();
        self.begin_server_exchange();
        if self.state.refusal.is_some() {
            return;
        }
        if let Some(other) = self.change_user_to_ask_again(&query.packet) {
            return self.send_to_server(&other);
        }
        if let Some(packet) = self.about_statement(&query.packet) {
            self.send_to_server(&self.with_attributes(&packet));
        }
    }

    /// Goes on with the answer to a query that was sent.
    pub fn read_answer_to(&mut self, query: Query) {
        let Some(server) = self.server() else { return };
        server.busy = true;
        let capabilities = server.capabilities();
        let cursor = server.cursors.columns(&query.packet).cloned();
        self.state.exchange.effect = self.change_of(&query.packet, 0);
        self.state.exchange.opens_cursor = self.note_cursor(&query.packet);
        self.expect_answer(&query.packet);
        self.expect_statement(&query.packet);
        let kept = query.resultset_is_needed || query.failure_is_needed;
        self.state.exchange.injection = (!query.is_forwarded)
            .then(|| Injection { cursor, ..Injection::new(query, capabilities) });
        self.go(Step::Answer, Awaits::Answer { kept });
    }

    /// A command that no server answers was sent. `false`: what is queued behind it can follow.
    fn sent_unanswered(&mut self) -> bool {
        let client_waits = self.session.command.is_none_or(|command| Command(command).has_reply());
        self.state.server_ids.restart();
        if self.session.queries.is_empty() && !client_waits {
            if let Some(due) = self.state.exchange.due.take() {
                due.given();
            }
            self.restart_ids();
            self.next_command();
            return true;
        }
        self.driver.effect(Effect::FlushServer);
        false
    }

    /// The command in progress has no more results: what is queued runs, or the client may go on.
    pub fn command_done(&mut self) {
        if self.state.exchange.is_answered() && self.session.close_after_result {
            return self.close();
        }
        if self.drains() {
            return;
        }
        if self.start_next_query() {
            return;
        }
        if let Some(due) = self.state.exchange.due.take() {
            // What was left in the queue had no answer, and the client still waits for one.
            self.send_to_client(&Reply::proxy_error("no result was left for this command"));
            due.given();
        }
        self.restart_ids();
        self.next_command();
    }
}
