//! A command of the client: forwarded, answered by the script, or replaced by what the script queued.

use sqltok::exact::{Charset, Dialect, Rules};
use wire::connect::{ChangeUser, Login};
use wire::reply::StatusFlags;
use wire::{Capabilities, Command, compressed, marker};

use crate::engine::{Question, Step};
use crate::error_code::{ER_MALFORMED_PACKET, ER_NOT_SUPPORTED_YET};
use crate::exchange::{Change, Exchange, Infile};
use crate::held::Held;
use crate::login::out_of_order;
use crate::preparation::Next;
use crate::reply::hook_failed;
use crate::turn::Turn;
use crate::{
    Awaits, Effect, Hook, Incoming, OnScriptError, Reply, Side, Source, Verdict,
    database_statements,
};

impl Turn<'_> {
    /// A command arrived.
    pub fn command(&mut self, packet: Incoming<'_>) {
        self.shared.stats.commands.count(packet.payload.first().copied());
        if std::mem::take(&mut self.state.may_compress) && compressed::is_frame(packet.payload) {
            return self.refuse_compression();
        }
        if packet.id != 0 {
            return self.refuse(&out_of_order());
        }
        let Some(&command) = packet.payload.first() else {
            let message = "Malformed communication packet";
            return self.refuse(&Reply::error(ER_MALFORMED_PACKET, message));
        };
        self.state.places.next_command();
        if let Change::Login(login) = self.change_of(packet.payload, 0) {
            if let Some(reason) = self.objection_to_names(&login) {
                return self.refuse_names(reason);
            }
            if !self.admit_change(&login) {
                return;
            }
        }
        self.state.exchange = Exchange::of(Command(command));
        self.session.command = Some(command);
        self.session.queries.clear();
        if let Err(e) = self.read_attributes(packet) {
            log::warn!("{}: cannot read the attributes of a query: {e}", self.name());
            self.shared.stats.malformed_packets.increment();
            let message = "Malformed communication packet.";
            return self.answer_command(&Reply::error(ER_MALFORMED_PACKET, message));
        }
        if self.shared.times_commands() {
            self.observe(Command(command), packet.payload);
        }
        self.note_statement(packet);
        self.note_closed_statement(packet.payload);
        if self.state.settings.profiling {
            self.ask(Question::ReadQuery, Some(packet));
        } else {
            self.command_verdict(Verdict::Proceed, packet);
        }
    }

    /// The client compresses although that was not offered: it gets an ERR in the framing that it reads, and the end.
    fn refuse_compression(&mut self) {
        let message = "pyproxy: compression is not supported by this proxy, connect without it";
        log::warn!("{}: the client compresses unasked, it is refused", self.name());
        for payload in Reply::error(ER_NOT_SUPPORTED_YET, message).packets() {
            self.count_error(Source::Proxy, payload);
            self.driver.effect(Effect::SendForeign(&compressed::answer_frame(payload)));
        }
        self.close();
    }

    pub(crate) fn command_verdict(&mut self, verdict: Verdict, packet: Incoming<'_>) {
        match verdict {
            Verdict::SendResult(reply) if !self.asks_in_vain(&reply, Hook::ReadQuery) => {
                self.note_made_answer(packet, &reply);
                self.answer_command(&reply);
            }
            Verdict::SendKept(result) => {
                self.session.queries.clear();
                self.answer_with(&result, Hook::ReadQuery);
            }
            Verdict::SendQuery if !self.session.queries.is_empty() => self.run_queue(),
            Verdict::Forward(packet) => {
                self.warn_about_queue(false);
                self.forward_other(packet);
            }
            Verdict::SendResult(_) | Verdict::Failed => {
                self.session.queries.clear();
                if self.state.settings.on_script_error == OnScriptError::Reject {
                    self.fail_command(&hook_failed(Hook::ReadQuery));
                } else {
                    self.forward_command(packet);
                }
            }
            other => {
                let is_to_be_sent = other == Verdict::SendQuery;
                if is_to_be_sent || !self.session.queries.is_empty() {
                    self.warn_about_queue(is_to_be_sent);
                }
                self.forward_command(packet);
            }
        }
    }

    fn warn_about_queue(&mut self, is_to_be_sent: bool) {
        let what = if is_to_be_sent {
            "returned PROXY_SEND_QUERY but queued nothing: the command is forwarded"
        } else if self.session.queries.is_empty() {
            return;
        } else {
            self.session.queries.clear();
            "queued queries but did not return PROXY_SEND_QUERY: they are discarded"
        };
        log::warn!("{}: read_query {what}", self.name());
    }

    /// The script's own OK to COM_INIT_DB changes what the client believes; the server knows nothing of it.
    fn note_made_answer(&mut self, packet: Incoming<'_>, reply: &Reply) {
        if reply.first_byte() == Some(marker::OK)
            && let Change::DefaultDb(database) = self.change_of_client(packet)
        {
            self.session.client.default_db = database;
        }
    }

    /// Sends the client's command to the server as it is.
    pub fn forward_command(&mut self, packet: Incoming<'_>) {
        if self.session.server.is_none() {
            return self.fail_command("no server connection is attached");
        }
        if self.server_is_gone() {
            return self.hear_last_words();
        }
        let command = Command(self.session.command.unwrap_or_default());
        if !packet.is_continued()
            && self.prepare(packet.payload, || Next::Command(Held::new(packet)))
        {
            return;
        }
        self.state.exchange.effect = self.change_of_client(packet);
        self.state.exchange.opens_cursor = self.note_cursor(packet.payload);
        if let Some(server) = self.server() {
            server.busy = true;
        }
        self.expect_answer(packet.payload);
        if command == Command::STMT_PREPARE {
            self.expect_statement(&packet.joined());
        }
        self.begin_server_exchange();
        match self.change_user_to_ask_again(packet.payload) {
            _ if self.state.refusal.is_some() => {}
            Some(payload) => self.send_to_server(&payload),
            None => self.forward_about_statement(packet),
        }
        if packet.is_continued() {
            return self.go(Step::MoreCommand, Awaits::MoreCommand);
        }
        self.command_sent(command);
        self.answer_refused();
    }

    /// A further part of a command that is passed on part by part.
    pub fn more_command(&mut self, packet: Incoming<'_>, in_order: bool) {
        if !in_order {
            return self.refuse(&out_of_order());
        }
        self.forward(Side::Server, packet);
        if !packet.is_continued() {
            self.command_sent(Command(self.session.command.unwrap_or_default()));
        }
    }

    /// The command is with the server. After COM_QUIT the server closes without an answer.
    fn command_sent(&mut self, command: Command) {
        let is_answered = command.has_reply() || command == Command::QUIT;
        if let Some(server) = self.server() {
            server.busy = is_answered;
        }
        if is_answered {
            self.go(Step::Answer, Awaits::Answer { kept: false });
        } else {
            self.restart_ids();
            self.next_command();
        }
    }

    /// Tells the server's [`Cursors`](wire::statement::Cursors), which are kept only for a script that reads results, that a
    /// command is sent. Whether they need to see its answer.
    pub fn note_cursor(&mut self, payload: &[u8]) -> bool {
        (self.state.hooks.has(Hook::ReadQueryResult) || self.state.hooks.may_wait())
            && self.server().is_some_and(|server| server.cursors.command(payload))
    }

    /// Answers the command in progress: nothing goes to a server.
    pub fn answer_command(&mut self, reply: &Reply) {
        let command = self.session.command.map_or(Command::SLEEP, Command);
        if command == Command::QUIT {
            // A client may wait for the close that its server would answer with.
            self.session.close_after_result = true;
        }
        if !command.has_reply() {
            // The client does not wait: a packet now would be taken for the answer to its next command.
            if let Some(due) = self.state.exchange.due.take() {
                due.given();
            }
            return self.command_done();
        }
        self.note_prepared(reply.packets().first().map_or(&[], Vec::as_slice));
        self.send_to_client(reply);
        if command == Command::QUERY && reply.is_file_request() {
            // The file's packets go on with the numbering of this exchange.
            self.state.exchange.infile = Infile::ForScript;
            return self.go(Step::File, Awaits::File);
        }
        if let Some(due) = self.state.exchange.due.take() {
            due.given();
        }
        self.command_done();
    }

    /// The command failed in the proxy; the connection goes on with the next one.
    pub fn fail_command(&mut self, message: &str) {
        self.answer_command(&Reply::proxy_error(message));
    }

    /// What the client's command changes if the server says OK. No command that changes anything is longer than a packet.
    fn change_of_client(&self, packet: Incoming<'_>) -> Change {
        self.change_of(packet.payload, self.session.attributes.hidden())
    }

    /// What the command in `payload` changes if the server says OK. The text of a query stands `text_at` bytes behind the
    /// command byte.
    pub fn change_of(&self, payload: &[u8], text_at: usize) -> Change {
        let Some((command, rest)) = payload.split_first() else { return Change::None };
        match Command(*command) {
            Command::QUERY => {
                let text = rest.get(text_at..).unwrap_or_default();
                let database = database_statements::is_possible(text)
                    .then(|| database_statements::database(text, self.rules()))
                    .flatten();
                database.map_or(Change::None, Change::DefaultDb)
            }
            Command::INIT_DB => Change::DefaultDb(rest.to_vec()),
            Command::CHANGE_USER => {
                let login = self.session.client.login.as_deref();
                let Some(mut login) = login_of_change_user(payload, login) else {
                    return Change::None;
                };
                self.shorten_name(&mut login);
                Change::Login(Box::new(login))
            }
            _ => Change::None,
        }
    }

    /// Whether the command in `payload` does the same in the default database that the attached connection has, and the client has
    /// not. The text of a query stands `text_at` bytes behind the command byte.
    pub fn ignores_default(&self, payload: &[u8], text_at: usize) -> bool {
        let Some((command, rest)) = payload.split_first() else { return false };
        match Command(*command) {
            Command::INIT_DB => true,
            Command::QUERY => {
                let text = rest.get(text_at..).unwrap_or_default();
                let present = self.session.server.as_ref().map(|server| &*server.default_db);
                database_statements::ignores_default(
                    text,
                    self.rules(),
                    present.unwrap_or_default(),
                )
            }
            _ => false,
        }
    }

    /// How the server reads SQL, as far as it is known: the client may have changed its character set since the login.
    pub(crate) fn rules(&self) -> Rules {
        let login = self.session.client.login.as_deref();
        let handshake = self.session.server.as_ref().and_then(|server| server.handshake.as_deref());
        Rules {
            dialect: handshake
                .map_or(Dialect::Any, |told| Dialect::of_server_version(&told.server_version)),
            charset: login
                .map(|login| Charset::of_collation(login.charset.into()))
                .unwrap_or_default(),
            // A server without it refuses a name in double quotes, and then nothing changes.
            ansi_quotes: true,
            no_backslash_escapes: self.session.status().contains(StatusFlags::NO_BACKSLASH_ESCAPES),
        }
    }
}

fn login_of_change_user(payload: &[u8], login: Option<&Login>) -> Option<Login> {
    let capabilities = login.map_or(Capabilities::empty(), |login| login.capabilities);
    let change = ChangeUser::parse(payload, capabilities).ok()?;
    let [low, _] = change.charset.unwrap_or_default().to_le_bytes();
    let charset = change.charset.map(|_| low).or(login.map(|login| login.charset));
    Some(Login {
        capabilities,
        max_packet_size: login.map(|login| login.max_packet_size).unwrap_or_default(),
        charset: charset.unwrap_or_default(),
        username: change.username,
        auth_response: change.auth_response,
        database: Some(change.database).filter(|database| !database.is_empty()),
        auth_plugin: change.auth_plugin,
        attributes: change.attributes,
        zstd_level: None,
    })
}
