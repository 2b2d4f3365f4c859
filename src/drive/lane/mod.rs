//! The driver with a loop of its own: threads of the plugin that watch the sockets of clients and servers themselves.
//!
//! Nothing of mysql-proxy is involved but its mutex, which is held while a hook runs. Bytes move without it: a slow hook holds
//! up other hooks, and nobody else.
//!
//! ```text
//! poll ─► worker.rs ─► connection.rs ──Event──► engine ──Effect──► io.rs ─► peer.rs ─► end.rs
//!                          ▲  ├─ input.rs: packets     │
//!                          │  └─ deadlines.rs          │
//!                          └────── hook ◄── Then::Ask ─┘
//! ```

mod address;
mod connecting;
mod connection;
mod counts;
mod deadlines;
mod end;
mod input;
mod io;
mod leaving;
mod limits;
mod listener;
mod peer;
mod proxy_header;
mod timers;
mod waiting;
mod watch;
mod worker;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use connecting::dial;
pub use counts::Counts;
pub use limits::Limits;
pub use listener::Listener;
pub use proxy_header::Networks;

use self::worker::{Front, Inbox, Worker};
use super::Context;

/// The threads.
#[derive(Debug)]
pub struct Lane {
    threads: Vec<JoinHandle<()>>,
    inboxes: Vec<Arc<Inbox>>,
}

impl Lane {
    /// Starts `count` threads, which serve the clients of `listener`. When they are asked to stop, commands that are under
    /// way may go on for `drain`.
    pub fn start(
        ctx: &'static Context,
        listener: Listener,
        count: usize,
        drain: Duration,
    ) -> std::io::Result<Self> {
        listener.listen()?;
        let mut workers = Vec::new();
        for _ in 0..count.max(1) {
            workers.push(Worker::new(ctx, drain)?);
        }
        let inboxes: Vec<_> = workers.iter().map(Worker::inbox).collect();
        if let Some(first) = workers.first_mut() {
            first.accept_with(Front::new(listener, inboxes.clone()))?;
        }
        let all = inboxes.clone();
        ctx.shared.leaving.tell(Box::new(move || all.iter().for_each(|inbox| inbox.leave())));
        let mut lane = Self { threads: Vec::new(), inboxes };
        for (worker, number) in workers.into_iter().zip(1..) {
            let name = format!("pyproxy-{number}");
            let thread = std::thread::Builder::new().name(name).spawn(move || worker.run())?;
            lane.threads.push(thread);
        }
        Ok(lane)
    }

    /// Ends the threads, and waits for them. If a hook holds one of them for much longer than commands may go on, the watchdog
    /// ends the process.
    pub fn stop(self) {
        for inbox in &self.inboxes {
            inbox.stop();
        }
        for thread in self.threads {
            // One that has panicked said so in the log.
            _ = thread.join();
        }
    }
}
