//! The driver: does what the engine says, in memory, and checks each effect by itself.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use engine::{Ask, Awaits, Connecting, Driver, Effect, Link, Notify, Outcome, QueryId, Side, Then};

use wire::Command;

use super::choices::Choices;
use super::client::{Client, Origin};
use super::hop;
use super::log::Log;
use super::packets::{self, Packet};
use super::server::{End, ModelLink, Source, State};

/// How the ERR begins of a statement that is one too many.
const MAX_PREPARED_STMT_COUNT_REACHED: &[u8] = b"\xff\xb5\x05";

/// What one connection consists of outside the engine.
#[derive(Debug, Default)]
pub struct Io {
    pub client: Client,
    /// Which connection of the model it is, if its script tracks sessions.
    pub tracked: Option<u64>,
    /// Servers that its script took it from, or parked.
    pub had: Vec<u64>,
    /// The server that the engine attached last.
    pub server: Option<Arc<End>>,
    /// What arrived, until it is passed on, and what it answers.
    pub at_hand: Option<(Arc<Packet>, Origin)>,
    /// What the server answered last, as it looks when it was kept meanwhile.
    pub kept: Option<Origin>,
    /// What is still to be passed on of the packet that the script was asked about before it waited.
    pub late: Option<(Arc<Packet>, Origin)>,
    /// The result that the script answers with.
    pub chosen: Option<Origin>,
    /// What the script said last does not fit the command.
    pub is_raw: bool,
    /// The same, of one that waited.
    pub late_is_raw: bool,
    /// The end was announced: nobody gets anything any more.
    pub is_ending: bool,
    /// It was told of a place at a backend.
    pub placed: Arc<AtomicBool>,
}

impl Io {
    /// How the client shall take what the server says now.
    pub fn origin_of_server(&self) -> Origin {
        let Some(end) = &self.server else { return Origin::Proxy };
        let answer = (Arc::as_ptr(end).addr(), end.state().serial);
        let state = end.state();
        Origin::Server { command: state.command, answer, in_stream: state.is_stream() }
    }
}

/// One event in progress.
#[derive(Debug)]
pub struct Hands<'h, 'i> {
    pub io: &'h mut Io,
    pub input: &'h mut Choices<'i>,
    pub log: &'h mut Log,
    pub now: Instant,
    pub limit: usize,
    /// What the event ended in.
    pub asked: Option<Ask>,
    pub awaits: Option<Awaits>,
    /// A peer turned out to be gone.
    pub ended: Option<Side>,
    /// All connections to servers.
    pub ends: &'h mut Vec<Arc<End>>,
    pub effects: u32,
    /// What became of queries of the waiting script.
    pub resumed: Vec<(QueryId, Outcome)>,
    /// It is to come to its end.
    pub cancelled: bool,
    /// Parts of a long command that are still to come.
    pub late_parts: usize,
}

impl<'h, 'i> Hands<'h, 'i> {
    pub fn new(
        io: &'h mut Io,
        input: &'h mut Choices<'i>,
        log: &'h mut Log,
        ends: &'h mut Vec<Arc<End>>,
        now: Instant,
        limit: usize,
    ) -> Self {
        Self {
            io,
            input,
            log,
            now,
            limit,
            asked: None,
            awaits: None,
            ended: None,
            ends,
            effects: 0,
            resumed: Vec::new(),
            cancelled: false,
            late_parts: 0,
        }
    }

    fn server(&self) -> MutexGuard<'_, State> {
        self.io.server.as_ref().expect("a server").state()
    }

    pub(super) fn send(&mut self, to: Side, packet: Packet, origin: Origin) {
        assert!(!self.io.is_ending, "a packet behind the last words: {packet:02x?}");
        match to {
            Side::Client => {
                self.io.client.receive(packet.id, &packet.payload, origin);
            }
            Side::Server => {
                self.check_secrets(&packet.payload);
                let end = self.io.server.as_ref().expect("a packet for a server that is not there");
                let source = match origin {
                    Origin::Client { is_command: true } => Source::Command,
                    Origin::Client { is_command: false } => Source::Data,
                    _ => Source::Proxy,
                };
                if source == Source::Command
                    && let Some(id) = self.io.tracked
                {
                    let mut state = end.state();
                    check_owner(&mut state, &packet.payload, id);
                    if !self.io.client.lied {
                        state.check_statement(&packet.payload);
                    }
                }
                end.receive(&packet, source, self.input);
            }
        }
    }
}

