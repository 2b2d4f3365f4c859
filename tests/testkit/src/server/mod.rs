//! A server that speaks packets by hand: what a connection does is a closure of the test.

pub mod auth;
pub mod conn;
pub mod greeting;
pub mod login_server;
pub mod relay;
mod stream;
pub mod unreachable;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::ports::free_listener;
use crate::proto::packet::Packet;
use crate::wait::{PATIENCE, eventually};
use conn::ServerConn;
use stream::{Address, Listener, Stream};

/// What the server saw of one connection.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Packets received, in order.
    pub packets: Vec<Packet>,
    /// Whether the connection is over, from either side.
    pub ended: bool,
}

impl Seen {
    /// Payloads of the commands (packets with id 0) received.
    pub fn commands(&self) -> Vec<&[u8]> {
        let commands = self.packets.iter().filter(|packet| packet.id == 0);
        commands.map(|packet| packet.payload.as_slice()).collect()
    }
}

/// State shared by the acceptor, the connections and the test.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    seen: Mutex<Vec<Seen>>,
    failures: Mutex<Vec<String>>,
    streams: Mutex<Vec<Stream>>,
    stopping: AtomicBool,
}

impl Shared {
    /// The records, also after a panic of a thread that held them.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A scripted server, usually on a free loopback port. Dropping it closes everything.
#[derive(Debug)]
pub struct RawServer {
    address: Address,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Starts on a free port. `behaviour` runs once per connection, each in its own thread; when it
    /// returns, the connection closes. An `Err` (usually: the peer left) ends it silently; a panic
    /// fails the test when the server is dropped.
    pub fn start(
        behaviour: impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Listener::Tcp(free_listener()), behaviour)
    }

    /// Starts on this port, for a backend that comes back.
    pub fn start_on(
        port: u16,
        behaviour: impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        Self::start_with(Listener::Tcp(listener.expect("the port is free")), behaviour)
    }

    /// Starts on a unix socket, which must not exist.
    pub fn start_unix(
        path: &Path,
        behaviour: impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(path).expect("the path is free");
        Self::start_with(Listener::Unix(listener), behaviour)
    }

    fn start_with(
        listener: Listener,
        behaviour: impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.address();
        let shared = Arc::new(Shared::default());
        let state = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &state, &Arc::new(behaviour)));
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    ///
    /// # Panics
    /// If that is a unix socket.
    pub fn address(&self) -> SocketAddr {
        self.address.tcp().expect("a server on a TCP port")
    }

    /// The unix socket on which it listens.
    ///
    /// # Panics
    /// If that is a TCP port.
    pub fn socket(&self) -> &Path {
        self.address.path().expect("a server on a unix socket")
    }

    /// What was seen so far, one entry per connection in order of arrival.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen().clone()
    }

    /// Waits until `condition` holds for what was seen, and returns it.
    ///
    /// # Panics
    /// If it does not come to hold in [`PATIENCE`].
    pub fn wait_until(&self, condition: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let held = eventually(PATIENCE, || condition(&self.shared.seen()));
        assert!(held, "the server saw only {:?}", self.seen());
        self.seen()
    }

    /// Waits until every connection that was made is over, and returns what was seen.
    ///
    /// # Panics
    /// If one stays open for [`PATIENCE`].
    pub fn wait_all_ended(&self) -> Vec<Seen> {
        self.wait_until(|seen| seen.iter().all(|one| one.ended))
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor; it then ends all connections and waits for their threads.
        self.address.knock();
        let acceptor = self.acceptor.take().expect("taken only here");
        let joined = acceptor.join();
        if !thread::panicking() {
            joined.expect("the acceptor does not panic");
            let failures = self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(failures.is_empty(), "in the scripted server: {failures:?}");
        }
    }
}

fn accept<F>(listener: &Listener, shared: &Arc<Shared>, behaviour: &Arc<F>)
where
    F: Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
{
    let mut workers = Vec::new();
    loop {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = accepted else { continue };
        let number = {
            let mut seen = shared.seen();
            seen.push(Seen::default());
            seen.len() - 1
        };
        let copy = stream.duplicate().expect("a socket can be duplicated");
        shared.streams.lock().expect("stream list").push(copy);
        let shared = Arc::clone(shared);
        let behaviour = Arc::clone(behaviour);
        workers.push(thread::spawn(move || serve(stream, number, &shared, &*behaviour)));
    }
    for stream in shared.streams.lock().expect("stream list").iter() {
        let _ = stream.shutdown();
    }
    for worker in workers {
        let _ = worker.join();
    }
}

fn serve(
    stream: Stream,
    number: usize,
    shared: &Arc<Shared>,
    behaviour: &impl Fn(&mut ServerConn) -> io::Result<()>,
) {
    let mut conn = ServerConn::new(stream, number, Arc::clone(shared));
    // An `Err` is the peer's end, which the record shows; a panic is a failed assertion.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| behaviour(&mut conn))) {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "panic".into());
        shared.failures.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }
    conn.close();
    shared.seen()[number].ended = true;
}
