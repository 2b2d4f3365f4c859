//! A connection: events to the engine, and what follows from them.

use std::sync::Arc;

use engine::{Awaits, Client, Engine, Event, Incoming, Session, Short, Side, Slot, Then, Verdict};
use mio::event::Event as Readiness;
use script::{Answer, Asked, Mailbox};
use transport::proxy_protocol::Ends;
use wire::packet::frame as framed;

use super::address::to_end;
use super::deadlines::Patience;
use super::effects::{Effects, Rest};
use super::end::End;
use super::input::{Frame, Input};
use super::io::{Io, other};
use super::limits::{Admitted, Place, no_login};
use super::peer::{Peer, Read};
use super::proxy_header::Introduction;
use super::tools::Tools;
use crate::boundary::panic_on_purpose;
use crate::chassis::with_mutex;

/// After so many reads other connections have their turn.
const READS_PER_TURN: u32 = 32;

/// A client, its server, and the rules between them.
#[derive(Debug)]
pub struct Connection {
    /// Its number in this process.
    pub(super) id: u64,
    pub(super) engine: Engine,
    /// Commands are handed over with all their parts.
    joins: bool,
    pub(super) script: Option<Box<dyn Asked>>,
    /// A hook waits before it says its verdict.
    pub(super) waits: bool,
    /// It was told that the client left.
    pub(super) is_left: bool,
    pub(super) io: Io,
    pub(super) awaits: Awaits,
    pub(super) introduction: Introduction,
    pub(super) patience: Patience,
    pub(super) place: Place,
}

/// What is to become of a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It waits for the poll.
    Waits,
    /// It has more to do.
    Again,
    /// It is over.
    Over,
}

impl Connection {
    /// For a client that was accepted.
    pub fn new(key: usize, admitted: Admitted, tools: &mut Tools) -> std::io::Result<Self> {
        let ctx = tools.ctx;
        let Admitted { accepted, place, has_header } = admitted;
        let (src, dst) = (accepted.src, accepted.dst);
        let ends = || Ends { source: to_end(&src), destination: to_end(&dst) };
        let ends = ctx.names_clients.map(|_| ends());
        let end = End::new(accepted.fd, false, Default::default(), None);
        let token = tools.token(key, Side::Client);
        let client = Peer::new(end, token, false, &tools.registry)?;
        let id = ctx.shared.stats.connections.increment();
        let session = Slot::new(Session::new(id, Client { src, dst, ..Client::default() }));
        // The script may be a new version, which is loaded now.
        let script = ctx.scripts.as_ref().and_then(|scripts| {
            let mailbox: Arc<dyn Mailbox> = Arc::new(tools.mailbox(key, id));
            let bind = || scripts.bind(session.clone(), &ctx.shared, Some(mailbox));
            with_mutex(|_| Some(bind()), |_| None)
        });
        let hooks = script.as_ref().map(|script| script.hooks()).unwrap_or_default();
        let engine = Engine::new(session, ctx.shared.clone(), ctx.settings, hooks);
        if ctx.shared.observes {
            ctx.shared.live.set_end(id, tools.mailbox(key, id).end());
        }
        let mut io = Io::new(key, id, client);
        (io.ip, io.ends) = (accepted.ip, ends);
        panic_on_purpose("accept");
        let introduction = if has_header { Introduction::Header } else { Introduction::Done };
        let (patience, joins) = (Patience::new(tools), !engine.takes_parts());
        Ok(Self {
            id,
            engine,
            joins,
            script,
            waits: false,
            is_left: false,
            io,
            awaits: Awaits::Retry,
            introduction,
            patience,
            place,
        })
    }

    /// What the poll tells of one of its sockets.
    pub fn ready(&mut self, side: Side, event: &Readiness) {
        if let Some(peer) = self.io.peer(side) {
            peer.ready(event);
        }
    }

    /// Whether nothing is under way: no command, whole or in part, and no transaction.
    pub fn is_at_rest(&self) -> bool {
        let client = &self.io.client;
        let is_sending = self.awaits == Awaits::Command && !client.input.is_empty();
        let is_at_rest = !is_sending && !client.is_readable() && self.engine.is_at_rest();
        is_at_rest || self.introduction != Introduction::Done
    }

    /// The process ends, and has no more time for it.
    pub fn shut_down(&mut self, tools: &mut Tools) {
        if self.introduction == Introduction::Done {
            self.tell(Event::ShutDown, tools);
        } else {
            self.awaits = Awaits::Abort;
            self.introduction = Introduction::Refused;
        }
    }

