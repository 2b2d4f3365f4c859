//! The program that a script runs in, in memory: it keeps the log, and is asked to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::Shared;

/// A line of the log: the level by its name, and the text.
pub type Entry = (&'static str, String);

/// What a proxy in memory tells its script, and is told by it.
#[derive(Debug)]
pub struct Host {
    shared: Arc<Shared>,
    entries: Mutex<Vec<Entry>>,
    shutdown_requested: AtomicBool,
}

/// Those whose scripts run, or wait; the one that began last is last. A thread that a script started may ask it as well.
static RUNNING: Mutex<Vec<Arc<Host>>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// With an empty log.
    pub fn new(shared: Arc<Shared>) -> Arc<Self> {
        let (entries, shutdown_requested) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Self { shared, entries, shutdown_requested })
    }

    /// The one whose script runs now.
    pub fn running() -> Option<Arc<Self>> {
        lock(&RUNNING).last().cloned()
    }

    /// Its script, or the proxy itself, runs from now on.
    pub fn enter(self: &Arc<Self>) {
        lock(&RUNNING).push(Arc::clone(self));
    }

    /// It does not run any more, as often as it was entered.
    pub fn leave(self: &Arc<Self>) {
        let mut running = lock(&RUNNING);
        if let Some(last) = running.iter().rposition(|host| Arc::ptr_eq(host, self)) {
            running.remove(last);
        }
    }

    /// Adds a line to the log.
    pub fn write(&self, level: &'static str, text: String) {
        lock(&self.entries).push((level, text));
    }

    /// Takes the lines that were written since the last call.
    pub fn take_entries(&self) -> Vec<Entry> {
        std::mem::take(&mut lock(&self.entries))
    }

    /// Whether the script wants it to end.
    pub fn shutdown_requested(&self) -> bool {
        self.shutdown_requested.load(Ordering::Relaxed)
    }
}

/// `pyproxy.chassis`, of the host that runs now.
#[derive(Debug)]
pub struct Running;

impl script::chassis::Host for Running {
    fn stats(&self) -> Vec<(String, u64)> {
        Host::running().map(|host| host.shared.stats.report(0)).unwrap_or_default()
    }

    fn request_shutdown(&self, _: &str) {
        if let Some(host) = Host::running() {
            host.shutdown_requested.store(true, Ordering::Relaxed);
        }
    }
}
