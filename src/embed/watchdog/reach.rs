//! What the watchdog needs Python for: where a hook is, and an exception in it.
//!
//! A hook may hold Python's lock for ever. So a second thread attaches, and the watchdog waits for it a moment only.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use pyo3::Python;

use crate::boundary::guard;
use crate::embed::script::Environment;
use ::script::{Call, HookThread};

/// How long the watchdog waits for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Where the hook is; empty: not in Python code.
    Stack(String),
    /// It has ended.
    Over,
    /// Nothing yet: something holds Python. The request stands.
    Nothing,
    /// An earlier request stands.
    Busy,
}

impl Found {
    /// The end of a line of the log.
    pub fn stack(&self) -> String {
        match self {
            Self::Stack(stack) if stack.is_empty() => ", not in Python code now".to_owned(),
            Self::Stack(stack) => format!(":\n{stack}"),
            Self::Over => String::new(),
            Self::Nothing | Self::Busy => {
                ", and does not let go of Python, so that its stack cannot be seen".to_owned()
            }
        }
    }
}

#[derive(Debug)]
struct Request {
    thread: &'static HookThread,
    call: Call,
    interrupts: bool,
    answer: SyncSender<Found>,
}

/// The thread that attaches. It ends with the process, or some time after the watchdog.
#[derive(Debug)]
pub struct Reach(SyncSender<Request>);

impl Reach {
    /// Starts it.
    pub fn start(environment: Arc<Environment>) -> std::io::Result<Self> {
        // Nothing is queued: a request is taken at once, or not at all.
        let (requests, queue) = sync_channel(0);
        Builder::new()
            .name("pyproxy-reach".to_owned())
            .spawn(move || serve(&environment, queue))?;
        Ok(Self(requests))
    }

    /// Asks where the hook is, and has it interrupted if it should be.
    pub fn ask(&self, thread: &'static HookThread, call: Call, interrupts: bool) -> Found {
        let (answer, found) = sync_channel(1);
        if self.0.try_send(Request { thread, call, interrupts, answer }).is_err() {
            return Found::Busy;
        }
        found.recv_timeout(PATIENCE).unwrap_or(Found::Nothing)
    }
}

fn serve(environment: &Environment, queue: Receiver<Request>) {
    for Request { thread, call, interrupts, answer } in queue {
        // Not with a pinned thread state, which would be left behind: this thread may end.
        let look = || Python::try_attach(|py| look(py, environment, thread, call, interrupts));
        let found = guard(look, || None);
        // The watchdog may wait no more.
        _ = answer.send(found.unwrap_or(Found::Nothing));
    }
}

fn look(
    py: Python<'_>,
    environment: &Environment,
    thread: &'static HookThread,
    call: Call,
    interrupts: bool,
) -> Found {
    let stack = environment.bootstrap.stack(py, thread.ident()).unwrap_or_default();
    if thread.call() != Some(call) {
        return Found::Over;
    }
    if interrupts && let Err(error) = thread.interrupt(py, call) {
        error.write_unraisable(py, None);
    }
    Found::Stack(stack)
}
