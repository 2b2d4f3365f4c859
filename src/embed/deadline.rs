//! Work of a script that must come to an end: `shutdown(proxy)` and Python's exit handlers.

use std::sync::mpsc;
use std::time::Duration;

use pyo3::prelude::*;

use super::watchdog;
use crate::boundary::guard;

/// How long a script may take to shut down.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

/// Runs `work` attached to Python, and waits for its end, but no longer than [`SHUTDOWN_DEADLINE`], and less if the process has
/// less time to end. `who` begins the line
/// in the log that says so.
///
/// All of it happens on a thread of its own: Python code cannot be stopped from outside. A thread that never ends keeps
/// what it uses and delays nobody else. The caller must not be attached, or the work would wait for the caller.
pub fn shut_down(who: &str, work: impl FnOnce(Python<'_>) + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let patience = watchdog::left_of(SHUTDOWN_DEADLINE);
    let run = move || {
        // Not with a pinned thread state, which would be left behind: this thread ends.
        guard(|| _ = Python::try_attach(work), || ());
        // Nobody waits any more if the deadline has passed.
        let _ = done.send(());
    };
    if let Err(error) = std::thread::Builder::new().name("pyproxy-shutdown".to_owned()).spawn(run) {
        log::warn!("{who} is not shut down: no thread ({error})");
    } else if ended.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
        let seconds = patience.as_secs_f64();
        log::warn!("{who} did not shut down within {seconds:.0} s: going on without it");
    }
}
