//! A listening socket and a connection that are TCP or unix; a connection of TCP may have TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslStream};

use crate::reset::reset;

/// Where a scripted server listens.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Tcp(listener) => {
                Address::Tcp(listener.local_addr().expect("a bound socket has an address"))
            }
            Self::Unix(listener) => {
                let name = listener.local_addr().expect("a bound socket has an address");
                Address::Unix(name.as_pathname().expect("bound to a path").to_owned())
            }
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(listener) => Stream::Tcp(listener.accept()?.0),
            Self::Unix(listener) => Stream::Unix(listener.accept()?.0),
        })
    }
}

/// The name of a listening socket.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Connects and closes again, which wakes whoever accepts.
    pub(crate) fn knock(&self) {
        // Nobody may be there any more.
        let _ = match self {
            Self::Tcp(address) => TcpStream::connect(address).map(drop),
            Self::Unix(path) => UnixStream::connect(path).map(drop),
        };
    }

    pub(crate) fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(path) => Some(path),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<SslStream<TcpStream>>),
}

impl Stream {
    /// Limits how long a read or a write may take, and sends small packets at once.
    pub(crate) fn prepare(&self, patience: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => prepare_tcp(stream, patience),
            Self::Tls(stream) => prepare_tcp(stream.get_ref(), patience),
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
        }
    }

    /// Does the server's part of a TLS handshake; later bytes are encrypted.
    pub(crate) fn start_tls(&mut self, acceptor: &SslAcceptor) -> io::Result<()> {
        let Self::Tcp(stream) = self else {
            return Err(io::Error::other("only a connection of TCP starts TLS, and once"));
        };
        let encrypted = acceptor.accept(stream.try_clone()?).map_err(io::Error::other)?;
        *self = Self::Tls(Box::new(encrypted));
        Ok(())
    }

    /// The same socket once more; of one with TLS, below that.
    pub(crate) fn duplicate(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Tls(stream) => Self::Tcp(stream.get_ref().try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }

    pub(crate) fn shutdown(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Tls(stream) => stream.get_ref().shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        }
    }

    /// Ends the connection at once, by a reset if it is one of TCP.
    pub(crate) fn reset(&self) {
        match self {
            Self::Tcp(stream) => reset(stream),
            Self::Tls(stream) => reset(stream.get_ref()),
            // The peer may have closed first.
            Self::Unix(stream) => drop(stream.shutdown(Shutdown::Both)),
        }
    }

    /// Whether nobody between can read: it is a unix socket, or has TLS.
    pub(crate) fn is_secure(&self) -> bool {
        matches!(self, Self::Unix(_) | Self::Tls(_))
    }
}

fn prepare_tcp(stream: &TcpStream, patience: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(bytes),
            Self::Tls(stream) => stream.read(bytes),
            Self::Unix(stream) => stream.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
        }
    }
}
