//! One event in progress: where it goes, and the small moves that every step makes.

use wire::reply::ErrPacket;

use crate::engine::{Question, State, Step};
use crate::error_code::ErrorCode;
use crate::exchange::Nested;
use crate::lost_server::CLOSED_WITHOUT_GREETING;
use crate::reply::hook_failed;
use crate::{
    Awaits, Driver, Effect, Event, Hook, Incoming, OnScriptError, Reply, Server, Session, Shared,
    Side, Source, Verdict,
};

/// What a step works with.
pub struct Turn<'t> {
    /// What is known of the connection.
    pub session: &'t mut Session,
    /// What all connections share.
    pub shared: &'t Shared,
    /// What the rules remember.
    pub state: &'t mut State,
    /// Who does it.
    pub driver: &'t mut dyn Driver,
}

impl Turn<'_> {
    /// Takes an event to the step that the connection is in.
    #[inline(always)]
    pub fn take(&mut self, event: Event<'_>) {
        self.take_event(event);
        if self.state.waiting.is_some() {
            self.hold_the_end();
        }
    }

    #[inline(always)]
    fn take_event(&mut self, event: Event<'_>) {
        match event {
            Event::Ended(Side::Server) if self.runs_nested() => {
                self.nested_lost("the server closed the connection");
            }
            Event::TimedOut if self.runs_nested() => {
                self.shared.stats.query_timeouts.increment();
                self.nested_lost("backend timed out");
            }
            Event::Query { id, query } => self.nested_query(id, query),
            Event::Placed => self.placed(),
            Event::BackendLeft => self.backend_left(),
            Event::Moved => self.sync_server(),
            Event::Abandoned(id) => self.abandon_query(id),
            Event::Closed => {
                _ = self.tell_of_lost_server();
                self.closed();
            }
            Event::Stopped => self.closed(),
            Event::Verdict(verdict, at_hand) => self.verdict(verdict, at_hand),
            Event::Ended(side) => self.ended(side),
            Event::TimedOut => self.timed_out(),
            Event::LoginTimedOut => self.login_timed_out(),
            Event::ShutDown => self.shut_down(),
            Event::BadLogin(why) => self.bad_login(why),
            Event::CommandTooLong => self.command_too_long(),
            Event::Secured { side, tls } => self.secured(side, tls),
            Event::TlsFailed { side, why } => self.tls_failed(side, &why),
            Event::Accepted | Event::Connected | Event::ConnectFailed if !self.is_connecting() => {
                self.abort();
            }
            Event::Accepted => self.find_server(),
            Event::Connected => self.connected(),
            Event::ConnectFailed => self.connect_failed(&self.driver.connect_error()),
            Event::Client(packet) => self.client_packet(packet),
            Event::Server(packet) => self.server_packet(packet),
        }
    }

    fn is_connecting(&self) -> bool {
        self.state.step == Step::Connect
    }

    fn client_packet(&mut self, packet: Incoming<'_>) {
        let packet = self.state.client_ids.numbered(packet);
        let in_order = self.state.client_ids.received(packet.id, packet.last_id());
        match self.state.step {
            Step::Login => self.login(packet.payload),
            Step::LoginData => self.login_data(packet, in_order),
            Step::Command => self.command(packet),
            Step::MoreCommand => self.more_command(packet, in_order),
            Step::File if in_order => self.file(packet),
            _ => self.abort(),
        }
    }

    fn server_packet(&mut self, packet: Incoming<'_>) {
        let is_unasked = matches!(
            self.state.step,
            Step::Login | Step::LoginData | Step::Command | Step::MoreCommand
        );
        if is_unasked {
            return self.unasked(packet);
        }
        let packet = self.state.server_ids.numbered(packet);
        if !self.state.server_ids.received(packet.id, packet.last_id()) {
            if self.is_last_word(packet) {
                return self.last_words(packet);
            }
            return self.broken("the server's packets are out of order");
        }
        match self.state.step {
            Step::Greeting => self.greeting(packet.payload),
            Step::LoginAnswer => self.login_answer(packet),
            Step::Answer if self.state.exchange.numbers.is_some() => self.numbered_answer(packet),
            Step::Answer | Step::FileAnswer if self.state.translator.is_some() => {
                self.translated_answer(packet);
            }
            Step::Answer => self.answer(packet),
            Step::FileAnswer => self.file_answer(packet),
            Step::Preparing => self.prepared(packet),
            Step::LastWords => self.last_words(packet),
            _ => self.abort(),
        }
    }

    fn verdict(&mut self, verdict: Verdict, at_hand: Option<Incoming<'_>>) {
        self.session.hook = None;
        self.session.is_lent = false;
        if self.state.waiting.is_some() {
            return self.late_verdict(verdict);
        }
        if self.state.step != Step::Asked {
            return;
        }
        let Some(question) = self.state.question.take() else { return };
        // The script may have parked or exchanged the server.
        self.sync_server();
        self.go_on(question, verdict, at_hand);
    }

    pub fn go_on(&mut self, question: Question, verdict: Verdict, at_hand: Option<Incoming<'_>>) {
        match question {
            Question::ConnectServer => self.connect_verdict(verdict),
            Question::ReadHandshake => self.greeting_verdict(verdict),
            Question::ReadAuth(login, payload) => self.login_verdict(verdict, *login, payload),
            Question::ReadAuthResult(reply) => self.login_answer_verdict(verdict, reply, at_hand),
            Question::ReadQuery => match at_hand {
                // The id of a command is 0, whatever it was inside a compressed frame.
                Some(packet) => self.command_verdict(verdict, Incoming { id: 0, ..packet }),
                None => self.abort(),
            },
            Question::ReadQueryResult(injection) => self.result_verdict(verdict, &injection),
            Question::DisconnectClient => self.over(),
        }
    }

    /// Asks the script, or goes on at once if it has no such hook.
    pub fn ask(&mut self, question: Question, at_hand: Option<Incoming<'_>>) {
        let ask = question.ask();
        if self.state.hooks.has(ask.hook()) {
            self.session.hook = Some(ask.hook());
            self.state.step = Step::Asked;
            self.state.question = Some(question);
            self.state.asked = Some(ask);
        } else {
            self.go_on(question, Verdict::Proceed, at_hand);
        }
    }

    fn closed(&mut self) {
        if self.state.step == Step::Over {
            return;
        }
        self.note_abort();
        self.state.asked = None;
        self.state.exchange.injection = None;
        if self.state.waiting.take().is_some() {
            // Its hook has not ended: it cannot be asked.
            return self.over();
        }
        self.ask(Question::DisconnectClient, None);
    }

    fn over(&mut self) {
        log::debug!("{}: over", self.name());
        self.close_server();
        self.state.leave_places();
        self.state.step = Step::Over;
    }

    fn ended(&mut self, side: Side) {
        if side == Side::Server && self.state.step == Step::Tls(side) {
            return self.tls_failed(side, "the server closed the connection");
        }
        if side == Side::Server && self.state.step == Step::Greeting {
            return self.connect_failed(CLOSED_WITHOUT_GREETING);
        }
        if side == Side::Server {
            return if self.tell_of_lost_server() { self.close() } else { self.abort() };
        }
        if self.state.exchange.injection.is_some() {
            log::debug!("{}: the client left while its result was read", self.name());
        }
        if self.server().is_some_and(|server| !server.is_idle()) {
            // It may be busy with an answer for long. One that is not may still be parked.
            self.close_server();
        }
        self.abort();
    }

    /// How the log names the connection.
    pub fn name(&self) -> String {
        format!("connection {}", self.session.id)
    }

    /// The attached server.
    pub fn server(&mut self) -> Option<&mut Server> {
        self.session.server.as_mut()
    }

    /// Tells the driver which server there is, and closes those that are not attached any more.
    pub fn sync_server(&mut self) {
        if !self.session.take_moved() {
            return;
        }
        let link = self.session.server.as_ref().map(|server| &*server.link);
        self.driver.effect(Effect::Attach(link));
        let server = self.session.server.as_ref();
        let is_compressed = server.is_some_and(|server| server.compression.is_some());
        self.state.server_ids.leave_to_frames(is_compressed);
        drop(self.session.take_discarded());
        let now = self.driver.now();
        for server in self.session.take_all_leaving() {
            self.shared.park(server, now);
        }
    }

    /// Closes the server connection and takes it off its backend's count.
    pub fn close_server(&mut self) {
        self.session.close_server(self.shared);
        self.sync_server();
    }

    /// Goes on in `step`.
    pub fn go(&mut self, step: Step, awaits: Awaits) {
        self.state.step = step;
        self.state.awaits = awaits;
        self.state.asked = None;
    }

    /// Ends the connection without a word.
    pub fn abort(&mut self) {
        self.go(Step::Ending, Awaits::Abort);
    }

    /// Hangs up behind what was sent to the client.
    pub fn close(&mut self) {
        self.go(Step::Ending, Awaits::Close);
    }

    /// Sends `reply` to the client and hangs up after it.
    pub fn refuse(&mut self, reply: &Reply) {
        self.log_refusal(reply.packets().first().map_or(&[], Vec::as_slice));
        self.send_to_client(reply);
        self.close();
    }

    /// Writes why a client is refused, if `err` is an ERR. Its text may be one that the client chose.
    pub fn log_refusal(&self, err: &[u8]) {
        let Ok(err) = ErrPacket::parse(err) else { return };
        let client = &self.session.client;
        let user =
            client.username().map(|user| format!(", user {:?}", String::from_utf8_lossy(user)));
        log::info!(
            "{} ({}{}): refused: error {}: {}",
            self.name(),
            client.src.name,
            user.unwrap_or_default(),
            err.code,
            String::from_utf8_lossy(err.message).replace(char::is_control, "?")
        );
    }

    /// The answer of the server makes no sense: an ERR if the client has not seen a part of it, and the end.
    pub fn broken(&mut self, message: &str) {
        let untouched = !self.state.exchange.begun && !self.state.exchange.is_answered();
        let in_login = matches!(self.state.step, Step::Greeting | Step::LoginAnswer);
        self.close_server();
        if untouched || in_login {
            self.refuse(&self.login_error(&format!("pyproxy: {message}")));
        } else {
            self.abort();
        }
    }

    /// Sends the packets of `reply` to the client.
    pub fn send_to_client(&mut self, reply: &Reply) {
        if let Some(last) = reply.packets().last() {
            self.count_error(Source::Proxy, last);
        }
        self.note_reply(reply);
        self.send_packets(reply);
    }

    fn send_packets(&mut self, reply: &Reply) {
        for payload in reply.packets() {
            let id = self.state.client_ids.next(payload.len());
            self.driver.effect(Effect::Send { to: Side::Client, id, payload });
        }
    }

    /// Sends a payload to the server.
    pub fn send_to_server(&mut self, payload: &[u8]) {
        let id = self.state.server_ids.next(payload.len());
        self.driver.effect(Effect::Send { to: Side::Server, id, payload });
    }

    /// Sends one payload of a server to the client.
    pub fn send_payload_to_client(&mut self, payload: &[u8]) {
        self.count_error_of_server(payload);
        if let Some(reply) = Reply::from_packets(vec![payload.to_vec()]) {
            self.send_packets(&reply);
        }
    }

    /// Counts the server's last packet of an answer, or of a round of a login, that is passed to the client.
    #[inline]
    pub fn count_error_of_server(&mut self, payload: &[u8]) {
        self.count_error(Source::Server, payload);
    }

    /// Passes the packet at hand on.
    #[inline]
    pub fn forward(&mut self, to: Side, packet: Incoming<'_>) {
        let ids = match to {
            Side::Client => &mut self.state.client_ids,
            Side::Server => &mut self.state.server_ids,
        };
        let first = ids.pass(packet.id, packet.last_id());
        if !self.state.at_hand_is_held {
            return self.driver.effect(Effect::Forward { to, id: first });
        }
        self.forward_held(to, packet, first);
    }

    /// The driver does not have it any more.
    #[cold]
    fn forward_held(&mut self, to: Side, packet: Incoming<'_>, first: u8) {
        let parts = std::iter::once(packet.payload).chain(packet.rest.iter().copied());
        for (payload, id) in parts.zip((0..=u8::MAX).cycle().skip(first.into())) {
            self.driver.effect(Effect::SendPart { to, id, payload });
        }
    }

    /// Both sides start a new exchange.
    pub fn restart_ids(&mut self) {
        self.state.client_ids.restart();
        if self.state.exchange.nested == Nested::No {
            self.state.server_ids.restart();
        }
    }

    /// An ERR in the form that the client reads now: without SQL state until it knows the protocol.
    pub fn login_error(&self, message: &str) -> Reply {
        self.login_error_of(crate::ER_UNKNOWN_ERROR, message)
    }

    /// The same, with another number.
    pub fn login_error_of(&self, code: ErrorCode, message: &str) -> Reply {
        if self.session.client.login.is_some() {
            Reply::error(code, message)
        } else {
            Reply::error_before_handshake(code, message)
        }
    }

    /// The ERR for a hook that failed, unless a failure means to go on.
    pub fn rejection(&self, verdict: &Verdict, hook: Hook) -> Option<String> {
        let rejects = self.state.settings.on_script_error == OnScriptError::Reject;
        (rejects && *verdict == Verdict::Failed).then(|| hook_failed(hook))
    }
}
