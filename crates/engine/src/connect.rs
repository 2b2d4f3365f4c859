//! Choosing a backend and reaching it.

use std::sync::Arc;

use wire::connect::Handshake;

use crate::capacity::Place;
use crate::engine::{Question, Step};
use crate::login_rounds::LoginReason;
use crate::turn::Turn;
use crate::{Awaits, BackendState, Connecting, Hook, Link, Reply, Server, Verdict};

/// A script that calls every backend UP again and again would keep us in a loop: more attempts than this per backend end
/// the client's connection.
const ATTEMPTS_PER_BACKEND: usize = 4;

impl Turn<'_> {
    /// The first try, and every retry.
    pub fn find_server(&mut self) {
        if self.state.connect_attempts == 0 {
            log::debug!("{}: a client from {}", self.name(), self.session.client.src.name);
        }
        if self.shared.observes && self.session.connected_at.is_none() {
            self.session.connected_at = Some(self.driver.now());
        }
        self.shared.backends.recheck();
        match self.state.login.reason {
            LoginReason::Reconnect => self.connect(),
            LoginReason::Chosen(ndx) => self.connect_chosen(ndx),
            LoginReason::Learn(ndx) => self.learn_greetings(ndx + 1),
            LoginReason::Connect | LoginReason::PooledConnection | LoginReason::ChangeUser => {
                self.session.choice = None;
                self.ask(Question::ConnectServer, None);
            }
        }
    }

    pub(crate) fn connect_verdict(&mut self, verdict: Verdict) {
        if let Some(message) = self.rejection(&verdict, Hook::ConnectServer) {
            self.park_server();
            let reply = self.login_error(&format!("pyproxy: {message}"));
            return self.refuse(&reply);
        }
        match verdict {
            Verdict::SendResult(reply) => return self.greet_for_script(&reply),
            Verdict::Greet => return self.greet_without_server(),
            _ => {}
        }
        if self.session.server.is_some() {
            if verdict == Verdict::IgnoreResult && self.attached_backend_takes_clients() {
                return self.greet_from_pool();
            }
            // The index the script chose stays, the pooled connection goes back.
            let choice = self.session.choice;
            self.park_server();
            self.session.choice = choice;
        }
        self.connect();
    }

    fn attached_backend_takes_clients(&self) -> bool {
        let ndx = self.session.server.as_ref().map(|server| server.backend);
        ndx.is_some_and(|ndx| self.shared.backends.takes_clients(ndx))
    }

    /// The server connection goes into the pool, or is closed.
    pub fn park_server(&mut self) {
        self.session.park_server(self.shared, self.driver.now());
        self.sync_server();
    }

    /// Starts a connect to the chosen backend, or to the one with the shortest queue.
    pub fn connect(&mut self) {
        let backends = &*self.shared.backends;
        self.state.connect_attempts += 1;
        if self.state.connect_attempts > ATTEMPTS_PER_BACKEND * backends.len().max(1) {
            log::error!("{}: too many failed connects, giving up", self.name());
            return self.all_down();
        }
        let chosen = self.session.choice.take();
        if chosen.is_some_and(|ndx| ndx >= backends.len()) {
            return self.all_down();
        }
        let takes_clients = |ndx: &usize| backends.takes_clients(*ndx);
        let has_room = |ndx| self.shared.capacity.has_room(ndx);
        let shortest =
            || backends.shortest_queue(&has_room).or_else(|| backends.shortest_queue(&|_| true));
        let Some(ndx) = chosen.filter(takes_clients).or_else(shortest) else {
            return self.all_down();
        };
        match self.place_at(ndx) {
            Some(place) => self.connect_to(place),
            None => self.wait_for_place(ndx),
        }
    }

    /// Starts a connect in this place.
    pub(crate) fn connect_to(&mut self, place: Place) {
        let ndx = place.backend();
        match self.driver.connect(ndx) {
            Connecting::Done(link) => {
                self.session.reach(self.new_server(link, place));
                self.connected();
            }
            Connecting::InProgress(link) => {
                self.session.reach(self.new_server(link, place));
                self.sync_server();
                self.go(Step::Connect, Awaits::Connect);
            }
            Connecting::Failed => {
                self.mark_down(ndx, &self.driver.connect_error());
                self.go(Step::Connect, Awaits::Retry);
            }
        }
    }

    fn new_server(&self, link: Box<dyn Link>, place: Place) -> Server {
        let mut server = Server::new(link, place.backend(), self.driver.now());
        server.place = Some(place);
        if self.state.settings.names_clients {
            server.client = Some(self.session.client.src.clone());
        }
        server
    }

    /// The connect succeeded.
    pub fn connected(&mut self) {
        let Some(server) = self.session.server.as_mut() else { return self.abort() };
        server.connected();
        server.count(&*self.shared.backends);
        let (ndx, since) = (server.backend, server.awaited_since);
        if let Some(backend) = self.shared.stats.backends.get(ndx) {
            backend.connects.observe(self.driver.now().saturating_duration_since(since));
        }
        self.mark_up(ndx);
        self.state.server_ids.restart();
        self.sync_server();
        self.go(Step::Greeting, Awaits::Greeting);
    }

    /// The connect failed: the backend is DOWN, another one is tried. `why` is for the log.
    pub fn connect_failed(&mut self, why: &str) {
        if let Some(ndx) = self.session.server.as_ref().map(|server| server.backend) {
            self.mark_down(ndx, why);
        }
        self.close_server();
        self.go(Step::Connect, Awaits::Retry);
    }

    fn mark_up(&self, ndx: usize) {
        let backends = &*self.shared.backends;
        let name = backends.address(ndx).unwrap_or_default().name;
        if backends.found(ndx, true) {
            log::info!("{}: backend {name} is reachable, marked UP", self.name());
        }
        log::debug!("{}: connected to backend {name}", self.name());
    }

    pub(crate) fn mark_down(&self, ndx: usize, why: &str) {
        if let Some(backend) = self.shared.stats.backends.get(ndx) {
            backend.failures.increment();
        }
        let backends = &*self.shared.backends;
        backends.found(ndx, false);
        let name = backends.address(ndx).unwrap_or_default().name;
        let is_down = backends.state(ndx) == Some(BackendState::Down);
        let marked = if is_down { ", marked DOWN" } else { "" };
        log::warn!("{}: backend {name} is not reachable ({why}){marked}", self.name());
    }

    /// A pooled connection needs no server round: the client gets the handshake that the server once sent.
    fn greet_from_pool(&mut self) {
        let Some(server) = self.session.server.as_ref() else { return self.abort() };
        let (payload, handshake) = (server.handshake_payload.clone(), server.handshake.clone());
        self.session.client.handshake = handshake;
        self.session.choice = None;
        self.send_payload_to_client(&payload);
        self.go(Step::Login, Awaits::Login);
    }

    /// The script answers in place of any server: a handshake makes the proxy itself the server, anything else ends the
    /// connection.
    fn greet_for_script(&mut self, reply: &Reply) {
        self.park_server();
        self.session.choice = None;
        let mut packets = reply.packets().to_vec();
        let own = self.state.settings.own_offer();
        let handshake = packets.first_mut().filter(|_| !reply.is_error()).and_then(|payload| {
            Handshake::offer(payload, own).ok()?;
            Handshake::parse(payload).ok()
        });
        if let Some(reply) = Reply::from_packets(packets) {
            self.send_to_client(&reply);
        }
        match handshake {
            Some(handshake) => {
                self.session.client.handshake = Some(Arc::new(handshake));
                self.go(Step::Login, Awaits::Login);
            }
            None => self.close(),
        }
    }

    pub(crate) fn all_down(&mut self) {
        let reply = self.login_error("(proxy) all backends are down");
        self.refuse(&reply);
    }
}
