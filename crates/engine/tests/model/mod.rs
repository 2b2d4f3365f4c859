//! A model of everything around the engine: clients, servers and scripts that mostly obey the protocol and sometimes do not,
//! and a driver in memory. An input decides everything; each event is followed by a check of the invariants.
//!
//! Shared by the test with random inputs and the fuzz target.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod backends;
mod check;
mod choices;
mod client;
mod client_login;
mod driver;
mod hop;
mod log;
mod next;
mod packets;
mod script;
mod server;
mod server_answers;
mod waiting;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{
    Ask, Awaits, ClientTls, Compression, Driver, Effect, Engine, Event, Hook, HookSet, Incoming,
    OnScriptError, ServerTls, Session, Settings, Shared, Short, Side, Slot, Then, Tls, Verdict,
};

use backends::List;
use choices::Choices;
use client::Origin;
use driver::{Hands, Io};
use log::Log;
use packets::Packet;
use server::End;
use waiting::Waits;

/// What a run amounted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Of all events and effects: the same input gives the same.
    pub hash: u64,
    /// Events handed to engines.
    pub events: u64,
    /// Complete answers that clients got.
    pub answers: u64,
    /// TLS handshakes.
    pub handshakes: u64,
}

/// Where a connection is, as its driver knows it.
#[derive(Debug)]
enum At {
    /// The engine awaits this.
    Awaits(Awaits),
    /// The script was asked, and has not answered yet.
    Asked(Ask),
    /// Over.
    Over,
}

#[derive(Debug)]
struct Conn {
    engine: Engine,
    io: Io,
    at: At,
    /// The script waits.
    waits: Option<Waits>,
    /// What happens next is not allowed here.
    must_end: bool,
}

/// An event, with its packet if it has one.
#[derive(Debug)]
enum What {
    Plain(Event<'static>),
    Packet(Side, Packet, Origin),
    Verdict(Verdict),
    /// Of a script that waited.
    LateVerdict(Verdict),
}

/// Whether the connection ends with this.
fn ends(awaits: Option<Awaits>) -> bool {
    matches!(awaits, Some(Awaits::Close | Awaits::Abort))
}

/// Everything.
#[derive(Debug)]
struct World<'i> {
    input: Choices<'i>,
    shared: Arc<Shared>,
    backends: List,
    conns: Vec<Conn>,
    accepted: u64,
    ends: Vec<Arc<End>>,
    now: Instant,
    log: Log,
    short: bool,
    answers: u64,
    handshakes: u64,
    tls: Tls,
    compression: Compression,
}

/// How to run the model.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Print everything.
    pub verbose: bool,
    /// Let packets take the short way, if there is one: it makes no difference.
    pub short: bool,
}

/// Runs the model over `input`; panics where an invariant is broken.
pub fn run(input: &[u8], how: How) -> Report {
    let mut world = World::new(input, how);
    while !world.input.is_over() {
        world.step();
    }
    world.finish()
}

impl<'i> World<'i> {
    fn new(bytes: &'i [u8], how: How) -> Self {
        let mut input = Choices::new(bytes);
        let backends = List::new(1 + input.below(3));
        let pool_change_user = input.chance(128);
        let limit = *input.pick(&[1 << 20, 400, 100]);
        let tls = match input.byte() {
            0..=63 => Tls::default(),
            64..=159 => Tls::Mirror,
            _ => Tls::Hops {
                client: *input.pick(&[ClientTls::Off, ClientTls::Optional, ClientTls::Required]),
                server: *input.pick(&[ServerTls::Off, ServerTls::Required]),
            },
        };
        let compression = *input.pick(&[
            Compression::Off,
            Compression::Mirror,
            Compression::ClientOnly,
            Compression::ServerOnly,
        ]);
        let shared = Shared::new(Box::new(backends.clone()), pool_change_user, limit);
        // Nothing else of the input moves for these.
        let last = bytes.last().copied().unwrap_or_default();
        shared.track_sessions(last % 2 == 1);
        shared.capacity.set_common_limit(usize::from(if last & 6 == 6 {
            1 + last / 128
        } else {
            0
        }));
        Self {
            input,
            shared: Arc::new(shared),
            backends,
            conns: Vec::new(),
            accepted: 0,
            ends: Vec::new(),
            now: Instant::now(),
            log: Log::new(how.verbose),
            short: how.short,
            answers: 0,
            handshakes: 0,
            tls,
            compression,
        }
    }

    fn accept(&mut self) -> Conn {
        let byte = self.input.byte();
        let settings = Settings {
            on_script_error: if byte & 1 == 0 {
                OnScriptError::Reject
            } else {
                OnScriptError::Forward
            },
            profiling: byte & 0xf0 != 0xf0,
            tls: self.tls,
            compression: self.compression,
            max_connections_per_user: if byte & 0x0c == 0x0c { 2 } else { 0 },
            names_clients: byte & 0x02 != 0,
        };
        let hooks = match self.input.byte() {
            0..=199 => HookSet::from_iter(Hook::ALL),
            bits => {
                Hook::ALL.iter().copied().filter(|hook| bits & (1 << (*hook as u8)) != 0).collect()
            }
        };
        self.accepted += 1;
        let session = Slot::new(Session::new(self.accepted, engine::Client::default()));
        let engine = Engine::new(session, Arc::clone(&self.shared), settings, hooks);
        let mut io = Io::default();
        io.client.settings = settings;
        io.tracked = self.shared.tracks_sessions().then_some(self.accepted);
        Conn { engine, io, at: At::Awaits(Awaits::Retry), waits: None, must_end: false }
    }

