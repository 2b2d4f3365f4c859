//! What the engine wants, done in memory.

use std::sync::Arc;
use std::time::Instant;

use engine::{Connecting, Driver, Effect, Incoming, Outcome, QueryId, Side};
use pyo3::prelude::*;

use super::address;
use super::client::ClientEnd;
use super::payloads::{self, Joiner};
use super::process::Process;
use super::server::{ServerEnd, ServerLink};

/// Our end of the first connection of a server has the port behind this one.
const OWN_PORTS: u16 = 40_000;

/// A packet that arrived, a command with all its parts, until it is passed on or dropped.
#[derive(Debug)]
pub struct Packet {
    id: u8,
    first: Vec<u8>,
    rest: Vec<Vec<u8>>,
}

impl Packet {
    /// A single one.
    pub fn single(id: u8, payload: Vec<u8>) -> Self {
        Self { id, first: payload, rest: Vec::new() }
    }

    /// A command.
    pub fn command(payload: &[u8]) -> Self {
        let mut packets = payloads::packets(payload).map(<[u8]>::to_vec);
        Self { id: 0, first: packets.next().unwrap_or_default(), rest: packets.collect() }
    }

    /// Shows it to `f` as the engine sees it.
    pub fn show<R>(&self, f: impl FnOnce(Incoming<'_>) -> R) -> R {
        let rest: Vec<_> = self.rest.iter().map(Vec::as_slice).collect();
        f(Incoming { id: self.id, payload: &self.first, rest: &rest })
    }
}

/// What is on its way to a server, until the engine is done with the event.
#[derive(Debug)]
struct Parcel {
    to: Arc<ServerEnd>,
    payload: Vec<u8>,
    next_id: u8,
}

/// What a waiting script is told.
#[derive(Debug)]
pub enum ForScript {
    /// What became of a query of it.
    Resume(QueryId, Outcome),
    /// It is to come to its end.
    Cancel,
}

/// The two ends of a connection.
#[derive(Debug)]
pub struct Io {
    process: Py<Process>,
    /// Has a method `connect(ndx)`.
    owner: Py<PyAny>,
    /// The client's.
    pub client: ClientEnd,
    /// That of the server which is attached.
    pub server: Option<Arc<ServerEnd>>,
    /// The packet that the present event is about.
    pub at_hand: Option<Arc<Packet>>,
    /// A peer turned out to be gone.
    pub ended: Option<Side>,
    /// What the waiting script is to be told.
    pub for_script: Vec<ForScript>,
    /// What went wrong outside of the proxy.
    error: Option<PyErr>,
    joiner: Joiner,
    parcels: Vec<Parcel>,
}

impl Io {
    /// For a client of `process`; `owner` knows the fake servers.
    pub fn new(process: Py<Process>, owner: Py<PyAny>) -> Self {
        Self {
            process,
            owner,
            client: ClientEnd::default(),
            server: None,
            at_hand: None,
            ended: None,
            for_script: Vec::new(),
            error: None,
            joiner: Joiner::default(),
            parcels: Vec::new(),
        }
    }

    /// Delivers what was sent to servers, which answer at once. Not while the engine works: a fake server may run code of
    /// the test.
    pub fn deliver(&mut self, py: Python<'_>) -> PyResult<()> {
        for Parcel { to, payload, next_id } in std::mem::take(&mut self.parcels) {
            to.deliver(py, &payload, next_id)?;
        }
        self.error.take().map_or(Ok(()), Err)
    }

    fn send_packet_to_server(&mut self, id: u8, packet: &[u8]) {
        if let (Some(payload), Some(server)) = (self.joiner.push(packet), &self.server) {
            let next_id = id.wrapping_add(1);
            self.parcels.push(Parcel { to: Arc::clone(server), payload, next_id });
        }
    }

    fn forward(&mut self, to: Side, mut id: u8) {
        let Some(packet) = self.at_hand.take() else { return };
        for part in std::iter::once(&packet.first).chain(&packet.rest) {
            match to {
                Side::Client => self.client.send_packet(id, part),
                Side::Server => self.send_packet_to_server(id, part),
            }
            id = id.wrapping_add(1);
        }
    }

    /// `None` if the server is down.
    fn reach(&self, py: Python<'_>, ndx: usize) -> PyResult<Option<ServerLink>> {
        let connection = self.owner.bind(py).call_method1("connect", (ndx,))?;
        if connection.is_none() {
            return Ok(None);
        }
        let greeting: Option<Vec<u8>> = connection.call_method0("greeting")?.extract()?;
        let number: u16 = connection.getattr("thread_id")?.extract()?;
        let src = address::local(OWN_PORTS.wrapping_add(number));
        let dst = self.process.get().shared.backends.address(ndx).unwrap_or_default();
        let end = ServerEnd::new(&connection, greeting, src, dst)?;
        Ok(Some(ServerLink::new(end)))
    }
}

impl Driver for Io {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn connect(&mut self, ndx: usize) -> Connecting {
        match Python::attach(|py| self.reach(py, ndx)) {
            Ok(Some(link)) => Connecting::Done(Box::new(link)),
            Ok(None) => Connecting::Failed,
            Err(error) => {
                self.error = Some(error);
                Connecting::Failed
            }
        }
    }

    fn connect_error(&self) -> String {
        // As Linux says it of a server that does not run.
        "Connection refused (os error 111)".to_owned()
    }

    fn random(&mut self) -> Option<[u8; 20]> {
        // Tests are to be repeatable.
        Some(*b"a challenge to tests")
    }

    fn effect(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Forward { to, id } => self.forward(to, id),
            Effect::Send { to: Side::Client, id, payload } => self.client.send(id, payload),
            Effect::SendPart { to: Side::Client, id, payload } => {
                self.client.send_packet(id, payload);
            }
            Effect::Send { to: Side::Server, id, payload } => {
                let ids = (0..=u8::MAX).cycle().skip(id.into());
                for (packet, id) in payloads::packets(payload).zip(ids) {
                    self.send_packet_to_server(id, packet);
                }
            }
            Effect::SendPart { to: Side::Server, id, payload } => {
                self.send_packet_to_server(id, payload);
            }
            Effect::SendForeign(bytes) => self.client.send_foreign(bytes),
            Effect::Attach(link) => self.server = link.and_then(ServerLink::end),
            Effect::FlushServer | Effect::Look(Side::Server) => {
                if self.server.as_ref().is_none_or(|server| server.has_hung_up()) {
                    self.ended = Some(Side::Server);
                }
            }
            Effect::Discard(Side::Server) => match &self.server {
                Some(server) if !server.has_hung_up() => server.discard(),
                _ => self.ended = Some(Side::Server),
            },
            // The client says one thing at a time, and tells when it leaves.
            Effect::Discard(Side::Client) | Effect::Look(Side::Client) => {}
            // What is sent is there at once.
            Effect::Flush | Effect::Trim => {}
            Effect::Resume { id, outcome } => self.for_script.push(ForScript::Resume(id, outcome)),
            Effect::Cancel => self.for_script.push(ForScript::Cancel),
            // The settings ask for neither TLS nor compression.
            Effect::StartTls(_) | Effect::Compress { .. } | Effect::NewExchange(_) => {}
        }
    }
}
