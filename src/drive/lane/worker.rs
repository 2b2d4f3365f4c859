//! A thread that serves connections.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::Event;
use mio::unix::SourceFd;
use mio::{Events, Poll, Registry, Token, Waker};
use slab::Slab;

use super::connection::{Connection, Fate};
use super::front::{Front, LISTENER};
use super::inbox::{Inbox, Order};
use super::limits::{Admitted, admit};
use super::timers::Timers;
use super::tools::{Tools, owner};
use super::waiting::Letter;
use crate::boundary::guard;
use crate::chassis::fork;
use crate::drive::Context;

const WAKER: Token = Token(usize::MAX - 1);
/// What one look at the poll brings at most.
const EVENTS: usize = 256;
/// Clients that are accepted before connections have their turn again.
const ACCEPTS_PER_TURN: usize = 64;
/// How long the listener is left alone when there are no descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How long hooks that wait may take to end when the time for commands is over: a little more than a coroutine gets.
const HURRY: Duration = Duration::from_secs(6);

/// The thread's own.
pub struct Worker {
    poll: Poll,
    tools: Tools,
    timers: Timers,
    connections: Slab<Connection>,
    /// Connections that have more to do.
    again: Vec<usize>,
    inbox: Arc<Inbox>,
    /// The first thread accepts clients, and gives each thread its share.
    front: Option<Front>,
    /// When connections that are not idle are closed, too.
    ends_at: Option<Instant>,
    drain: Duration,
    /// Hooks that wait were cancelled.
    hurries: bool,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.inbox.end();
    }
}

impl Worker {
    /// A worker that waits to be run. `drain`: how long commands may go on when it is asked to stop.
    pub fn new(ctx: &'static Context, drain: Duration) -> io::Result<Self> {
        let poll = Poll::new()?;
        fork::remember(std::os::fd::AsRawFd::as_raw_fd(&poll));
        let waker = Waker::new(poll.registry(), WAKER)?;
        let inbox = Arc::new(Inbox::new(waker));
        let tools = Tools::new(ctx, poll.registry().try_clone()?, Arc::clone(&inbox));
        Ok(Self {
            poll,
            tools,
            timers: Timers::default(),
            connections: Slab::new(),
            again: Vec::new(),
            inbox,
            front: None,
            ends_at: None,
            drain,
            hurries: false,
        })
    }

