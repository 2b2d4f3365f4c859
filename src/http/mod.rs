//! The HTTP endpoint (`pyproxy-http-address`): metrics and health, for who runs the proxy.
//!
//! A thread of its own with a loop of its own answers. It reads counters, and never takes the host's mutex or Python's lock: so it
//! answers while a hook holds both, and costs connections nothing. Whoever connects may be hostile: [`guests`] bounds how many there are,
//! and `hyper` what each may send.
//!
//! ```text
//! listener.rs ─► guests.rs ─► routes.rs ─┬─► health.rs ─► probe.rs
//!                                        ├─► collect/: what /metrics says
//!                                        └─► api/: /api/v1, as JSON
//! ```

mod api;
mod collect;
mod guests;
mod health;
mod listener;
mod probe;
mod routes;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use self::routes::Site;
use crate::boundary::guard;
use crate::drive::Context;
use crate::drive::lane::Listener;

/// An endpoint to which nobody can connect yet.
#[derive(Debug)]
pub struct Endpoint {
    listener: Listener,
    runtime: Runtime,
    is_local: bool,
}

impl Endpoint {
    /// Takes the address, `host:port` or a path, so that nobody else does. Blocks for a name look-up.
    pub fn bind(address: &str) -> io::Result<Self> {
        let listener = Listener::bind(address)?;
        let is_local = listener.ip().is_none_or(|ip| ip.is_loopback());
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Self { listener, runtime, is_local })
    }

    /// Starts the thread. Until [`Running::clients_may_come`] it says that the proxy is not ready.
    pub fn start(self, ctx: &'static Context) -> io::Result<Running> {
        collect::started_at();
        self.listener.listen()?;
        let Self { listener, runtime, is_local } = self;
        let running = Running {
            thread: None,
            stop: Arc::default(),
            listens: Arc::new(AtomicBool::new(false)),
        };
        let (stop, listens) = (Arc::clone(&running.stop), Arc::clone(&running.listens));
        let site = Site::new(ctx, listens, is_local);
        let serve = move || {
            guard(
                || match runtime.block_on(listener::serve(&listener, site, &stop)) {
                    Ok(()) => {}
                    Err(e) => {
                        log::error!("the HTTP endpoint ends, its socket cannot be watched: {e}")
                    }
                },
                || (),
            );
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