impl Hands<'_, '_> {
    /// Nothing of a login passes a side in plain that has to have TLS, and no password one that the server takes for plain.
    fn check_secrets(&self, payload: &[u8]) {
        let client = &self.io.client;
        let state = self.io.server.as_ref().expect("a server").state();
        hop::check_server(&client.settings, &client.hop, &state.hop, payload);
        let in_clear =
            payload.windows(packets::PASSWORD.len()).any(|part| part == packets::PASSWORD);
        let named = packets::method_named(payload, client.capabilities());
        let method = named.as_ref().unwrap_or(&state.method);
        let takes_it =
            state.hop.is_secured() || method != packets::CACHING && method != packets::SHA256;
        assert!(
            !in_clear || takes_it || client.is_lost || state.lied || client.lied,
            "a password in clear: {payload:02x?}"
        );
    }
}

/// Nobody's command meets what another client left, but for those that leave and see nothing.
fn check_owner(state: &mut State, payload: &[u8], id: u64) {
    let command = Command(payload.first().copied().unwrap_or_default());
    let begins_anew = matches!(command, Command::RESET_CONNECTION | Command::CHANGE_USER);
    if !command.has_reply() || begins_anew || command == Command::PING {
        return;
    }
    let owner = state.used_by.replace(id);
    assert!(
        state.lied || owner.is_none_or(|owner| owner == id),
        "a command of {id} meets what {owner:?} left: {payload:02x?}"
    );
}

fn end_of(link: &dyn Link) -> Arc<End> {
    let link: &dyn Any = link;
    Arc::clone(&link.downcast_ref::<ModelLink>().expect("a link of the model").0)
}

impl Driver for Hands<'_, '_> {
    fn now(&self) -> Instant {
        self.now
    }

    fn connect(&mut self, ndx: usize) -> Connecting {
        self.log.note(&["connect", &ndx.to_string()]);
        let how = self.input.byte();
        if how >= 240 {
            return Connecting::Failed;
        }
        let end = End::new(self.input);
        self.ends.push(Arc::clone(&end));
        let link = Box::new(ModelLink(Arc::clone(&end)));
        if how >= 80 {
            return Connecting::InProgress(link);
        }
        end.establish();
        Connecting::Done(link)
    }

    fn notify_of_place(&mut self) -> Option<Notify> {
        if self.input.chance(24) {
            return None;
        }
        self.io.placed = Arc::default();
        let placed = Arc::clone(&self.io.placed);
        Some(Box::new(move |_| placed.store(true, Ordering::Relaxed)))
    }

    fn random(&mut self) -> Option<[u8; 20]> {
        self.input.chance(250).then_some([b's'; 20])
    }

    fn encrypt_password(&mut self, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        self.input.chance(240).then(|| [packets::RSA, &[b'y'; 200]].concat())
    }

    fn public_key(&mut self) -> Option<Vec<u8>> {
        self.input.chance(240).then(|| b"ours".to_vec())
    }

    fn decrypt_password(&mut self, _: &[u8]) -> Option<Vec<u8>> {
        // Under both challenges of the model.
        let challenge = if self.input.chance(128) { b's' } else { b't' };
        self.input
            .chance(240)
            .then(|| packets::PASSWORD.iter().map(|byte| byte ^ challenge).collect())
    }

