//! A thread that serves connections.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::connection::{Connection, Fate};
use super::io::{Tools, owner};
use super::limits::{Admitted, admit};
use super::listener::Listener;
use super::timers::Timers;
use super::waiting::Letter;
use crate::boundary::guard;
use crate::chassis::fork;
use crate::drive::Context;

const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
/// What one look at the poll brings at most.
const EVENTS: usize = 256;
/// Clients that are accepted before connections have their turn again.
const ACCEPTS_PER_TURN: usize = 64;
/// How long the listener is left alone when there are no descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How long hooks that wait may take to end when the time for commands is over: a little more than a coroutine gets.
const HURRY: Duration = Duration::from_secs(6);

/// How other threads reach a worker.
#[derive(Debug)]
pub struct Inbox {
    waker: Waker,
    clients: Mutex<VecDeque<Admitted>>,
    letters: Mutex<VecDeque<Letter>>,
    /// A backend is one that clients leave from now on.
    leaving: AtomicBool,
    stopping: AtomicBool,
}

impl Inbox {
    /// Gives the worker a client to serve.
    fn give(&self, client: Admitted) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).push_back(client);
        self.wake();
    }

    /// Leaves a letter for one of its connections.
    pub fn post(&self, letter: Letter) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = letters.is_empty();
        letters.push_back(letter);
        drop(letters);
        if is_first {
            self.wake();
        }
    }

    fn take_letters(&self) -> VecDeque<Letter> {
        std::mem::take(&mut self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> VecDeque<Admitted> {
        std::mem::take(&mut self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has each connection look whether it is to leave its backend.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
        self.wake();
    }

    /// Asks the worker to end: it takes no more clients, and closes connections as soon as they are idle.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        if let Err(e) = self.waker.wake() {
            log::error!("a thread cannot be woken: {e}");
        }
    }
}

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

/// What accepts clients.
pub struct Front {
    /// The socket.
    pub listener: Listener,
    /// All threads, this one as well.
    pub inboxes: Vec<Arc<Inbox>>,
    next: usize,
    paused_until: Option<Instant>,
}

impl Front {
    /// For these threads.
    pub fn new(listener: Listener, inboxes: Vec<Arc<Inbox>>) -> Self {
        Self { listener, inboxes, next: 0, paused_until: None }
    }
}

impl Worker {
    /// A worker that waits to be run. `drain`: how long commands may go on when it is asked to stop.
    pub fn new(ctx: &'static Context, drain: Duration) -> io::Result<Self> {
        let poll = Poll::new()?;
        fork::remember(std::os::fd::AsRawFd::as_raw_fd(&poll));
        let waker = Waker::new(poll.registry(), WAKER)?;
        let inbox = Arc::new(Inbox {
            waker,
            clients: Mutex::default(),
            letters: Mutex::default(),
            leaving: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        });
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

    /// It is the one that accepts.
    pub fn accept_with(&mut self, front: Front) -> io::Result<()> {
        let fd = front.listener.fd();
        self.poll.registry().register(&mut SourceFd(&fd), LISTENER, Interest::READABLE)?;
        self.front = Some(front);
        Ok(())
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
                self.empty_inbox();
            }
            while let Some(key) = self.timers.pop(now) {
                self.timer(key, now);
            }
            if self.inbox.stopping.load(Ordering::Acquire) {
                self.stop(now);
            }
        }
    }

    /// Whoever put something into the inbox called for it, behind that.
    fn empty_inbox(&mut self) {
        for client in self.inbox.take() {
            self.add(client);
        }
        for letter in self.inbox.take_letters() {
            self.deliver(letter);
        }
        if self.inbox.leaving.swap(false, Ordering::Acquire) {
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

    /// Takes no more clients, and closes who is idle; in the end everybody.
    fn stop(&mut self, now: Instant) {
        if let Some(front) = self.front.take() {
            let fd = front.listener.fd();
            _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
        let mut ends_at = *self.ends_at.get_or_insert(now + self.drain);
        if now >= ends_at && !self.hurries {
            // Whoever waits for something in a hook gets the time to give up.
            self.hurries = true;
            let waiting =
                |(key, connection): (usize, &Connection)| connection.is_waiting().then_some(key);
            let waiting: Vec<_> = self.connections.iter().filter_map(waiting).collect();
            if !waiting.is_empty() {
                ends_at = now + HURRY;
                self.ends_at = Some(ends_at);
            }
            for key in waiting {
                self.turn(key, |connection, tools| connection.hurry(tools));
            }
        }
        let hurries = self.hurries;
        let idle = |(key, connection): (usize, &Connection)| {
            let is_over =
                now >= ends_at || connection.is_idle() || hurries && !connection.is_waiting();
            is_over.then_some(key)
        };
        let over: Vec<_> = self.connections.iter().filter_map(idle).collect();
        for key in over {
            self.close(key);
        }
    }
}
