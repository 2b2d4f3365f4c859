//! The listening socket.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Address;
use socket2::{Domain, SockAddr, Socket, Type};

use super::address::describe;
use super::inherited::Inherited;
use crate::chassis::fork;

/// How many clients may wait to be accepted. The kernel bounds it (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// A socket that clients connect to. A unix socket's path is removed at the end, unless it is another process's.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    path: Option<Arc<SocketPath>>,
}

/// The same socket in other hands.
#[derive(Debug)]
pub struct Share {
    /// The socket.
    pub socket: OwnedFd,
    path: Option<Arc<SocketPath>>,
}

impl Share {
    /// It belongs to another process from now on: the path stays when this one ends.
    pub fn give_away(&self) {
        self.set_ours(false);
    }

    /// It belongs to this process from now on.
    pub fn take(&self) {
        self.set_ours(true);
    }

    fn set_ours(&self, is_ours: bool) {
        if let Some(path) = &self.path {
            path.is_ours.store(is_ours, Ordering::Relaxed);
        }
    }
}

/// The path of a unix socket, which is removed at the end of the process that it belongs to.
#[derive(Debug)]
struct SocketPath {
    path: PathBuf,
    is_ours: AtomicBool,
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        if *self.is_ours.get_mut() {
            // It may have been removed, or taken over, by somebody else.
            _ = std::fs::remove_file(&self.path);
        }
    }
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
        let socket = if is_path(address) {
            bind_path(Path::new(address), Type::STREAM, |_| Ok(()))?
        } else {
            bind_ip(address)?
        };
        Self::over(socket, address, true)
    }

    /// The same, unless another process listens there, whose socket this is then: it stays the other's until [`Share::take`].
    pub fn inherit_or_bind(address: &str, inherited: &mut Inherited) -> io::Result<Self> {
        match inherited.take(address, Type::STREAM) {
            Some(socket) => Self::over(socket, address, false),
            None => Self::bind(address),
        }
    }

    /// A socket of another kind at a path, which only this user can connect to.
    pub fn inherit_or_bind_private(
        path: &str,
        kind: Type,
        inherited: &mut Inherited,
    ) -> io::Result<Self> {
        match inherited.take(path, kind) {
            Some(socket) => Self::over(socket, path, false),
            None => Self::over(bind_path(Path::new(path), kind, make_private)?, path, true),
        }
    }

    fn over(socket: Socket, address: &str, is_ours: bool) -> io::Result<Self> {
        let of_path =
            || SocketPath { path: PathBuf::from(address), is_ours: AtomicBool::new(is_ours) };
        let path = is_path(address).then(|| Arc::new(of_path()));
        socket.set_nonblocking(true)?;
        fork::remember(socket.as_raw_fd());
        Ok(Self { socket, path })
    }

    /// The same socket, for another process.
    pub fn share(&self) -> io::Result<Share> {
        let socket = self.duplicate()?;
        fork::remember(socket.as_raw_fd());
        Ok(Share { socket, path: self.path.clone() })
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

fn is_path(address: &str) -> bool {
    address.starts_with('/')
}

/// Only this user may connect.
fn make_private(socket: &Socket) -> io::Result<()> {
    // The path gets the permissions that the socket has when it is bound.
    let file = File::from(OwnedFd::from(socket.try_clone()?));
    file.set_permissions(Permissions::from_mode(0o600))
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

/// What `host:port` or `:port` may be.
pub fn candidates(address: &str) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let any_host = address.strip_prefix(':').map(|port| format!("0.0.0.0:{port}"));
    any_host.as_deref().unwrap_or(address).to_socket_addrs()
}

fn bind_ip(address: &str) -> io::Result<Socket> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for candidate in candidates(address)? {
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
fn bind_path(
    path: &Path,
    kind: Type,
    prepare: impl FnOnce(&Socket) -> io::Result<()>,
) -> io::Result<Socket> {
    let name = SockAddr::unix(path)?;
    let socket = || Socket::new(Domain::UNIX, kind, None);
    let listening = socket()?;
    prepare(&listening)?;
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