    fn effect(&mut self, effect: Effect<'_>) {
        self.effects += 1;
        assert!(self.awaits.is_none() && self.asked.is_none(), "{effect:?} behind the last effect");
        self.log.effect(&effect);
        match effect {
            Effect::Forward { to, id } => {
                let (packet, origin) = self.io.at_hand.take().expect("a packet to be forwarded");
                let packet = Packet { id, ..Packet::clone(&packet) };
                self.send(to, packet, origin);
            }
            Effect::Send { to: Side::Server, id, payload } if packets::prepares(payload) => {
                let is_command = |origin| matches!(origin, Origin::Client { is_command: true });
                if self.io.at_hand.as_ref().is_some_and(|(_, origin)| is_command(*origin)) {
                    self.io.late = self.io.at_hand.take();
                }
                self.io.chosen = None;
                self.send(Side::Server, Packet::new(id, payload.to_vec()), Origin::Proxy);
            }
            Effect::Send { to, id, payload } => {
                if to == Side::Server && payload.first() == Some(&Command::CHANGE_USER.0) {
                    self.io.client.statements.clear();
                }
                if to == Side::Server && !payload.is_empty() {
                    // Another query: what is kept from now on is its answer.
                    self.io.chosen = None;
                }
                let origin = if self.io.is_raw { Origin::Raw } else { Origin::Proxy };
                self.send(to, Packet::new(id, payload.to_vec()), origin);
            }
            Effect::SendPart { to: Side::Server, id, payload } => self.send_late(id, payload),
            Effect::SendPart { to, id, payload } if self.is_late_answer(payload) => {
                let (_, origin) = self.io.late.take().expect("it was looked at");
                self.send(to, Packet::new(id, payload.to_vec()), origin);
            }
            Effect::SendPart { to, id, payload } => {
                // Or the proxy answers a statement in the server's place.
                let refuses = payload.starts_with(MAX_PREPARED_STMT_COUNT_REACHED);
                let refusal = refuses.then_some(Origin::Proxy);
                let origin = self.io.chosen.or(self.io.kept).or(refusal);
                let origin = origin.expect("an answer that was kept");
                self.send(to, Packet::new(id, payload.to_vec()), origin);
            }
            Effect::SendForeign(_) => self.io.client.is_exempt = true,
            Effect::Attach(link) => {
                let end = link.map(end_of);
                if let Some(end) = &end {
                    assert!(!end.is_closed(), "a closed connection is attached");
                }
                let before = self.io.server.as_ref().map(Arc::as_ptr);
                if let Some(end) = end.as_ref().filter(|end| Some(Arc::as_ptr(end)) != before) {
                    // Whoever gets it next asked for this user.
                    end.state().user_by_script = false;
                }
                self.io.server = end;
            }
            Effect::Flush | Effect::Trim => {}
            Effect::StartTls(Side::Client) => self.io.client.start_tls(),
            Effect::StartTls(Side::Server) => self.server().hop.start(),
            Effect::Compress { side: Side::Client, algorithm } => {
                self.io.client.hop.compress(algorithm);
            }
            Effect::Compress { side: Side::Server, algorithm } => {
                self.server().hop.compress(algorithm);
            }
            Effect::Resume { id, outcome } => self.resumed.push((id, outcome)),
            Effect::Cancel => self.cancelled = true,
            Effect::NewExchange(Side::Client) => panic!("a client begins by itself"),
            Effect::NewExchange(Side::Server) => self.server().hop.begin(),
            Effect::FlushServer => {
                let taken = self.io.server.as_ref().is_some_and(|end| !end.state().hung_up);
                if !taken {
                    self.ended = Some(Side::Server);
                }
            }
            Effect::Discard(side) | Effect::Look(side) => {
                if self.input.chance(2) {
                    self.ended = Some(side);
                }
            }
        }
    }
}

impl Hands<'_, '_> {
    /// How the connection goes on.
    pub fn then(&mut self, then: Then) {
        self.log.then(&then);
        match then {
            Then::Ask(ask) => {
                if let Ask::Result(slot) = &ask {
                    let result = slot.lock().expect("a result");
                    let bytes = result.packets.bytes();
                    assert!(bytes <= self.limit, "{bytes} bytes kept, {} allowed", self.limit);
                }
                self.asked = Some(ask);
            }
            Then::Await(awaits) => self.awaits = Some(awaits),
        }
    }
}