    /// Goes on as far as it can without waiting.
    pub fn run(&mut self, tools: &mut Tools) -> Fate {
        if let Some(fate) = self.introduce(tools) {
            return fate;
        }
        let mut reads = 0;
        loop {
            let goes_on = match self.awaits {
                Awaits::Abort => return Fate::Over,
                Awaits::Close => return self.finish(tools),
                Awaits::Retry => self.tell(Event::Accepted, tools),
                Awaits::Connect => self.connecting(tools),
                Awaits::Place => self.placing(tools),
                Awaits::Secured(side) => self.securing(side, tools),
                Awaits::Verdict => self.waiting(tools),
                _ if reads == READS_PER_TURN => {
                    self.io.flush(&tools.registry);
                    return Fate::Again;
                }
                awaits => {
                    reads += 1;
                    match awaited(awaits) {
                        Some(side) => self.step(side, tools),
                        None => false,
                    }
                }
            };
            if !goes_on && !self.rest(tools) {
                let is_over = self.io.client.is_broken() && !self.waits;
                return if is_over { Fate::Over } else { Fate::Waits };
            }
        }
    }

    /// Nothing can be read now: writes what waits. Whether that changed anything for the reading.
    fn rest(&mut self, tools: &mut Tools) -> bool {
        let was_congested = self.io.is_congested();
        self.io.flush(&tools.registry);
        if self.io.client.is_broken() {
            return false;
        }
        // A server that takes nothing more may have said why.
        let news = self
            .io
            .server
            .as_ref()
            .is_some_and(|server| server.is_broken() && server.is_readable());
        news || (was_congested && !self.io.is_congested())
    }

    /// Nothing is awaited any more: writes what the client is still to get.
    pub(super) fn finish(&mut self, tools: &mut Tools) -> Fate {
        self.io.client.write(&[], &tools.registry);
        let done = self.io.client.queued() == 0 || self.io.client.has_hung_up();
        if done { Fate::Over } else { Fate::Waits }
    }

    /// One step with what `side` says. Whether there was anything to do.
    fn step(&mut self, side: Side, tools: &mut Tools) -> bool {
        match side {
            Side::Server if self.client_left(tools) => {
                // What was sent before is the server's, such as a COM_QUIT that a script queued.
                self.io.flush(&tools.registry);
                return self.tell(Event::Ended(Side::Client), tools);
            }
            Side::Client if self.server_spoke(tools) => return true,
            _ => {}
        }
        if self.io.is_congested() {
            return false;
        }
        let whole_commands = self.joins && self.awaits == Awaits::Command;
        let most = tools.ctx.shared.max_kept_bytes;
        let Some(peer) = self.io.peer(side) else { return self.tell(Event::Ended(side), tools) };
        if packet(&peer.input, whole_commands).is_some() {
            self.feed(side, tools);
            return true;
        }
        if matches!(self.awaits, Awaits::Login | Awaits::LoginData)
            && let Some(why) = no_login(&peer.input)
        {
            return self.tell(Event::BadLogin(why), tools);
        }
        if whole_commands && peer.input.len() > most {
            return self.tell(Event::CommandTooLong, tools);
        }
        match peer.read(&mut tools.buffers) {
            Read::Some => true,
            Read::Nothing => false,
            Read::End => self.tell(Event::Ended(side), tools),
        }
    }

    /// Hands over the packets that are there, until another side is awaited.
    pub(super) fn feed(&mut self, side: Side, tools: &mut Tools) {
        let Some(peer) = self.io.peer(side) else { return };
        let mut input = std::mem::take(&mut peer.input);
        let end = peer.end().clone();
        while let Some(frame) = packet(&input, self.joins && self.awaits == Awaits::Command) {
            if side == Side::Server {
                if let Some(short) = self.short(frame, &input) {
                    if let Short::Pass(id) = short {
                        input.number(frame, id);
                        self.io.pass(Side::Client, frame, &input);
                    }
                    input.advance(frame);
                    continue;
                }
                end.set_unread(input.len() > frame.end - frame.start);
            }
            self.hand_over(side, frame, &mut input, tools);
            if awaited(self.awaits) != Some(side) || self.io.ended.is_some() {
                break;
            }
        }
        self.io.write_run(other(side), &input, &tools.registry);
        end.set_unread(!input.is_empty());
        match self.io.peer(side) {
            Some(peer) if Arc::ptr_eq(peer.end(), &end) => {
                peer.input = input;
                peer.input.release(&mut tools.buffers);
            }
            _ => {
                input.clear();
                input.release(&mut tools.buffers);
            }
        }
        if let Some(side) = self.io.ended.take() {
            self.tell(Event::Ended(side), tools);
        }
    }

    #[inline]
    fn short(&mut self, frame: Frame, input: &Input) -> Option<Short> {
        let payload = input.payloads(frame).next()?;
        self.engine.short(&Incoming::single(frame.id, payload))
    }

