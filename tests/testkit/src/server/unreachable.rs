//! An address that does not answer a connect: neither accepted nor refused.
//!
//! Linux drops a SYN for a socket whose accept queue is full (listen(2), tcp(7)); the queue of a
//! socket with backlog 0 is full after one connection.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::ports::free_listener;

/// A listening socket with a full accept queue.
#[derive(Debug)]
pub struct Unreachable {
    address: SocketAddr,
    _listener: TcpListener,
    _filling: Vec<TcpStream>,
}

impl Unreachable {
    /// Listens on a free loopback port and fills the queue.
    pub fn new() -> Self {
        use std::os::fd::AsRawFd;
        let listener = free_listener();
        let address = listener.local_addr().expect("a bound socket has an address");
        // SAFETY: a system call on a socket that `listener` keeps open; it only shrinks the backlog.
        let result = unsafe { libc::listen(listener.as_raw_fd(), 0) };
        assert_eq!(result, 0, "listen");
        let mut filling = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            filling.push(stream);
            assert!(filling.len() < 50, "the accept queue does not fill");
        }
        Self { address, _listener: listener, _filling: filling }
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Default for Unreachable {
    fn default() -> Self {
        Self::new()
    }
}