    /// One thing happens to one connection.
    fn step(&mut self) {
        const MOST: usize = 4;
        let n = self.input.below(MOST);
        if n >= self.conns.len() {
            let conn = self.accept();
            self.conns.push(conn);
        }
        let n = n.min(self.conns.len() - 1);
        match self.input.byte() {
            255 => self.now += Duration::from_millis(1500),
            254 => self.stir(),
            _ => self.now += Duration::from_micros(50),
        }
        if self.log.verbose {
            eprintln!("-- {n}: {:?}, client {:?}", self.conns[n].at, self.conns[n].io.client.phase);
        }
        if let Some(what) = self.next(n) {
            self.handle(n, what);
        }
    }

    /// A server does something by itself.
    fn stir(&mut self) {
        self.ends.retain(|end| !end.is_closed());
        let n = self.input.below(8);
        if let Some(end) = self.ends.get(n).filter(|end| end.may_be_shared()) {
            end.stir(&mut self.input);
        }
    }

    fn decide(&mut self, n: usize) -> Verdict {
        let conn = &mut self.conns[n];
        let ask = match (&conn.at, &conn.waits) {
            (At::Asked(ask), _) => ask,
            (_, Some(waits)) => &waits.ask,
            _ => panic!("nobody was asked"),
        };
        let session =
            conn.engine.session().lock().expect("a session that the script is asked about");
        let said = script::decide(ask, &session, &self.shared, &conn.io.client, &mut self.input);
        conn.io.client.is_lost |= match ask.hook() {
            Hook::ConnectServer | Hook::ReadAuth | Hook::ReadAuthResult => {
                !matches!(said.verdict, Verdict::Proceed | Verdict::IgnoreResult | Verdict::Greet)
            }
            // The script may have queued a change to another user.
            Hook::ReadQuery => {
                let changes = conn.io.client.command == wire::Command::CHANGE_USER.0;
                changes && matches!(said.verdict, Verdict::SendQuery | Verdict::Forward(_))
            }
            _ => false,
        };
        conn.io.is_raw = said.is_raw;
        if self.log.verbose {
            eprintln!("  says {said:02x?}");
        }
        said.verdict
    }

    /// Hands an event over, and what follows from it at once.
    fn handle(&mut self, n: usize, mut what: What) {
        loop {
            let (asked, ended) = self.hand_over(n, what);
            what = if let Some(side) = ended {
                What::Plain(Event::Ended(side))
            } else if let Some(ask) = asked {
                let hook = ask.hook();
                self.conns[n].at = At::Asked(ask);
                self.act(n, hook);
                if hook != Hook::DisconnectClient && self.input.chance(40) {
                    return self.begin_to_wait(n);
                }
                What::Verdict(self.decide(n))
            } else {
                return;
            };
        }
    }

    /// The script of connection `n` does something.
    fn act(&mut self, n: usize, hook: Hook) {
        let conn = &mut self.conns[n];
        if let Some(mut session) = conn.engine.session().lock() {
            let had = &mut conn.io.had;
            script::act(&mut session, &self.shared, hook, self.now, had, &mut self.input);
        }
        self.check_counts();
    }

