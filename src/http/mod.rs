//! The HTTP endpoint (`pyproxy-http-address`): metrics and health, for who runs the proxy.
//!
//! A thread of its own with a loop of its own answers. It reads counters, and never takes the host's mutex or Python's lock: so it
//! answers while a hook holds both, and costs connections nothing. Whoever connects may be hostile: `guests.rs` bounds how many there are,
//! and `hyper` what each may send.
//!
//! ```text
//! listener.rs ─► guests.rs ─► routes.rs ─┬─► health.rs ─► probe.rs
//!                                        ├─► collect/: what /metrics says
//!                                        ├─► api/: /api/v1, as JSON ◄── history.rs: a sample a second
//!                                        └─► page.rs: /, which asks the API
//! ```

mod api;
mod collect;
mod guests;
mod health;
mod history;
mod listener;
mod page;
mod probe;
mod routes;
pub mod token;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use self::routes::Site;
use self::token::Token;
use crate::boundary::guard;
use crate::drive::Context;
use crate::drive::lane::{Listener, Share};

/// How long changes that are under way may go on when the endpoint ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// An endpoint to which nobody can connect yet.
#[derive(Debug)]
pub struct Endpoint {
    listener: Listener,
    runtime: Runtime,
    is_local: bool,
    token: Option<Token>,
}

impl Endpoint {
    /// At the address of `listener`. Changes need the token; without one there are none.
    pub fn new(listener: Listener, token: Option<Token>) -> io::Result<Self> {
        let is_local = listener.ip().is_none_or(|ip| ip.is_loopback());
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Self { listener, runtime, is_local, token })
    }

    /// Its socket, for another process.
    pub fn share(&self) -> io::Result<Share> {
        self.listener.share()
    }

    /// Starts the thread. Until [`Running::clients_may_come`] it says that the proxy is not ready.
    pub fn start(self, ctx: &'static Context) -> io::Result<Running> {
        collect::started_at();
        self.listener.listen()?;
        let Self { listener, runtime, is_local, token } = self;
        let running = Running {
            thread: None,
            stop: Arc::default(),
            listens: Arc::new(AtomicBool::new(false)),
        };
        let (stop, listens) = (Arc::clone(&running.stop), Arc::clone(&running.listens));
        let site = Site::new(ctx, listens, is_local, token);
        let serve = move || {
            let served = || {
                if let Err(e) = runtime.block_on(listener::serve(&listener, site, &stop)) {
                    log::error!("the HTTP endpoint ends, its socket cannot be watched: {e}");
                }
                // A reload that waits for Python does not hold up the end.
                runtime.shutdown_timeout(PATIENCE);
            };
            guard(served, || ());
        };
        let thread = std::thread::Builder::new().name("pyproxy-http".to_owned()).spawn(serve)?;
        Ok(Running { thread: Some(thread), ..running })
    }
}

/// The thread that answers.
#[derive(Debug)]
pub struct Running {
    thread: Option<JoinHandle<()>>,
    stop: Arc<Notify>,
    listens: Arc<AtomicBool>,
}

impl Running {
    /// The proxy listens for its clients.
    pub fn clients_may_come(&self) {
        self.listens.store(true, Ordering::Relaxed);
    }

    /// Ends the thread, and waits for it.
    pub fn stop(self) {
        self.stop.notify_one();
        // One that has panicked said so in the log.
        _ = self.thread.map(JoinHandle::join);
    }
}
