//! A client: mostly it obeys the protocol, and it checks what it gets.

use std::collections::BTreeMap;

use engine::Settings;
use wire::connect::{AuthReply, ChangeUser, Handshake, Login, LoginKind};
use wire::reply::{PrepareOk, is_err};
use wire::result::{Part, ResultTracker, Step};
use wire::statement::statement_id;
use wire::{Capabilities, Command};

use super::choices::Choices;
use super::hop::{self, Hop, Stage};
use super::packets::{self, Packet};

/// How a progress report starts, which looks like an ERR.
const PROGRESS: &[u8] = b"\xff\xff\xff";

/// Where an execution has its mark.
const MARK_AT: usize = 6;

/// The mark of an execution; `None`: it has none.
pub fn mark_of_execution(payload: &[u8]) -> Option<u8> {
    let is_execution = payload.first() == Some(&Command::STMT_EXECUTE.0);
    payload.get(MARK_AT).copied().filter(|mark| is_execution && *mark > 1)
}

/// Where the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for a handshake.
    Greeting,
    /// It is to send its login, or more of it.
    Speaks,
    /// It waits for the handshake that it asked for; or, if that is refused, for an ERR.
    AskedForTls,
    /// It waits for an answer to the login.
    LoggingIn,
    /// It may send a command.
    Ready,
    /// It waits for the answer to one.
    Waiting,
    /// It is to send more of a file.
    File,
    /// It is to answer a question of COM_CHANGE_USER.
    ChangeData,
    /// It got an ERR that ends the connection.
    Refused,
}

/// Who made a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A server, in answer to this command of it; the number tells answers apart.
    Server { command: u8, answer: (usize, u32), in_stream: bool },
    /// A client: not for it.
    Client { is_command: bool },
    /// The proxy, or a script that made what fits the command.
    Proxy,
    /// A script that made what does not fit.
    Raw,
}

#[derive(Debug)]
pub struct Client {
    pub settings: Settings,
    pub phase: Phase,
    pub hop: Hop,
    /// The handshake is a script's.
    pub(super) by_script: bool,
    /// What it sends once it has TLS.
    pub(super) planned: Option<Login>,
    /// It was asked for its password.
    pub(super) asked_for_password: bool,
    last_id: u8,
    pub(super) handshake: Option<Handshake>,
    pub(super) login: Option<Login>,
    pub(super) capabilities: Capabilities,
    pub(super) method: Vec<u8>,
    /// It asked for compression, which nobody offered, and goes on as if it had been.
    pub(super) compresses: bool,
    pub command: u8,
    tracker: Option<(ResultTracker, Option<(usize, u32)>)>,
    /// Nobody can say what the answer in progress ought to be: a script made some of it, or the client says goodbye.
    pub is_exempt: bool,
    /// The marks of the statements that it prepared, by their numbers.
    pub statements: BTreeMap<u32, u8>,
    marked: u8,
    /// It did something that the protocol does not allow.
    pub lied: bool,
    /// A script took part in the login: nobody can say who ought to speak.
    pub is_lost: bool,
    /// It got something that it was not waiting for: the connection must end.
    pub surprised: Option<Vec<u8>>,
    /// Complete answers.
    pub answers: u64,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            phase: Phase::Greeting,
            hop: Hop::default(),
            by_script: false,
            planned: None,
            asked_for_password: false,
            last_id: u8::MAX,
            handshake: None,
            login: None,
            capabilities: Capabilities::empty(),
            method: Vec::new(),
            compresses: false,
            command: 0,
            tracker: None,
            is_exempt: false,
            statements: BTreeMap::new(),
            marked: 0,
            lied: false,
            is_lost: false,
            surprised: None,
            answers: 0,
        }
    }
}

impl Client {
    /// The next packet, if it is the client's turn.
    pub fn speak(&mut self, input: &mut Choices<'_>) -> Option<Packet> {
        let logs_in = self.phase == Phase::Speaks && self.login.is_none();
        let mut packet = match self.phase {
            Phase::Speaks if self.login.is_none() => self.log_in(input),
            Phase::Speaks => {
                self.phase = Phase::LoggingIn;
                let answer = self.login_data(input);
                self.next(answer)
            }
            Phase::ChangeData => {
                self.phase = Phase::Waiting;
                let answer = self.login_data(input);
                self.next(answer)
            }
            Phase::File => {
                let is_last = input.chance(128);
                if is_last {
                    self.phase = Phase::Waiting;
                }
                self.next(if is_last { Vec::new() } else { b"file".to_vec() })
            }
            Phase::Ready => self.say_command(input),
            Phase::Greeting
            | Phase::AskedForTls
            | Phase::LoggingIn
            | Phase::Waiting
            | Phase::Refused => return None,
        };
        if input.chance(2) {
            self.lied = true;
            match input.below(3) {
                0 => {
                    let id = input.byte();
                    packet.misnumbered = id != packet.id && !logs_in && !self.hop.is_compressed();
                    if packet.misnumbered || logs_in {
                        packet.id = id;
                    }
                }
                1 => packet.payload.truncate(input.below(40)),
                _ => packet.payload = input.garbage(40),
            }
            self.told_lie(&packet, logs_in);
        }
        if logs_in && matches!(LoginKind::classify(&packet.payload), Ok(LoginKind::Ssl)) {
            self.hop.ask(&packet.payload);
            self.phase = Phase::AskedForTls;
        }
        self.last_id = packet.last_id();
        if self.hop.is_compressed() && !packet.misnumbered {
            // What is numbered is the frames.
            packet.id = packet.id.wrapping_mul(3).wrapping_add(1);
        }
        Some(packet)
    }

