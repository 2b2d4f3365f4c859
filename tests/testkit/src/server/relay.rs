//! A relay between the host and a real server that records every packet and can cut the line.
//!
//! It shows what really reaches a real server, and lets a real server "die" at any step.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::ports::free_listener;
use crate::proto::packet::{self, Packet};
use crate::reset::reset;
use crate::wait::{PATIENCE, eventually};

/// Never cut.
const NEVER: usize = usize::MAX;

/// What passed through one connection.
#[derive(Debug, Clone, Default)]
pub struct Passed {
    /// Packets towards the server.
    pub to_server: Vec<Packet>,
    /// Packets from the server.
    pub from_server: Vec<Packet>,
    /// Whether the proxy's side has ended.
    pub proxy_ended: bool,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    passed: Mutex<Vec<Passed>>,
    cut_to_server: AtomicUsize,
    cut_from_server: AtomicUsize,
    resets: AtomicBool,
    stopping: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

impl Shared {
    fn passed(&self) -> MutexGuard<'_, Vec<Passed>> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The relay. Dropping it closes all connections.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Relay {
    /// Listens on a free port and passes everything on to `target`.
    pub fn start(target: SocketAddr) -> Self {
        let listener = free_listener();
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            target,
            passed: Mutex::default(),
            cut_to_server: AtomicUsize::new(NEVER),
            cut_from_server: AtomicUsize::new(NEVER),
            resets: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            streams: Mutex::default(),
        });
        let state = Arc::clone(&shared);
        let acceptor = thread::spawn(move || accept(&listener, &state));
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts each connection (also towards the server) after `count` packets of the server were
    /// passed on: 0 is before the handshake.
    pub fn cut_after_server_packets(&self, count: usize) {
        self.shared.cut_from_server.store(count, Ordering::SeqCst);
    }

    /// Cuts each connection when packet number `count` (from 0) of the proxy arrives; that packet is
    /// not passed on.
    pub fn cut_at_proxy_packet(&self, count: usize) {
        self.shared.cut_to_server.store(count, Ordering::SeqCst);
    }

    /// Connections end by a TCP reset from now on, as when a machine is killed.
    pub fn reset_connections(&self) {
        self.shared.resets.store(true, Ordering::SeqCst);
    }

    /// Cuts no more.
    pub fn heal(&self) {
        self.cut_after_server_packets(NEVER);
        self.cut_at_proxy_packet(NEVER);
    }

    /// Cuts all open connections now.
    pub fn cut_now(&self) {
        for stream in self.shared.streams.lock().expect("stream list").iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// What passed so far, per connection.
    pub fn passed(&self) -> Vec<Passed> {
        self.shared.passed().clone()
    }

    /// Waits until `condition` holds for what passed, and returns it.
    ///
    /// # Panics
    /// If it does not come to hold in [`PATIENCE`].
    pub fn wait_until(&self, condition: impl Fn(&[Passed]) -> bool) -> Vec<Passed> {
        let held = eventually(PATIENCE, || condition(&self.shared.passed()));
        assert!(held, "only this passed: {:?}", self.passed());
        self.passed()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let joined = self.acceptor.take().expect("taken only here").join();
        assert!(joined.is_ok() || thread::panicking(), "the relay does not panic");
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut workers = Vec::new();
    for proxy in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let (Ok(proxy), Ok(server)) = (proxy, TcpStream::connect(shared.target)) else { continue };
        let number = {
            let mut passed = shared.passed();
            passed.push(Passed::default());
            passed.len() - 1
        };
        let mut list = shared.streams.lock().expect("stream list");
        for stream in [&proxy, &server] {
            stream.set_nodelay(true).expect("a socket option");
            list.push(stream.try_clone().expect("a socket can be duplicated"));
        }
        for towards_server in [true, false] {
            let (from, to) = if towards_server { (&proxy, &server) } else { (&server, &proxy) };
            let from = from.try_clone().expect("a socket can be duplicated");
            let to = to.try_clone().expect("a socket can be duplicated");
            let shared = Arc::clone(shared);
            workers.push(thread::spawn(move || {
                // Ends with the first error: one side has closed.
                let _ = pass(&from, &to, number, towards_server, &shared);
                for stream in [&from, &to] {
                    if shared.resets.load(Ordering::SeqCst) {
                        reset(stream);
                    } else {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                }
                if towards_server {
                    shared.passed()[number].proxy_ended = true;
                }
            }));
        }
    }
    for stream in shared.streams.lock().expect("stream list").iter() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for worker in workers {
        let _ = worker.join();
    }
}

fn pass(
    mut from: &TcpStream,
    mut to: &TcpStream,
    number: usize,
    towards_server: bool,
    shared: &Shared,
) -> io::Result<()> {
    let mut count = 0;
    loop {
        if !towards_server && count >= shared.cut_from_server.load(Ordering::SeqCst) {
            return Ok(());
        }
        let packet = packet::read(&mut from)?;
        if towards_server && count >= shared.cut_to_server.load(Ordering::SeqCst) {
            return Ok(());
        }
        let bytes = packet::frame(packet.id, &packet.payload);
        {
            let passed = &mut shared.passed()[number];
            let list = if towards_server { &mut passed.to_server } else { &mut passed.from_server };
            list.push(packet);
        }
        io::Write::write_all(&mut to, &bytes)?;
        count += 1;
    }
}