    /// Hands over one packet, and asks the script as often as the engine wants.
    fn hand_over(&mut self, side: Side, frame: Frame, input: &mut Input, tools: &mut Tools) {
        panic_on_purpose(if side == Side::Client { "client_packet" } else { "server_packet" });
        let mut verdict = None;
        let (then, forward, rest) = loop {
            let mut effects = Effects::new(&mut self.io, tools, input, Some((side, frame)));
            let mut payloads = input.payloads(frame);
            let payload = payloads.next().unwrap_or_default();
            let parts: Vec<_> = if frame.has_parts { payloads.collect() } else { Vec::new() };
            let packet = Incoming { id: frame.id, payload, rest: &parts };
            let event = match (verdict.take(), side) {
                (Some(verdict), _) => Event::Verdict(verdict, Some(packet)),
                (None, Side::Client) => Event::Client(packet),
                (None, Side::Server) => Event::Server(packet),
            };
            let then = self.engine.handle(event, &mut effects);
            let (forward, rest) = (effects.forward, effects.rest);
            match (&then, self.script.as_mut()) {
                (Then::Ask(ask), Some(script)) if forward.is_none() => {
                    match ask_script(&mut **script, ask, &packet.joined()) {
                        Answer::Verdict(said) => verdict = Some(said),
                        Answer::Waits => {
                            self.waits = true;
                            let awaits = self.engine.verdict_is_pending(Some(packet), &mut effects);
                            break (Then::Await(awaits), None, rest);
                        }
                    }
                }
                _ => break (then, forward, rest),
            }
        };
        if let Some(id) = forward {
            input.number(frame, id);
            self.io.pass(other(side), frame, input);
        }
        input.advance(frame);
        if rest == Rest::Goes {
            input.clear();
        }
        self.go_on(then, tools);
    }

    /// Hands over an event without a packet. Always goes on.
    pub(super) fn tell(&mut self, event: Event<'_>, tools: &mut Tools) -> bool {
        panic_on_purpose(place_of(&event));
        let input = Input::default();
        let mut effects = Effects::new(&mut self.io, tools, &input, None);
        let then = self.engine.handle(event, &mut effects);
        self.go_on(then, tools);
        true
    }

    /// Goes on as the engine says, without a packet at hand.
    fn go_on(&mut self, mut then: Then, tools: &mut Tools) {
        loop {
            let ask = match then {
                Then::Await(awaits) => {
                    self.awaits = awaits;
                    return self.tell_script();
                }
                Then::Ask(ask) => ask,
            };
            let answer = match self.script.as_mut() {
                Some(script) => ask_script(&mut **script, &ask, &[]),
                None => Answer::Verdict(Verdict::Failed),
            };
            let input = Input::default();
            let mut effects = Effects::new(&mut self.io, tools, &input, None);
            then = match answer {
                Answer::Verdict(verdict) => {
                    self.engine.handle(Event::Verdict(verdict, None), &mut effects)
                }
                Answer::Waits => {
                    self.waits = true;
                    Then::Await(self.engine.verdict_is_pending(None, &mut effects))
                }
            };
        }
    }

    /// The end: tells the script.
    pub fn end(&mut self, tools: &mut Tools) {
        self.give_up();
        if self.introduction == Introduction::Done {
            self.tell(Event::Closed, tools);
        }
    }

    /// Something went wrong in here: the client gets an ERR, if it is in a place where one fits.
    pub fn apologize(&mut self) {
        let Some((id, reply)) = self.engine.apology("internal error, see the proxy log") else {
            return;
        };
        for payload in reply.packets() {
            self.io.client.queue(|queue| {
                framed(payload, id, queue);
            });
        }
    }

    /// Releases everything without asking the script, and writes what the client takes now.
    pub fn let_go(&mut self, tools: &mut Tools) {
        self.give_up();
        self.engine.let_go();
        self.io.leave(tools);
    }
}

/// Asks the script: under the host's mutex, if the hook runs here.
fn ask_script(script: &mut dyn Asked, ask: &engine::Ask, packet: &[u8]) -> Answer {
    panic_on_purpose("ask");
    if script.runs_elsewhere(ask.hook()) {
        return script.ask(ask, packet);
    }
    let answer = with_mutex(|_| Some(script.ask(ask, packet)), |_| None);
    answer.unwrap_or(Answer::Verdict(Verdict::Failed))
}

/// What tests call the place where an event without a packet is handed over.
const fn place_of(event: &Event<'_>) -> &'static str {
    match event {
        Event::Accepted => "accepted",
        Event::Connected => "connected",
        Event::Ended(_) => "ended",
        Event::TimedOut => "timed_out",
        Event::Closed => "disconnect_client",
        _ => "other_event",
    }
}

/// Whose packet is awaited, if one is.
pub const fn awaited(awaits: Awaits) -> Option<Side> {
    match awaits {
        Awaits::Login
        | Awaits::LoginData
        | Awaits::Command
        | Awaits::MoreCommand
        | Awaits::File => Some(Side::Client),
        Awaits::Greeting
        | Awaits::LoginAnswer
        | Awaits::Answer { .. }
        | Awaits::MoreAnswer
        | Awaits::FileAnswer => Some(Side::Server),
        Awaits::Connect
        | Awaits::Place
        | Awaits::Retry
        | Awaits::Secured(_)
        | Awaits::Verdict
        | Awaits::Close
        | Awaits::Abort => None,
    }
}

#[inline]
fn packet(input: &Input, whole_command: bool) -> Option<Frame> {
    if whole_command { input.command() } else { input.packet() }
}