    /// What the client waits for follows from what it really sent.
    fn told_lie(&mut self, packet: &Packet, logs_in: bool) {
        match self.phase {
            Phase::Waiting | Phase::Ready if packet.payload.is_empty() => {
                self.phase = Phase::Waiting
            }
            Phase::Waiting | Phase::Ready if self.tracker.is_none() => {
                self.command = packet.payload.first().copied().unwrap_or_default();
                self.expect_answer();
            }
            Phase::LoggingIn | Phase::AskedForTls if logs_in => {
                self.phase = Phase::LoggingIn;
                self.agree(&packet.payload);
            }
            _ => {}
        }
        if packet.payload.is_empty() && self.tracker.is_some() {
            // An empty packet ends a file, whatever was meant.
            self.phase = Phase::Waiting;
        }
    }

    pub(super) fn next(&self, payload: Vec<u8>) -> Packet {
        Packet::new(self.last_id.wrapping_add(1), payload)
    }

    fn say_command(&mut self, input: &mut Choices<'_>) -> Packet {
        self.hop.check_logged_in(false);
        hop::check_client(&self.settings, &self.hop);
        if std::mem::take(&mut self.compresses) {
            self.lied = true;
            self.phase = Phase::Waiting;
            self.is_exempt = true;
            return Packet::new(0, b"\0\0\0\x01\0".to_vec());
        }
        let payload = match input.byte() {
            0..=31 => [&[Command::STMT_PREPARE.0], packets::STATEMENT].concat(),
            32..=95 => packets::EXECUTE.to_vec(),
            _ => packets::command_with_attributes(self.capabilities, input),
        };
        let payload = self.mark(self.with_password(payload), input);
        self.command = payload[0];
        self.method = b"mysql_native_password".to_vec();
        if self.command == Command::CHANGE_USER.0 {
            let change = ChangeUser::parse(&payload, self.capabilities);
            self.method = change.ok().and_then(|change| change.auth_plugin).unwrap_or_default();
        }
        self.expect_answer();
        let mut packet = Packet::new(0, payload);
        if input.chance(3) {
            packet.rest = vec![b"more".to_vec(); 1 + input.below(3)];
        }
        packet
    }

    /// A COM_CHANGE_USER of sha256_password has it in clear, if there is TLS.
    fn with_password(&self, command: Vec<u8>) -> Vec<u8> {
        let change = ChangeUser::parse(&command, self.capabilities).ok();
        let change = change.filter(|change| change.auth_plugin.as_deref() == Some(packets::SHA256));
        match change.filter(|_| self.hop.is_secured()) {
            Some(change) => {
                let auth_response = packets::PASSWORD.to_vec();
                ChangeUser { auth_response, ..change }.encode(self.capabilities).unwrap()
            }
            None => command,
        }
    }

    /// A statement that is prepared gets a mark, which its executions have in place of their iterations.
    fn mark(&mut self, mut payload: Vec<u8>, input: &mut Choices<'_>) -> Vec<u8> {
        match Command(payload[0]) {
            Command::STMT_PREPARE => {
                self.marked = self.marked.wrapping_add(1).max(2);
                payload.push(self.marked);
            }
            Command::CHANGE_USER | Command::RESET_CONNECTION => self.statements.clear(),
            Command::STMT_CLOSE => {
                self.statements.remove(&statement_id(&payload).unwrap_or_default());
            }
            Command::STMT_EXECUTE
                if payload.len() > MARK_AT && !self.statements.is_empty() && input.chance(200) =>
            {
                let at = input.below(self.statements.len());
                let (number, mark) = self.statements.iter().nth(at).expect("below their number");
                payload[1..5].copy_from_slice(&number.to_le_bytes());
                payload[MARK_AT] = *mark;
            }
            _ => {}
        }
        payload
    }

    fn expect_answer(&mut self) {
        let command = Command(self.command);
        let waits = command.has_reply() || command == Command::QUIT;
        self.phase = if waits { Phase::Waiting } else { Phase::Ready };
        self.tracker = None;
        self.is_exempt = command == Command::QUIT;
    }

