//! What must hold after every event.

use std::sync::Arc;

use engine::{Awaits, Backends, Event, Hook, Incoming, Side, Verdict};

use super::packets;
use super::script::end_of;
use super::server::Phase;
use super::{Conn, What, World, ends};

impl World<'_> {
    /// Behind an event of connection `n` that ended in this.
    pub(super) fn check(&mut self, n: usize, awaits: Option<Awaits>) {
        let conn = &mut self.conns[n];
        let hook = conn.engine.session().lock().and_then(|session| session.hook);
        let is_end = ends(awaits)
            || hook == Some(Hook::DisconnectClient)
            || conn.waits.as_ref().is_some_and(|waits| waits.cancelled);
        let client = &mut conn.io.client;
        let surprise = client.surprised.take();
        assert!(
            surprise.is_none() || is_end,
            "the client got {surprise:02x?} although it waits for nothing: {client:?}"
        );
        match awaits {
            Some(Awaits::Command) => {
                self.conns[n].io.client.may_speak();
                self.check_user(n);
            }
            Some(Awaits::Answer { .. } | Awaits::MoreAnswer | Awaits::FileAnswer) => {
                assert!(self.conns[n].io.server.is_some(), "nobody is there to answer");
            }
            _ => {}
        }
        self.check_counts();
        self.check_servers();
    }

    /// A server is attached to one client only, and while nothing happens the driver knows to which.
    pub(super) fn check_servers(&self) {
        let attached = |conn: &Conn| conn.io.server.as_ref().map(Arc::as_ptr);
        let mut servers: Vec<_> = self.conns.iter().filter_map(attached).collect();
        let count = servers.len();
        servers.sort_unstable();
        servers.dedup();
        assert_eq!(servers.len(), count, "a server is attached to two clients");
        for conn in &self.conns {
            let session = conn.engine.session().lock();
            let server = session.as_deref().and_then(end_of);
            // It may not have been told what a waiting script did.
            let known = conn.waits.is_some() || server.as_ref().map(Arc::as_ptr) == attached(conn);
            assert!(known, "the driver has another server than the session");
        }
    }

    /// The server that a command will go to is logged in, as the user that the client logged in as.
    fn check_user(&self, n: usize) {
        let session = self.conns[n].engine.session().lock().unwrap();
        let model = &self.conns[n].io.client;
        if !model.lied {
            let (seen, meant) = (session.client.capabilities(), model.capabilities());
            let form = packets::DIALECT;
            assert_eq!(seen & form, meant & form, "a client is taken for one of another dialect");
        }
        let Some(end) = end_of(&session) else { return };
        let state = end.state();
        if state.lied || state.hung_up {
            return;
        }
        assert_eq!(state.phase, Phase::Ready, "a command is awaited, but the server is not ready");
        assert!(state.pending.is_empty(), "a command is awaited, but the server is not done");
        if state.user_by_script {
            return;
        }
        let client = &session.client;
        let login = client.login.as_ref().map(|login| login.username.clone());
        let user = client.server_user.clone().or(login);
        assert_eq!(Some(&state.user), user.as_ref(), "the server knows another user");
    }

    /// Each backend counts the connections that it is attached to.
    pub(super) fn check_counts(&self) {
        let mut counts = [0; 4];
        for conn in &self.conns {
            let session = conn.engine.session().lock();
            let Some(session) = session.as_deref() else { continue };
            let established = end_of(session).is_some_and(|end| end.is_established());
            if let Some(server) = session.server.as_ref().filter(|_| established) {
                counts[server.backend] += 1;
            }
        }
        for (ndx, count) in counts.into_iter().enumerate().take(self.backends.len()) {
            let counted = self.backends.connected_clients(ndx);
            assert_eq!(counted, Some(count), "clients of backend {ndx}");
            let (open, limit) = (self.shared.capacity.open(ndx), self.shared.capacity.limit(ndx));
            assert!(limit == 0 || open <= limit, "{open} connections to backend {ndx}");
        }
    }

    /// Behind all connections there are the idle ones, and nobody stands in line.
    pub(super) fn check_capacity(&self) {
        assert_eq!(self.shared.capacity.waiting(), 0, "somebody stands in line");
        for ndx in 0..self.backends.len() {
            let idle = self.shared.pool().of(ndx).idle_count(None, self.now);
            assert_eq!(self.shared.capacity.open(ndx), idle, "connections to backend {ndx}");
        }
    }

    /// Nobody speaks: that may be only where somebody broke the rules.
    pub(super) fn check_silence(&self, n: usize, awaits: Awaits) {
        let io = &self.conns[n].io;
        let lied = io.server.as_ref().is_some_and(|end| end.state().lied);
        let excused = lied || io.client.lied || io.client.is_lost || io.client.is_exempt;
        assert!(excused, "{awaits:?}, but nobody will speak: {io:?}");
    }

    /// Behind the end nothing has an effect.
    pub(super) fn check_nothing_follows(&mut self, n: usize) {
        let packet = Incoming::single(0, b"\x03SELECT 1");
        let what = match self.input.below(6) {
            0 => What::Plain(Event::Ended(Side::Client)),
            1 => What::Plain(Event::TimedOut),
            2 => What::Plain(Event::Closed),
            3 => What::Plain(Event::Connected),
            4 => What::Verdict(Verdict::Proceed),
            _ => What::Packet(
                Side::Client,
                packets::Packet::new(packet.id, packet.payload.to_vec()),
                super::Origin::Client { is_command: true },
            ),
        };
        let hash = self.log.hash;
        self.hand_over(n, what);
        assert_eq!(hash, self.log.hash, "an effect behind the end");
    }
}
