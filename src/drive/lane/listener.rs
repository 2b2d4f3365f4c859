//! The listening socket.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use engine::Address;
use socket2::{Domain, SockAddr, Socket, Type};

use super::address::describe;
use crate::chassis::fork;

/// How many clients may wait to be accepted. The kernel bounds it (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// A socket that clients connect to. A unix socket's path is removed at the end.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    path: Option<PathBuf>,
}

/// A client that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub fd: OwnedFd,
    /// The client's end.
    pub src: Address,
    /// Our end.
    pub dst: Address,
    /// The client's IP address; `None` for a unix socket.
    pub ip: Option<IpAddr>,
}

impl Listener {
    /// Takes `host:port`, `:port` or a path. Nobody can connect before [`Listener::listen`]. Blocks for a name look-up.
    pub fn bind(address: &str) -> io::Result<Self> {
        let listener = if address.starts_with('/') {
            let socket = bind_path(Path::new(address))?;
            Self { socket, path: Some(PathBuf::from(address)) }
        } else {
            Self { socket: bind_ip(address)?, path: None }
        };
        listener.socket.set_nonblocking(true)?;
        fork::remember(listener.fd());
        Ok(listener)
    }

    /// From now on clients can connect.
    pub fn listen(&self) -> io::Result<()> {
        self.socket.listen(BACKLOG)
    }

    /// For the poll.
    pub fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// The IP address that it listens on; `None` for a unix socket.
    pub fn ip(&self) -> Option<IpAddr> {
        self.socket.local_addr().ok()?.as_socket().map(|address| address.ip())
    }

    /// The same socket with another number, for a loop that is not ours.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(self.socket.try_clone()?.into())
    }

    /// The next client; `None` if nobody waits.
    pub fn accept(&self) -> io::Result<Option<Accepted>> {
        loop {
            let (socket, peer) = match self.socket.accept() {
                Ok(accepted) => accepted,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(None),
                // A client that has left already.
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::ConnectionAborted | ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(e) => return Err(e),
            };
            prepare(&socket, peer.is_ipv4() || peer.is_ipv6())?;
            fork::remember(socket.as_raw_fd());
            let dst = socket.local_addr().as_ref().map(describe).unwrap_or_default();
            let ip = peer.as_socket().map(|address| address.ip().to_canonical());
            return Ok(Some(Accepted { fd: socket.into(), src: describe(&peer), dst, ip }));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // It may have been removed, or taken over, by somebody else.
            _ = std::fs::remove_file(path);
        }
    }
}

/// What every socket of a connection is set to. `is_tcp`: it is no unix socket.
pub fn prepare(socket: &Socket, is_tcp: bool) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    if is_tcp {
        socket.set_tcp_nodelay(true)?;
        socket.set_keepalive(true)?;
    }
    Ok(())
}

fn bind_ip(address: &str) -> io::Result<Socket> {
    let any_host = address.strip_prefix(':').map(|port| format!("0.0.0.0:{port}"));
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for candidate in any_host.as_deref().unwrap_or(address).to_socket_addrs()? {
        match bind(candidate.into(), Domain::for_address(candidate), candidate) {
            Ok(socket) => return Ok(socket),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn bind(name: SockAddr, domain: Domain, candidate: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if candidate.is_ipv6() && !candidate.ip().is_unspecified() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&name)?;
    Ok(socket)
}

/// Binds a path. One that a dead process left behind, where nobody answers, is taken over.
fn bind_path(path: &Path) -> io::Result<Socket> {
    let name = SockAddr::unix(path)?;
    let socket = || Socket::new(Domain::UNIX, Type::STREAM, None);
    let listening = socket()?;
    match listening.bind(&name) {
        Err(e) if e.kind() == ErrorKind::AddrInUse => {
            let refused =
                socket()?.connect(&name).is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused);
            if !refused {
                return Err(e);
            }
            std::fs::remove_file(path)?;
            listening.bind(&name)?;
        }
        bound => bound?,
    }
    Ok(listening)
}
