//! A server, seen from its end of a connection: mostly it obeys the protocol.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use engine::{Address, Link};
use wire::connect::{AuthSwitch, Handshake, Login, LoginKind};
use wire::reply::StatusFlags;
use wire::{Capabilities, Command};

use super::choices::Choices;
use super::hop::{Hop, Stage};
use super::packets::{self, Packet};

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It greeted, and waits for a login.
    Login,
    /// It asked for more before it decides about this user.
    Auth { user: Vec<u8>, change: bool },
    /// It waits for a command.
    Ready,
    /// It waits for a file.
    File,
}

/// How a packet came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The proxy made it, or a script.
    Proxy,
    /// A command of the client.
    Command,
    /// Something else of the client: more of a login, or of a file.
    Data,
}

/// What a server knows.
#[derive(Debug)]
pub struct State {
    pub phase: Phase,
    pub hop: Hop,
    /// What it said and nobody has read yet.
    pub pending: VecDeque<Packet>,
    next_id: u8,
    pub capabilities: Capabilities,
    offered: Capabilities,
    pub method: Vec<u8>,
    /// Who is logged in.
    pub user: Vec<u8>,
    /// The command that is answered, and which one of this connection it is.
    pub command: u8,
    pub serial: u32,
    /// Whose client's command it ran since its session began, of the connections of the model.
    pub used_by: Option<u64>,
    /// Its prepared statements, and the number that was given last.
    pub statements: BTreeMap<u32, Vec<u8>>,
    pub(super) given: u32,
    /// That is what the proxy tells it before another one.
    is_preparing: bool,
    /// It said something that the protocol does not allow: nothing is certain any more.
    pub lied: bool,
    pub hung_up: bool,
    /// The proxy sent a COM_CHANGE_USER that no client asked for.
    pub user_by_script: bool,
}

/// One connection to a server. The proxy holds the [`ModelLink`] of it.
#[derive(Debug)]
pub struct End {
    /// The connect succeeded.
    established: AtomicBool,
    /// The proxy closed it.
    closed: AtomicBool,
    state: Mutex<State>,
}