    fn hand_over(&mut self, n: usize, what: What) -> (Option<Ask>, Option<Side>) {
        if self.log.verbose {
            eprintln!("  {what:02x?}");
        }
        self.log.events += 1;
        let conn = &mut self.conns[n];
        let side = if let What::Packet(side, packet, origin) = what {
            if let Origin::Server { command, answer, .. } = origin {
                conn.io.kept = Some(Origin::Server { command, answer, in_stream: false });
            }
            conn.io.at_hand = Some((Arc::new(packet), origin));
            Ok(side)
        } else {
            Err(what)
        };
        let held = conn.io.at_hand.as_ref().map(|(packet, _)| Arc::clone(packet));
        let rest: Vec<&[u8]> =
            held.iter().flat_map(|packet| &packet.rest).map(Vec::as_slice).collect();
        let incoming = held.as_ref().map(|packet| Incoming {
            id: packet.id,
            payload: &packet.payload,
            rest: &rest,
        });
        let is_late = matches!(side, Err(What::LateVerdict(_)));
        if is_late {
            // What a result was judged by is kept with the result.
            let waits = conn.waits.take();
            let waits = waits.filter(|waits| waits.ask.hook() != Hook::ReadQueryResult);
            conn.io.late = waits.and_then(|waits| waits.held);
        }
        let event = match side {
            Err(What::LateVerdict(verdict)) => Event::Verdict(verdict, None),
            Ok(Side::Client) => Event::Client(incoming.unwrap()),
            Ok(Side::Server) => Event::Server(incoming.unwrap()),
            Err(What::Verdict(verdict)) => Event::Verdict(verdict, incoming),
            Err(What::Plain(event)) => event,
            Err(What::Packet(..)) => unreachable!(),
        };
        let misnumbered = matches!(event, Event::Client(_) | Event::Server(_))
            && held.as_ref().is_some_and(|packet| packet.misnumbered);
        let is_closed = matches!(event, Event::Closed);
        let is_pending = conn.waits.is_some();
        if let (Event::Connected, Some(end)) = (&event, &conn.io.server) {
            end.establish();
        }
        let limit = self.shared.max_kept_bytes;
        let (input, log, servers) = (&mut self.input, &mut self.log, &mut self.ends);
        let mut hands = Hands::new(&mut conn.io, input, log, servers, self.now, limit);
        // A driver may take the short way.
        let short = match &event {
            Event::Server(packet) if self.short => conn.engine.short(packet),
            _ => None,
        };
        if let Some(Short::Pass(id)) = short {
            hands.effect(Effect::Forward { to: Side::Client, id });
        }
        let then = match short {
            Some(_) => Then::Await(Awaits::MoreAnswer),
            None => conn.engine.handle(event, &mut hands),
        };
        let hook = conn.engine.session().lock().map(|session| session.hook);
        let is_over = hook.is_none();
        if !is_over {
            hands.then(then);
        }
        let Hands { asked, awaits, ended, resumed, cancelled, .. } = hands;
        let in_hook = hook.flatten().is_some();
        assert!(in_hook == asked.is_some() || is_pending, "the session is in a hook: {in_hook}");
        // A late verdict may be acted on later still.
        conn.io.is_raw &= is_late || conn.io.late_is_raw;
        conn.io.late_is_raw |= is_late && conn.io.is_raw;
        if let Some(waits) = conn.waits.as_mut() {
            waits.told(resumed, cancelled, conn.io.kept);
        } else {
            assert!(resumed.is_empty() && !cancelled, "nobody waits for {resumed:?}");
        }
        if let Some(awaits) = awaits {
            assert!(!conn.io.is_ending || ends(Some(awaits)), "{awaits:?} behind the last words");
            conn.io.is_ending = ends(Some(awaits));
            conn.at = At::Awaits(awaits);
            conn.io.at_hand = None;
            if awaits == Awaits::Command {
                (conn.io.late, conn.io.chosen) = (None, None);
                (conn.io.is_raw, conn.io.late_is_raw) = (false, false);
            }
        }
        if asked.is_some() {
            conn.io.chosen = None;
        }
        if is_over {
            self.conns[n].waits = None;
            let conn = &mut self.conns[n];
            assert!(awaits.is_none() && asked.is_none(), "something is awaited behind the end");
            assert!(conn.io.server.is_none(), "a server is attached behind the end");
            conn.at = At::Over;
            return (None, None);
        }
        assert!(
            awaits.is_some() || asked.is_some(),
            "nothing follows from the event: {:?}",
            conn.at
        );
        assert!(!is_closed || asked.is_some(), "a connection that is closed goes on");
        let waits = self.conns[n].waits.is_some();
        assert!(!waits || !ends(awaits), "the end comes while the script waits");
        let must_end = std::mem::take(&mut self.conns[n].must_end);
        // While a script waits, the end waits for its verdict; and a lost server is the script's business.
        let is_lost = self.conns[n].io.server.is_none();
        let is_end = ends(awaits) || is_lost || waits && awaits == Some(Awaits::Verdict);
        assert!(!must_end || is_end, "an event that nobody awaits was taken: {awaits:?}");
        assert!(!misnumbered || is_end, "a packet with a wrong id was taken");
        self.check(n, awaits);
        (asked, ended.filter(|_| awaits.is_none_or(|awaits| awaits != Awaits::Abort)))
    }

    /// Ends every connection; then nothing is left.
    fn finish(mut self) -> Report {
        for n in 0..self.conns.len() {
            if self.input.chance(32) {
                self.conns[n].engine.let_go();
                continue;
            }
            let is_ending =
                |at: &At| matches!(at, At::Asked(ask) if ask.hook() == Hook::DisconnectClient);
            self.conns[n].waits = None;
            if !matches!(self.conns[n].at, At::Over) && !is_ending(&self.conns[n].at) {
                self.handle(n, What::Plain(Event::Closed));
            }
            if is_ending(&self.conns[n].at) {
                let verdict = self.decide(n);
                self.handle(n, What::Verdict(verdict));
            }
            self.check_nothing_follows(n);
        }
        let answers =
            self.answers + self.conns.iter().map(|conn| conn.io.client.answers).sum::<u64>();
        self.conns.clear();
        self.check_counts();
        self.check_capacity();
        let (hash, events, handshakes) = (self.log.hash, self.log.events, self.handshakes);
        drop(self.shared);
        assert!(self.ends.iter().all(|end| end.is_closed()), "a server connection was forgotten");
        Report { hash, events, answers, handshakes }
    }
}