    /// How to reach it.
    pub fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Where its sockets are watched.
    pub fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    /// Serves until it is asked to stop.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.is_done() {
            let now = Instant::now();
            if let Some(counts) = &self.tools.counts {
                counts.round(self.tools.woke_at, now);
            }
            let wait = self.wait(now);
            if let Err(e) = self.poll.poll(&mut events, wait)
                && e.kind() != io::ErrorKind::Interrupted
            {
                log::error!("a thread ends, its sockets cannot be watched: {e}");
                return;
            }
            let now = Instant::now();
            self.tools.woke_at = now;
            for key in std::mem::take(&mut self.again) {
                self.turn(key, |_, _| ());
            }
            let mut is_called = false;
            for event in &events {
                match event.token() {
                    WAKER => is_called = true,
                    LISTENER => self.accept(now),
                    token => {
                        let (key, side) = owner(token);
                        self.turn(key, |connection, _| connection.ready(side, event));
                    }
                }
            }
            self.accept_again(now);
            if is_called {
                self.empty_inbox(now);
            }
            while let Some(key) = self.timers.pop(now) {
                self.timer(key, now);
            }
            if self.inbox.is_stopping() {
                self.stop(now);
            }
        }
    }

    /// Whoever put something into the inbox called for it, behind that.
    fn empty_inbox(&mut self, now: Instant) {
        for order in self.inbox.take_orders() {
            match order {
                Order::Accept(front) => {
                    self.front = Some(*front);
                    // The poll may have told of clients before.
                    self.accept(now);
                }
                Order::Leave(done) => {
                    self.leave_front();
                    // Whoever asked may have gone.
                    _ = done.send(());
                }
            }
        }
        for client in self.inbox.take() {
            self.add(client);
        }
        for letter in self.inbox.take_letters() {
            self.deliver(letter);
        }
        if self.inbox.take_leave() {
            let all: Vec<_> = self.connections.iter().map(|(key, _)| key).collect();
            for key in all {
                self.turn(key, |_, _| ());
            }
        }
    }

    fn wait(&self, now: Instant) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let pause = self.front.as_ref().and_then(|front| front.paused_until);
        let others = [pause, self.ends_at].into_iter().flatten();
        let others = others.map(|at| at.saturating_duration_since(now));
        others.chain(self.timers.wait(now)).min()
    }

    fn is_done(&self) -> bool {
        self.ends_at.is_some() && self.connections.is_empty()
    }

    fn accept_again(&mut self, now: Instant) {
        let paused = self.front.as_ref().and_then(|front| front.paused_until);
        if paused.is_some_and(|until| until <= now) {
            self.accept(now);
        }
    }

    /// Accepts who waits. The poll tells of the listener once: if not all are taken now, they are at the next turn.
    fn accept(&mut self, now: Instant) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(front) = &mut self.front else { return };
            front.paused_until = None;
            match front.listener.accept() {
                Ok(None) => return,
                Ok(Some(client)) => {
                    let Some(client) = admit(client, self.tools.ctx) else { continue };
                    front.next = (front.next + 1) % front.inboxes.len();
                    match front.inboxes.get(front.next) {
                        Some(inbox) if !Arc::ptr_eq(inbox, &self.inbox) => inbox.give(client),
                        _ => self.add(client),
                    }
                }
                Err(e) => {
                    log::error!("a client cannot be accepted: {e}");
                    front.paused_until = Some(now + PAUSE);
                    return;
                }
            }
        }
        if let Some(front) = &mut self.front {
            front.paused_until = Some(now);
        }
    }

    fn add(&mut self, client: Admitted) {
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        match guard(|| Some(Connection::new(key, client, &mut self.tools)), || None) {
            Some(Ok(connection)) => {
                entry.insert(connection);
                self.turn(key, |_, _| ());
            }
            Some(Err(e)) => log::error!("a client cannot be watched: {e}"),
            None => {}
        }
    }

    fn deliver(&mut self, Letter { key, id, message }: Letter) {
        if self.connections.get(key).is_some_and(|connection| connection.id == id) {
            self.turn(key, |connection, tools| connection.letter(message, tools));
        }
    }

    fn timer(&mut self, key: usize, now: Instant) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.is_late(now, &mut self.timers) {
            self.turn(key, |connection, tools| connection.timed_out(now, tools));
        }
    }

    /// One connection's turn. A panic ends it, and nobody else's.
    fn turn(&mut self, key: usize, first: impl FnOnce(&mut Connection, &mut Tools)) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let tools = &mut self.tools;
        let fate = guard(
            || {
                first(connection, tools);
                let mut fate = connection.run(tools);
                if fate == Fate::Waits && connection.leave_backend(tools) {
                    fate = connection.run(tools);
                }
                connection.set_deadline(tools, &mut self.timers);
                if let Some(counts) = &tools.counts {
                    connection.io.count_traffic(counts);
                }
                Some(fate)
            },
            || None,
        );
        match fate {
            Some(Fate::Waits) => {}
            Some(Fate::Again) => self.again.push(key),
            Some(Fate::Over) => self.close(key),
            None => self.after_panic(key),
        }
    }

    fn close(&mut self, key: usize) {
        let Some(mut connection) = self.connections.try_remove(key) else { return };
        let tools = &mut self.tools;
        guard(|| connection.end(tools), || ());
        guard(|| connection.let_go(tools), || ());
    }

    fn after_panic(&mut self, key: usize) {
        let Some(mut connection) = self.connections.try_remove(key) else { return };
        let tools = &mut self.tools;
        guard(|| connection.apologize(), || ());
        guard(|| connection.let_go(tools), || ());
    }

    /// Takes no more clients.
    fn leave_front(&mut self) {
        if let Some(front) = self.front.take() {
            let fd = front.listener.fd();
            _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
    }

    /// Takes no more clients, and sends away who is at rest; in the end everybody.
    fn stop(&mut self, now: Instant) {
        self.leave_front();
        let mut ends_at = *self.ends_at.get_or_insert(now + self.drain);
        if now >= ends_at && !self.hurries {
            // Whoever waits for something in a hook gets the time to give up.
            self.hurries = true;
            let waiting = self.keys_of(Connection::is_waiting);
            if !waiting.is_empty() {
                ends_at = now + HURRY;
                self.ends_at = Some(ends_at);
            }
            for key in waiting {
                self.turn(key, |connection, tools| connection.hurry(Event::ShutDown, tools));
            }
        }
        for key in self.keys_of(Connection::is_at_rest) {
            self.turn(key, Connection::shut_down);
        }
        let hurries = self.hurries;
        for key in self.keys_of(|it| now >= ends_at || hurries && !it.is_waiting()) {
            self.turn(key, Connection::shut_down);
            // It may not take what it is told.
            self.close(key);
        }
    }

    fn keys_of(&self, is_meant: impl Fn(&Connection) -> bool) -> Vec<usize> {
        let meant = self.connections.iter().filter(|(_, connection)| is_meant(connection));
        meant.map(|(key, _)| key).collect()
    }
}