impl End {
    /// A connection that is being opened.
    pub fn new(input: &mut Choices<'_>) -> Arc<Self> {
        let first = match input.byte() {
            0..=247 => packets::handshake(input),
            248..=250 => packets::err(),
            _ => input.garbage(60),
        };
        let offered = Handshake::parse(&first).map(|offer| offer.capabilities);
        let state = State {
            phase: Phase::Login,
            hop: Hop::default(),
            offered: offered.unwrap_or_default(),
            pending: VecDeque::from([Packet::new(0, first)]),
            next_id: 1,
            capabilities: Capabilities::empty(),
            method: Vec::new(),
            user: Vec::new(),
            command: 0,
            serial: 0,
            used_by: None,
            statements: BTreeMap::new(),
            given: input.byte().into(),
            is_preparing: false,
            lied: false,
            hung_up: false,
            user_by_script: false,
        };
        Arc::new(Self {
            established: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            state: Mutex::new(state),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn establish(&self) {
        self.established.store(true, Ordering::Relaxed);
    }

    pub fn is_established(&self) -> bool {
        self.established.load(Ordering::Relaxed)
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether the proxy may hand this connection to another client: logged in, and nothing on its way.
    pub fn may_be_shared(&self) -> bool {
        let state = self.state();
        let is_idle = state.phase == Phase::Ready && state.pending.is_empty();
        !self.is_closed() && !state.hung_up && (is_idle || state.lied && state.pending.is_empty())
    }

    /// The proxy reads one packet.
    pub fn read(&self) -> Option<Packet> {
        self.state().pending.pop_front()
    }

    /// The proxy sends a packet.
    pub fn receive(&self, packet: &Packet, source: Source, input: &mut Choices<'_>) {
        assert!(!self.is_closed(), "a packet for a server connection that was closed");
        let mut state = self.state();
        // An empty packet is the end of a file.
        if source != Source::Data && state.phase != Phase::Login && !packet.payload.is_empty() {
            state.command = packet.payload.first().copied().unwrap_or_default();
            state.serial += 1;
        }
        if state.hung_up {
            return;
        }
        let first_of_command = state.phase == Phase::Ready;
        if state.phase != Phase::Login
            && !state.lied
            && !matches!(state.phase, Phase::Auth { change: false, .. })
        {
            state.hop.check_logged_in(first_of_command);
        }
        let expected = if first_of_command { 0 } else { state.next_id };
        let in_order = packet.id == expected || state.lied;
        assert!(in_order, "the server gets id {} and not {expected}: {state:?}", packet.id);
        let prepares = source == Source::Proxy && packets::prepares(&packet.payload);
        let was_preparing = std::mem::replace(&mut state.is_preparing, prepares);
        let may_go_on = state.lied || was_preparing && prepares;
        let is_answering = !state.pending.is_empty() && !may_go_on;
        assert!(!is_answering, "a packet for a server that is not done yet: {state:?}");
        state.next_id = packet.last_id().wrapping_add(1);
        state.take(packet, source, input);
        state.misbehave(input);
    }

    /// The server does something by itself while it is idle.
    pub fn stir(&self, input: &mut Choices<'_>) {
        let mut state = self.state();
        match input.below(3) {
            0 => state.say(vec![packets::err()]),
            1 => state.say(vec![input.garbage(9)]),
            _ => {}
        }
        state.lied = true;
        state.hung_up |= input.chance(128);
    }
}

impl State {
    pub(super) fn say(&mut self, payloads: Vec<Vec<u8>>) {
        for payload in payloads {
            // Inside frames ids mean nothing.
            let id =
                if self.hop.is_compressed() { self.next_id.wrapping_mul(3) } else { self.next_id };
            self.pending.push_back(Packet::new(id, payload));
            self.next_id = self.next_id.wrapping_add(1);
        }
    }

    fn take(&mut self, packet: &Packet, source: Source, input: &mut Choices<'_>) {
        if self.lied && source != Source::Data && self.phase != Phase::Login {
            // The proxy takes it to be ready.
            self.phase = Phase::Ready;
        }
        match self.phase.clone() {
            Phase::Login => {
                if self.is_request(&packet.payload) {
                    return self.hop.ask(&packet.payload);
                }
                let login = Login::parse(&packet.payload);
                let login = login.unwrap_or_else(|e| panic!("no login reached the server: {e}"));
                self.method = login.auth_plugin.unwrap_or_default();
                let unsupported = Capabilities::UNSUPPORTED.difference(Capabilities::TRANSPORT);
                let refused = unsupported | Capabilities::COMPRESSION.difference(self.offered);
                assert_eq!(
                    login.capabilities & refused,
                    Capabilities::empty(),
                    "the server is asked for what no proxy follows, or what it does not offer"
                );
                let has_tls = login.capabilities.contains(Capabilities::SSL);
                assert_eq!(
                    has_tls,
                    self.hop.is_secured(),
                    "the login tells the wrong thing of TLS"
                );
                if has_tls {
                    let request = Login::tls_request(&packet.payload);
                    assert_eq!(request.as_ref(), Some(&self.hop.request), "another login");
                }
                self.hop.agree(login.capabilities, login.zstd_level);
                self.capabilities = login.capabilities;
                self.ask_or_decide(login.username, false, input);
            }
            Phase::Auth { user, change } => {
                let is_translated = packet.payload.len() == 1
                    || packet.payload == packets::PASSWORD
                    || packet.payload.starts_with(packets::RSA);
                assert!(
                    source == Source::Data || source == Source::Proxy && is_translated,
                    "only the client can answer what the login asks: {packet:?}"
                );
                self.ask_or_decide(user, change, input);
            }
            Phase::Ready => {
                assert!(source != Source::Data || self.lied, "no command: {packet:?}");
                self.answer(packet, source, input);
            }
            Phase::File if source == Source::Command => {
                panic!("a command in place of a file: {packet:?}");
            }
            Phase::File if packet.payload.is_empty() => {
                self.phase = Phase::Ready;
                self.query(input);
            }
            Phase::File => {}
        }
    }

    fn is_request(&self, payload: &[u8]) -> bool {
        let is_request = matches!(LoginKind::classify(payload), Ok(LoginKind::Ssl));
        let is_offered = self.offered.contains(Capabilities::SSL);
        assert!(!is_request || is_offered, "a server without TLS is asked for it");
        is_request && self.hop.stage == Stage::Plain
    }

    /// Another round of a login, or its end.
    pub(super) fn ask_or_decide(&mut self, user: Vec<u8>, change: bool, input: &mut Choices<'_>) {
        self.phase = Phase::Auth { user: user.clone(), change };
        let byte = input.byte();
        if self.method.starts_with(b"pyproxy") {
            return self.switch(input);
        }
        match byte {
            0..=139 => {
                let caching = self.method == packets::CACHING;
                if caching && input.chance(128) {
                    self.say(vec![vec![1, 3]]);
                }
                self.say(vec![packets::ok(packets::status(input), self.capabilities, input)]);
                (self.user, self.phase, self.used_by) = (user, Phase::Ready, None);
                self.statements.clear();
            }
            140..=204 => self.switch(input),
            205..=219 => self.say(vec![vec![1, 4]]),
            220..=229 => self.say(vec![b"\x01-----BEGIN PUBLIC KEY-----".to_vec()]),
            // The next factor, or a question of a method that starts the same way.
            230..=236 if self.knows_factors() || self.method == b"dialog" => {
                self.say(vec![b"\x02dialog\0Question?".to_vec()]);
                self.method = b"dialog".to_vec();
            }
            _ => {
                self.say(vec![packets::err()]);
                self.phase = if change { Phase::Ready } else { Phase::Login };
                self.hung_up = !change || input.chance(128);
            }
        }
    }

    fn knows_factors(&self) -> bool {
        (self.capabilities & self.offered).contains(Capabilities::MULTI_FACTOR_AUTHENTICATION)
    }

    fn switch(&mut self, input: &mut Choices<'_>) {
        let switch = packets::switch(input);
        self.method = AuthSwitch::parse(&switch).unwrap().plugin;
        self.say(vec![switch]);
    }

    /// Now and then an answer is not what the protocol allows.
    fn misbehave(&mut self, input: &mut Choices<'_>) {
        if !input.chance(6) {
            return;
        }
        let was_honest = !std::mem::replace(&mut self.lied, true);
        let len = self.pending.len();
        match input.below(5) {
            0 => self.hung_up = true,
            1 if len > 0 => {
                self.pending.truncate(input.below(len.min(200)));
                self.hung_up = true;
            }
            2 if len > 0 => {
                self.pending[input.below(len.min(200))].payload = input.garbage(16);
            }
            3 if len > 0 => {
                let (at, id) = (input.below(len.min(200)), input.byte());
                // The events of a stream may have any.
                let matters = was_honest && !self.is_stream() && !self.hop.is_compressed();
                let packet = &mut self.pending[at];
                packet.misnumbered = matters && packet.id != id;
                packet.id = id;
            }
            _ => self.say(vec![packets::ok(StatusFlags::AUTOCOMMIT, self.capabilities, input)]),
        }
    }

    /// Whether the numbers of this answer start anew with each packet.
    pub fn is_stream(&self) -> bool {
        matches!(Command(self.command), Command::BINLOG_DUMP | Command::BINLOG_DUMP_GTID)
    }
}

/// The proxy's end. Dropping it closes the connection.
#[derive(Debug)]
pub struct ModelLink(pub Arc<End>);

impl Link for ModelLink {
    /// What an honest server says in answer to a command has not arrived yet when the proxy looks.
    fn is_quiet(&self) -> bool {
        let state = self.0.state();
        !state.hung_up && (!state.lied || state.pending.is_empty())
    }

    fn addresses(&self) -> (Address, Address) {
        (Address::default(), Address::default())
    }
}

impl Drop for ModelLink {
    fn drop(&mut self) {
        assert!(!self.0.closed.swap(true, Ordering::Relaxed), "closed twice");
    }
}
