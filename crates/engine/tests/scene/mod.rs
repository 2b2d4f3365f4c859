//! A connection under test, with a driver that writes down what it is told.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::time::Instant;

use doubles::AlwaysUp;
use engine::{
    Address, Awaits, Client, Connecting, Driver, Effect, Engine, Event, Hook, HookSet, Incoming,
    Link, Query, Reply, Session, Settings, Shared, Side, Slot, Then, Verdict,
};
use wire::Capabilities;
use wire::connect::{Handshake, Login};
use wire::reply::StatusFlags;

#[derive(Debug)]
struct QuietLink;

impl Link for QuietLink {
    fn is_quiet(&self) -> bool {
        true
    }

    fn addresses(&self) -> (Address, Address) {
        (Address::default(), Address::default())
    }
}

/// What was sent, and what is awaited.
#[derive(Debug, Default)]
pub struct Seen {
    pub to_client: Vec<Vec<u8>>,
    pub to_server: Vec<Vec<u8>>,
    pub forwarded: Vec<(Side, u8)>,
    pub has_server: bool,
    pub awaits: Option<Awaits>,
}

impl Driver for Seen {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn connect(&mut self, _: usize) -> Connecting {
        Connecting::Done(Box::new(QuietLink))
    }

    fn random(&mut self) -> Option<[u8; 20]> {
        Some([b's'; 20])
    }

    fn effect(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Send { to: Side::Client, payload, .. }
            | Effect::SendPart { to: Side::Client, payload, .. } => {
                self.to_client.push(payload.to_vec());
            }
            Effect::Send { to: Side::Server, payload, .. } => self.to_server.push(payload.to_vec()),
            Effect::Forward { to, id } => self.forwarded.push((to, id)),
            Effect::Attach(link) => self.has_server = link.is_some(),
            _ => {}
        }
    }
}

/// What may be kept of a result, in bytes.
pub const LIMIT: usize = 200;

/// A connection under test.
pub struct Scene {
    pub engine: Engine,
    pub seen: Seen,
}

/// What the server offers.
pub const COMMON: Capabilities = Capabilities::PROTOCOL_41
    .union(Capabilities::LONG_PASSWORD)
    .union(Capabilities::LOCAL_FILES)
    .union(Capabilities::SECURE_CONNECTION)
    .union(Capabilities::PLUGIN_AUTH);

pub const OK: &[u8] = b"\0\0\0\x02\0\0\0";

impl Scene {
    pub fn new(hooks: &[Hook]) -> Self {
        Self::of(Arc::new(Shared::new(Box::new(AlwaysUp(1)), false, LIMIT)), hooks)
    }

    /// A further client of a proxy.
    pub fn of(shared: Arc<Shared>, hooks: &[Hook]) -> Self {
        let session = Slot::new(Session::new(1, Client::default()));
        let hooks = HookSet::from_iter(hooks.iter().copied());
        let engine = Engine::new(session, shared, Settings::default(), hooks);
        Self { engine, seen: Seen::default() }
    }

    pub fn tell(&mut self, event: Event<'_>) {
        match self.engine.handle(event, &mut self.seen) {
            Then::Await(awaits) => self.seen.awaits = Some(awaits),
            Then::Ask(_) => {}
        }
    }

    pub fn client(&mut self, id: u8, payload: &[u8]) {
        self.tell(Event::Client(Incoming::single(id, payload)));
    }

    pub fn server(&mut self, id: u8, payload: &[u8]) {
        self.tell(Event::Server(Incoming::single(id, payload)));
    }

    /// Up to the client's login.
    pub fn greeted(self) -> Self {
        self.greeted_as(b"mysql_native_password", COMMON, COMMON)
    }

    /// The same, with a login that asks for these capabilities of those that are offered, or others.
    pub fn greeted_as(
        mut self,
        method: &[u8],
        offered: Capabilities,
        capabilities: Capabilities,
    ) -> Self {
        self.tell(Event::Accepted);
        self.server(0, &greeting(method, offered));
        self.client(1, &login(method, capabilities));
        self
    }

    /// Up to the first command.
    pub fn logged_in(self) -> Self {
        self.logged_in_with(Capabilities::empty())
    }

    /// The same, with more capabilities than the common ones.
    pub fn logged_in_with(mut self, further: Capabilities) -> Self {
        let capabilities = COMMON | further;
        self = self.greeted_as(b"mysql_native_password", capabilities, capabilities);
        self.server(2, OK);
        self.seen = Seen { has_server: self.seen.has_server, ..Seen::default() };
        self
    }

    /// The client's command is replaced by these queries, whose results the script wants.
    pub fn replaced(&mut self, command: &[u8], queries: &[&[u8]]) {
        self.client(0, command);
        for query in queries {
            self.engine.session().lock().expect("alive").queries.push_back(self::query(query));
        }
        self.tell(Event::Verdict(Verdict::SendQuery, Some(Incoming::single(0, command))));
    }
}

/// What a server says first that offers these capabilities.
pub fn greeting(method: &[u8], capabilities: Capabilities) -> Vec<u8> {
    let greeting = Handshake {
        protocol_version: 10,
        server_version: b"8.0.36".to_vec(),
        thread_id: 1,
        scramble: vec![b's'; 20],
        capabilities,
        charset: 45,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: Some(method.to_vec()),
    };
    greeting.encode().expect("a greeting")
}

/// The login of a client that asks for these.
pub fn login(method: &[u8], capabilities: Capabilities) -> Vec<u8> {
    let login = Login {
        capabilities,
        max_packet_size: 1 << 24,
        charset: 45,
        username: b"ann".to_vec(),
        auth_response: vec![b'a'; 20],
        database: None,
        auth_plugin: Some(method.to_vec()),
        attributes: None,
        zstd_level: None,
    };
    login.encode().expect("a login")
}

/// One whose result the script wants.
pub fn query(packet: &[u8]) -> Query {
    Query::new(1, packet.to_vec(), true, Instant::now()).expect("not empty")
}

pub fn reply(payload: &[u8]) -> Verdict {
    replies(&[payload])
}

pub fn replies(payloads: &[&[u8]]) -> Verdict {
    let payloads = payloads.iter().map(|payload| payload.to_vec()).collect();
    Verdict::SendResult(Reply::from_packets(payloads).expect("not empty"))
}
