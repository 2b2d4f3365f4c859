//! The process whose place this one takes.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::message::{HELLO, SOCKETS, TAKE, YOURS, receive, send};
use super::{Came, Open, wait};
use crate::chassis::credentials::Peer;
use crate::chassis::signals::Before;
use crate::drive::lane::Inherited;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the host is up.
const OFTEN: Duration = Duration::from_millis(10);

/// The process at the other end, which serves clients until it is told that this one does.
#[derive(Debug)]
pub struct Predecessor {
    socket: Socket,
    peer: Peer,
}

impl Predecessor {
    /// Asks the process at `path` for its sockets. `None`: there is nobody.
    pub fn ask(path: &str) -> io::Result<Option<(Self, Inherited)>> {
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        match socket.connect(&SockAddr::unix(path)?) {
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            connected => connected?,
        }
        let peer = Peer::of(socket.as_fd())?;
        if !peer.is_trusted() {
            let why = format!("process {} there is another user's", peer.pid);
            return Err(io::Error::new(ErrorKind::PermissionDenied, why));
        }
        send(&socket, HELLO, &[])?;
        match receive(&socket) {
            Ok((text, sockets)) if text == SOCKETS => {
                Ok(Some((Self { socket, peer }, Inherited::new(sockets))))
            }
            Ok(_) => Err(io::Error::other(format!(
                "process {} there does not hand over its sockets",
                peer.pid
            ))),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Err(io::Error::new(
                ErrorKind::TimedOut,
                format!(
                    "process {} there does not answer: maybe another one is about to take over",
                    peer.pid
                ),
            )),
            Err(e) => Err(e),
        }
    }

    /// Takes its place as soon as the host is up: calls `open`, and tells it. Whether it came to that: after an error, too, the other one
    /// goes on as if nobody had asked.
    pub(super) fn follow(self, before: &Before, stop: &UnixStream, open: Open) -> io::Result<bool> {
        while !before.host_is_up() {
            if wait(stop, None, Some(OFTEN))? == Came::Stop {
                return Ok(false);
            }
        }
        open()?;
        let pid = self.peer.pid;
        // From here on this process serves clients, whatever the other one does.
        match self.tell(stop) {
            Ok(true) => log::info!("process {pid} was taken over: it accepts nobody any more"),
            Ok(false) => log::warn!("process {pid} ended before it was taken over"),
            Err(e) => log::warn!("process {pid} does not say that it was taken over: {e}"),
        }
        Ok(true)
    }

    /// Whether it said that it accepts nobody any more.
    fn tell(&self, stop: &UnixStream) -> io::Result<bool> {
        send(&self.socket, TAKE, &[])?;
        loop {
            match wait(stop, Some(self.socket.as_fd()), None)? {
                Came::Input => return Ok(receive(&self.socket)?.0 == YOURS),
                Came::Nothing => {}
                Came::Stop => return Ok(false),
            }
        }
    }
}
