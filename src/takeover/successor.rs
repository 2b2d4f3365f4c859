//! The process that takes the place of this one.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use socket2::Socket;

use super::message::{HELLO, SOCKETS, TAKE, YOURS, receive, send};
use super::{Came, Doorbell, Leaving, wait};
use crate::chassis::credentials::Peer;
use crate::chassis::host;
use crate::drive::Context;
use crate::drive::lane::Share;

/// How long who asks may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the last client has left.
const OFTEN: Duration = Duration::from_millis(100);

/// Waits for a process that takes this one's place; then for the last client to leave, and has the host end.
pub fn await_one(ctx: &Context, doorbell: &Doorbell, leaving: Leaving, stop: &UnixStream) {
    let Some((socket, pid)) = find(doorbell, &leaving, stop) else { return };
    let Leaving { shares, close, stay } = leaving;
    close();
    shares.iter().for_each(Share::give_away);
    log::info!("process {pid} takes over: nobody is accepted here any more");
    if let Err(e) = send(&socket, YOURS, &[]) {
        log::warn!("process {pid} cannot be told that it has taken over: {e}");
    }
    drop((shares, socket));
    let until = Instant::now() + stay;
    while ctx.limits.count() > 0 && Instant::now() < until {
        if !matches!(wait(stop, None, Some(OFTEN)), Ok(Came::Nothing)) {
            return;
        }
    }
    log::info!("this process was taken over, and ends: {} clients are left", ctx.limits.count());
    host::request_shutdown(c"pyproxy-takeover");
}

/// The connection of a process that takes over, and its number. `None`: this one ends before.
fn find(doorbell: &Doorbell, leaving: &Leaving, stop: &UnixStream) -> Option<(Socket, i32)> {
    loop {
        let asked = match wait(stop, Some(doorbell.0.as_fd()), None) {
            Ok(Came::Input) => doorbell.0.accept(),
            Ok(Came::Nothing) => continue,
            Ok(Came::Stop) => return None,
            Err(e) => {
                log::error!("pyproxy-takeover does not work any more: {e}");
                return None;
            }
        };
        let socket = match asked {
            Ok(Some(client)) => Socket::from(client.fd),
            Ok(None) => continue,
            Err(e) => {
                log::error!("a process that wants to take over cannot be accepted: {e}");
                wait(stop, None, Some(OFTEN)).ok()?;
                continue;
            }
        };
        let pid = Peer::of(socket.as_fd()).map_or(0, |peer| peer.pid);
        match negotiate(&socket, leaving, stop) {
            Ok(true) => return Some((socket, pid)),
            Ok(false) => log::warn!("process {pid} wanted to take over, and ended before it did"),
            Err(e) => log::warn!("process {pid} does not take over: {e}"),
        }
    }
}

/// Gives who asks the sockets. Whether it takes them.
fn negotiate(socket: &Socket, leaving: &Leaving, stop: &UnixStream) -> io::Result<bool> {
    if !Peer::of(socket.as_fd())?.is_trusted() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is another user's"));
    }
    match wait(stop, Some(socket.as_fd()), Some(PATIENCE))? {
        Came::Input => {}
        Came::Nothing => return Err(io::ErrorKind::TimedOut.into()),
        Came::Stop => return Err(this_one_ends()),
    }
    match receive(socket)?.0.as_str() {
        HELLO => {}
        "" => return Ok(false),
        _ => return Err(io::Error::other("it speaks another version of this")),
    }
    let sockets: Vec<_> = leaving.shares.iter().map(|share| share.socket.as_fd()).collect();
    send(socket, SOCKETS, &sockets)?;
    loop {
        match wait(stop, Some(socket.as_fd()), None)? {
            Came::Input => return Ok(receive(socket)?.0 == TAKE),
            Came::Nothing => {}
            Came::Stop => {
                // It has the sockets, and goes on without this process.
                leaving.shares.iter().for_each(Share::give_away);
                return Err(this_one_ends());
            }
        }
    }
}

fn this_one_ends() -> io::Error {
    io::Error::other("this process ends")
}
