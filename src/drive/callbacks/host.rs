//! What the engine wants, done with the host's sockets and queues.

use std::any::Any;
use std::io;
use std::time::Instant;

use engine::{Connecting, Driver, Effect, Link, Side};

use super::packet_at_hand::AtHand;
use crate::boundary::HostCall;
use crate::chassis::socket::Connect;
use crate::chassis::{Backends, Con, OwnedSocket, Packet, Socket, fork, release_memory};

/// One callback in progress.
pub struct Host<'h> {
    call: &'h HostCall,
    /// The host's view of the connection.
    pub con: Con<'h>,
    /// The client's socket.
    pub client: Socket<'h>,
    backends: &'h Backends,
    /// The packet at hand is to be passed on; what was sent behind it waits until it is.
    forward: Option<(Side, u8)>,
    behind: Vec<(Side, Packet, u8)>,
    /// A peer turned out to be gone.
    pub ended: Option<Side>,
    /// Why a connect failed.
    pub connect_error: Option<io::Error>,
    /// What was sent to the client shall reach it first.
    pub flush: bool,
}

impl<'h> Host<'h> {
    /// For the callback of `call`.
    pub fn new(
        call: &'h HostCall,
        con: Con<'h>,
        client: Socket<'h>,
        backends: &'h Backends,
    ) -> Self {
        Self {
            call,
            con,
            client,
            backends,
            forward: None,
            behind: Vec::new(),
            ended: None,
            connect_error: None,
            flush: false,
        }
    }

    /// The server's socket, if a server is attached.
    pub fn server(&self) -> Option<Socket<'_>> {
        self.con.server()
    }

    fn socket(&self, side: Side) -> Option<Socket<'_>> {
        match side {
            Side::Client => Some(self.client),
            Side::Server => self.server(),
        }
    }

    /// Passes the packet at hand on if the engine said so, and then what was sent behind it. Gives it back otherwise.
    #[inline(always)]
    pub fn pass_on(&mut self, at_hand: AtHand) -> Option<AtHand> {
        let Some((to, id)) = self.forward.take() else { return Some(at_hand) };
        if let Some(socket) = self.socket(to) {
            at_hand.pass(socket, id);
        }
        if !self.behind.is_empty() {
            self.send_behind();
        }
        None
    }

    #[cold]
    fn send_behind(&mut self) {
        for (to, chunk, last_id) in std::mem::take(&mut self.behind) {
            if let Some(socket) = self.socket(to) {
                socket.append_chunk(chunk, last_id);
            }
        }
    }

    fn send(&mut self, to: Side, chunk: Packet, last_id: u8) {
        if self.forward.is_some() {
            self.behind.push((to, chunk, last_id));
        } else if let Some(socket) = self.socket(to) {
            socket.append_chunk(chunk, last_id);
        }
    }

    /// The socket behind a link, if it is one of ours.
    fn socket_of(link: &dyn Link) -> Option<&OwnedSocket> {
        let link: &dyn Any = link;
        link.downcast_ref()
    }
}

impl Driver for Host<'_> {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn connect(&mut self, ndx: usize) -> Connecting {
        let backend = self.backends.get(ndx);
        let Some(socket) = backend.and_then(|backend| backend.new_socket()) else {
            return Connecting::Failed;
        };
        let outcome = socket.connect();
        fork::remember(socket.view(self.call).fd());
        match outcome {
            Connect::Done => Connecting::Done(Box::new(socket)),
            Connect::InProgress => Connecting::InProgress(Box::new(socket)),
            Connect::Failed => Connecting::Failed,
        }
    }

    fn connect_error(&self) -> String {
        match &self.connect_error {
            Some(error) => error.to_string(),
            // mysql-proxy has written it.
            None => "see the line before".to_owned(),
        }
    }

    fn random(&mut self) -> Option<[u8; 20]> {
        transport::password::random()
    }

    fn effect(&mut self, effect: Effect<'_>) {
        match effect {
            Effect::Forward { to, id } => self.forward = Some((to, id)),
            Effect::Send { to, id, payload } => {
                let (chunk, last_id) = Packet::framed(payload, id);
                self.send(to, chunk, last_id);
            }
            Effect::SendPart { to, id, payload } => {
                self.send(to, Packet::from_payload(payload, id), id);
            }
            Effect::SendForeign(bytes) => self.send(Side::Client, Packet::from_bytes(bytes), 0),
            Effect::Attach(link) => self.con.set_server(link.and_then(Self::socket_of)),
            Effect::Flush => self.flush = true,
            Effect::FlushServer => {
                let taken = self.server().is_some_and(|server| self.con.write_now(server));
                if !taken {
                    self.ended = Some(Side::Server);
                }
            }
            Effect::Discard(side) => {
                if !self.socket(side).is_some_and(|socket| socket.discard_input()) {
                    self.ended = Some(side);
                }
            }
            Effect::Look(side) => {
                if self.socket(side).is_none_or(|socket| socket.has_hung_up()) {
                    self.ended = Some(side);
                }
            }
            Effect::Trim => release_memory(),
            // The settings ask for neither TLS nor compression, and scripts do not wait.
            Effect::StartTls(_) | Effect::Compress { .. } | Effect::NewExchange(_) => {}
            Effect::Resume { .. } | Effect::Cancel => {}
        }
    }
}
