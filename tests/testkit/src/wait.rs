//! Waiting for something another process does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::artifacts::host_is_wrapped;

/// How long a test waits for an event that is expected to happen. Generous: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How many times longer everything may take while the host runs in a wrapper such as valgrind.
const WRAPPED: u32 = 10;

/// A limit for something that the host takes part in: `limit`, or more if the host runs in a
/// wrapper.
pub fn allowing_for_wrapper(limit: Duration) -> Duration {
    if host_is_wrapped() { limit * WRAPPED } else { limit }
}

/// Asks `condition` until it holds or `limit` has passed; returns whether it held. A host in a
/// wrapper gets more time.
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + allowing_for_wrapper(limit);
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(Duration::from_millis(10));
    }
}

/// A gate between a test and a scripted peer: the peer waits until the test opens it.
#[derive(Debug, Default)]
pub struct Gate(AtomicBool);

impl Gate {
    /// Lets everybody who waits, or will wait, go on.
    pub fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Waits until the gate is open, at most [`PATIENCE`].
    pub fn wait(&self) {
        eventually(PATIENCE, || self.0.load(Ordering::SeqCst));
    }
}
