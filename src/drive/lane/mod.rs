//! The driver with a loop of its own: threads of the plugin that watch the sockets of clients and servers themselves.
//!
//! Nothing of mysql-proxy is involved but its mutex, which is held while a hook runs. Bytes move without it: a slow hook holds
//! up other hooks, and nobody else.
//!
//! ```text
//! poll ─► worker.rs ─► connection.rs ──Event──► engine ──Effect──► effects.rs ─► io.rs ─► peer.rs ─► end.rs
//!                          ▲  ├─ input.rs: packets     │
//!                          │  └─ deadlines.rs          │
//!                          └────── hook ◄── Then::Ask ─┘
//! ```

mod address;
mod connecting;
mod connection;
mod counts;
mod deadlines;
mod effects;
mod end;
mod front;
mod inbox;
mod inherited;
mod input;
mod io;
mod leaving;
mod limits;
mod listener;
mod peer;
mod proxy_header;
mod securing;
mod timers;
mod tools;
mod waiting;
mod watch;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry};

pub use connecting::dial;
pub use counts::Counts;
pub use inherited::Inherited;
pub use limits::Limits;
pub use listener::{Listener, Share};
pub use proxy_header::Networks;

use self::front::{Front, LISTENER};
use self::inbox::{Inbox, Order};
use self::worker::Worker;
use super::Context;

/// The threads.
#[derive(Debug)]
pub struct Lane {
    threads: Vec<JoinHandle<()>>,
    door: Door,
}

/// Where clients come in: from any thread, and also when the threads have ended.
#[derive(Debug, Clone)]
pub struct Door {
    inboxes: Vec<Arc<Inbox>>,
    /// Of the first thread, which accepts.
    registry: Arc<Registry>,
}

impl Door {
    /// From now on the clients of `listener` are served.
    pub fn open(&self, listener: Listener) -> std::io::Result<()> {
        let Some(first) = self.inboxes.first() else { return Ok(()) };
        listener.listen()?;
        self.registry.register(&mut SourceFd(&listener.fd()), LISTENER, Interest::READABLE)?;
        let front = Front::new(listener, self.inboxes.clone());
        first.order(Order::Accept(Box::new(front)));
        Ok(())
    }

    /// From now on nobody is accepted. Those who are here stay.
    pub fn close(&self) {
        let Some(first) = self.inboxes.first() else { return };
        let (done, is_done) = channel();
        first.order(Order::Leave(done));
        // If the thread has ended there is nothing to wait for.
        _ = is_done.recv();
    }
}

impl Lane {
    /// Starts `count` threads, which serve nobody before [`Door::open`]. When they are asked to stop, commands and transactions
    /// may go on for `drain`.
    pub fn start(ctx: &'static Context, count: usize, drain: Duration) -> std::io::Result<Self> {
        let first = Worker::new(ctx, drain)?;
        let registry = Arc::new(first.registry()?);
        let mut workers = vec![first];
        for _ in 1..count {
            workers.push(Worker::new(ctx, drain)?);
        }
        let inboxes: Vec<_> = workers.iter().map(Worker::inbox).collect();
        let all = inboxes.clone();
        ctx.shared.leaving.tell(Box::new(move || all.iter().for_each(|inbox| inbox.leave())));
        let mut lane = Self { threads: Vec::new(), door: Door { inboxes, registry } };
        for (worker, number) in workers.into_iter().zip(1..) {
            let name = format!("pyproxy-{number}");
            let thread = std::thread::Builder::new().name(name).spawn(move || worker.run())?;
            lane.threads.push(thread);
        }
        Ok(lane)
    }

    /// Where clients come in.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// Ends the threads, and waits for them. If a hook holds one of them for much longer than commands may go on, the watchdog
    /// ends the process.
    pub fn stop(self) {
        for inbox in &self.door.inboxes {
            inbox.stop();
        }
        for thread in self.threads {
            // One that has panicked said so in the log.
            _ = thread.join();
        }
    }
}
