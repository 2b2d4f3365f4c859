//! One process takes the place of another one (`pyproxy-takeover`): it gets the sockets that listen, so that no client is refused.
//!
//! At a unix socket, message by message:
//!
//! ```text
//! the new process                                    the old one
//!   pyproxy-takeover 1   ─────────────────────────►
//!                        ◄─────────────────────────  sockets, with their descriptors
//!   it loads its script, and comes up
//!   accepts clients, too
//!   take                 ─────────────────────────►  accepts nobody any more
//!                        ◄─────────────────────────  yours
//!                                                    its clients leave, and it ends
//! ```
//!
//! Until `take` nothing has changed: if the new process ends before, the old one goes on as if nobody had asked. As both have the same
//! sockets, those who wait to be accepted are accepted by one of them. The socket at the path is handed over like the others, so there
//! always is one: who asks meanwhile waits, and asks the new process.
//!
//! `predecessor.rs` is the new process's side, `successor.rs` the old one's.

mod message;
mod predecessor;
mod successor;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::Type;

pub use self::predecessor::Predecessor;
use crate::boundary::guard;
use crate::chassis::signals::Before;
use crate::chassis::{fork, host};
use crate::drive::Context;
use crate::drive::lane::{Inherited, Listener, Share};

/// Where the next process asks.
#[derive(Debug)]
pub struct Doorbell(Listener);

impl Doorbell {
    /// At this path, which only this user can connect to.
    pub fn inherit_or_bind(path: &str, inherited: &mut Inherited) -> io::Result<Self> {
        Listener::inherit_or_bind_private(path, Type::SEQPACKET, inherited).map(Self)
    }
}

/// What is done for the process that follows.
pub struct Leaving {
    /// The sockets that it gets.
    pub shares: Vec<Share>,
    /// Accepts no more.
    pub close: Box<dyn FnOnce() + Send>,
    /// How long clients may stay that are here then.
    pub stay: Duration,
}

/// Accepts clients.
pub type Open = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// The thread.
#[derive(Debug)]
pub struct Running {
    /// The other end notices when it goes.
    stop: UnixStream,
    thread: JoinHandle<()>,
}

impl Running {
    /// Ends the thread, and waits for it. The place does not change hands any more.
    pub fn stop(self) {
        drop(self.stop);
        // One that has panicked said so in the log.
        _ = self.thread.join();
    }
}

/// Starts the thread, which answers at `doorbell`. If there is a predecessor, it takes its place before. In `apply_config`.
pub fn start(
    ctx: &'static Context,
    doorbell: Doorbell,
    predecessor: Option<(Predecessor, Open)>,
    mut leaving: Leaving,
) -> io::Result<Running> {
    doorbell.0.listen()?;
    leaving.shares.push(doorbell.0.share()?);
    let (stop, stopped) = UnixStream::pair()?;
    [&stop, &stopped].into_iter().for_each(|end| fork::remember(end.as_raw_fd()));
    let before = Before::early();
    let run = move || {
        let follow =
            |(predecessor, open): (Predecessor, Open)| predecessor.follow(&before, &stopped, open);
        match predecessor.map(follow) {
            None => {}
            Some(Ok(true)) => leaving.shares.iter().for_each(Share::take),
            Some(Ok(false)) => return,
            Some(Err(e)) => {
                log::error!("this process cannot take over: {e}");
                return host::request_shutdown(c"pyproxy-takeover");
            }
        }
        successor::await_one(ctx, &doorbell, leaving, &stopped);
    };
    let run = move || guard(run, || ());
    let thread = Builder::new().name("pyproxy-takeover".to_owned()).spawn(run)?;
    Ok(Running { stop, thread })
}

/// What was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// There is something to read.
    Input,
    /// Nothing within this time.
    Nothing,
    /// The thread is to end.
    Stop,
}

/// Waits until there is something to read from `socket`, or the thread is to end.
fn wait(
    stop: &UnixStream,
    socket: Option<BorrowedFd<'_>>,
    limit: Option<Duration>,
) -> io::Result<Came> {
    let fds = [Some(stop.as_fd()), socket].into_iter().flatten();
    let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    match poll(&mut fds, limit.as_ref()) {
        Ok(0) | Err(Errno::INTR) => Ok(Came::Nothing),
        Ok(_) if fds.first().is_some_and(|stop| !stop.revents().is_empty()) => Ok(Came::Stop),
        Ok(_) => Ok(Came::Input),
        Err(e) => Err(e.into()),
    }
}