    /// Takes a packet of the proxy.
    pub fn receive(&mut self, id: u8, payload: &[u8], origin: Origin) {
        assert_ne!(self.hop.stage, Stage::Handshake, "{payload:02x?} in a handshake: {self:?}");
        let expected = self.last_id.wrapping_add(1);
        let renumbered = matches!(origin, Origin::Server { in_stream: true, .. });
        let in_order = id == expected || renumbered;
        // What a server said before it knew of the command.
        let is_last_word = match origin {
            Origin::Server { command, .. } => {
                let command = Command(command);
                !in_order || !(command.has_reply() || command == Command::QUIT)
            }
            _ => false,
        };
        let waits = self.phase == Phase::Waiting && self.tracker.is_none();
        // Nobody was asked: it ends the session.
        let idles =
            matches!(self.phase, Phase::Ready | Phase::Speaks | Phase::ChangeData | Phase::Refused);
        if self.is_exempt && !in_order && is_err(payload) {
            return;
        }
        if idles && is_err(payload) {
            self.surprised = Some(payload.to_vec());
            return;
        }
        if is_last_word && waits && is_err(payload) && !(self.is_exempt && in_order) {
            self.surprised = (!self.is_exempt).then(|| payload.to_vec());
            return;
        }
        assert!(in_order, "the client gets id {id} and not {expected}: {self:?}");
        self.last_id = id;
        match self.phase {
            Phase::Greeting => self.greeted(payload, origin),
            Phase::AskedForTls => {
                assert!(is_err(payload), "a request for TLS is answered: {payload:02x?}");
                self.phase = Phase::Refused;
            }
            Phase::LoggingIn => self.login_answered(payload),
            Phase::Waiting => self.answered(payload, origin),
            _ if self.is_exempt || self.is_lost => {}
            _ => self.surprised = Some(payload.to_vec()),
        }
    }

    fn answered(&mut self, payload: &[u8], origin: Origin) {
        let answer = match origin {
            Origin::Server { answer, .. } => Some(answer),
            _ => None,
        };
        // A script may let an answer begin and then give another one.
        let is_other =
            self.tracker.as_ref().is_some_and(|(_, began)| answer.is_some() && *began != answer);
        if origin == Origin::Raw || is_other {
            self.is_exempt = true;
        }
        if self.is_exempt {
            return;
        }
        if origin == Origin::Proxy && is_err(payload) && !payload.starts_with(PROGRESS) {
            // Fits everywhere.
            self.answers += 1;
            self.phase = Phase::Ready;
            return;
        }
        let command = match origin {
            Origin::Server { command, .. } => command,
            _ => self.command,
        };
        let capabilities = self.capabilities;
        let (tracker, _) =
            self.tracker.get_or_insert_with(|| (ResultTracker::new(command, capabilities), answer));
        let fed = tracker.feed(payload);
        if tracker.part() == Part::Ok
            && self.command == Command::STMT_PREPARE.0
            && command == self.command
            && let Ok(ok) = PrepareOk::parse(payload)
        {
            self.statements.insert(ok.statement_id, self.marked);
        }
        match fed {
            Ok(Step::More | Step::Stream) => {}
            Ok(Step::Done) => {
                self.answers += 1;
                self.phase = Phase::Ready;
            }
            Ok(Step::LocalInfile) => self.phase = Phase::File,
            Ok(Step::Auth(_)) => {
                let reply = self.judge(payload);
                let waits =
                    reply == Some(AuthReply::FastSuccess) && self.method == packets::CACHING;
                self.phase = if waits { Phase::Waiting } else { Phase::ChangeData };
            }
            Err(e) => panic!("the client cannot read its answer: {e}, {payload:x?}, {self:?}"),
        }
    }

    /// Whether these packets, made by a script, are an answer that the client can read, or a request for a file, which the
    /// proxy refuses where nobody would read it.
    pub fn could_read(&self, packets: &[Vec<u8>]) -> bool {
        let mut tracker = match &self.tracker {
            Some((tracker, _)) => tracker.clone(),
            None => ResultTracker::new(self.command, self.capabilities),
        };
        let Some((last, most)) = packets.split_last() else { return false };
        most.iter().all(|packet| tracker.feed(packet) == Ok(Step::More))
            && matches!(tracker.feed(last), Ok(Step::Done | Step::LocalInfile))
    }

    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The proxy says that a command may come: the answer is complete.
    pub fn may_speak(&mut self) {
        let is_done = self.phase == Phase::Ready || self.is_exempt || self.is_lost;
        assert!(is_done, "a command is awaited, but the client waits: {self:?}");
        self.phase = Phase::Ready;
        (self.is_exempt, self.is_lost) = (false, false);
        self.tracker = None;
    }
}
