//! The watchdog: a thread that looks at the hooks from outside, needs no Python for that, and waits for nobody.
//!
//! It logs a hook that takes long, ends one that takes too long, and ends the process if that is asked to end and a hook
//! holds it up. `case.rs` has the rules, `reach.rs` what needs Python.

mod case;
mod reach;

use std::collections::HashMap;
use std::ptr::from_ref;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use self::case::{Case, Due};
use self::reach::{Found, Reach};
use super::script::Environment;
use crate::boundary::guard;
use crate::chassis::{host, signals};
use ::script::{Call, HookThread};

pub use self::case::Limits;

/// How often it looks before its signal handler is in its place.
const AT_FIRST: Duration = Duration::from_millis(10);
/// How long the process may take to end, without the time that commands have. The host looks once a second whether it is to end,
/// coroutines have 5 s.
const END: Duration = Duration::from_secs(8);
/// What `shutdown(proxy)` leaves of that.
const REST: Duration = Duration::from_millis(500);

/// When the process ends at the latest, once it is asked to.
static ENDS_AT: OnceLock<Instant> = OnceLock::new();

/// How much of `time` there is, if the process is asked to end.
pub fn left_of(time: Duration) -> Duration {
    ENDS_AT.get().map_or(time, |end| {
        time.min(end.saturating_duration_since(Instant::now()).saturating_sub(REST))
    })
}

/// The thread.
#[derive(Debug)]
pub struct Watchdog {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Watchdog {
    /// Starts it. In `apply_config`, before the host sets its signal handlers.
    pub fn start(environment: Arc<Environment>, limits: Limits) -> std::io::Result<Self> {
        let reach = Reach::start(environment)?;
        let (stop, stopped) = channel();
        let before = signals::Before::early();
        let run = move || {
            let mut watch = Watch { limits, reach, cases: HashMap::new() };
            let mut stands = false;
            loop {
                // The host is about to set its handlers; a signal that comes before can be seen only by it.
                stands = stands || before.stand();
                let pause = if stands { watch.limits.pause() } else { AT_FIRST };
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return guard(|| watch.leave(Instant::now()), || ());
                }
                guard(|| watch.look(Instant::now()), || ());
            }
        };
        let thread = Builder::new().name("pyproxy-watch".to_owned()).spawn(run)?;
        Ok(Self { stop, thread })
    }

    /// Ends it: the process ends by itself. Afterwards nothing of it is logged.
    pub fn stop(self) {
        drop(self.stop);
        // It has panicked, which was logged.
        _ = self.thread.join();
    }
}

/// What it knows.
#[derive(Debug)]
struct Watch {
    limits: Limits,
    reach: Reach,
    /// The hooks that run, by their threads.
    cases: HashMap<*const HookThread, Case>,
}

impl Watch {
    fn look(&mut self, now: Instant) {
        for thread in HookThread::all() {
            let key = from_ref(thread);
            let Some(call) = thread.call() else {
                self.cases.remove(&key);
                continue;
            };
            let case = self.cases.entry(key).or_insert_with(|| Case::new(call, now));
            if case.call() != call {
                *case = Case::new(call, now);
            }
            if let Some(due) = case.due(&self.limits, now) {
                self.act(thread, key, due, now);
            }
        }
        if signals::is_asked_to_end()
            && now >= *ENDS_AT.get_or_init(|| now + self.limits.drain + END)
        {
            let hooks =
                self.running(now).unwrap_or_else(|| "something else of the script".to_owned());
            log::error!("the process ends without waiting for {hooks}");
            host::end_process();
        }
    }

    fn act(&mut self, thread: &'static HookThread, key: *const HookThread, due: Due, now: Instant) {
        let Some(case) = self.cases.get_mut(&key) else { return };
        let call = case.call();
        let found = self.reach.ask(thread, call, due != Due::Warn);
        if due == Due::Interrupt && found == Found::Busy {
            // Nobody could be asked: at the next look.
            return;
        }
        case.done(&self.limits, due, now);
        let seconds = case.age(now).as_secs_f64();
        let (who, stack) = (name(call), found.stack());
        match (due, &found) {
            (_, Found::Over) | (Due::Interrupt, _) => {}
            (Due::Warn, _) => log::warn!("{who} has been running for {seconds:.1} s{stack}"),
            (Due::Again, _) => log::error!(
                "{who} has been running for {seconds:.1} s, longer than pyproxy-hook-timeout, and cannot be interrupted there{stack}"
            ),
        }
    }

    /// The process ends by itself. A hook that holds up nobody but the event loop of the hooks may be left behind.
    fn leave(&self, now: Instant) {
        if let Some(hooks) = self.running(now) {
            log::error!("the process has ended without waiting for {hooks}");
        }
    }

    /// The hooks that run, for the log.
    fn running(&self, now: Instant) -> Option<String> {
        let mut running = Vec::new();
        for thread in HookThread::all() {
            let Some(call) = thread.call() else { continue };
            let since = self.cases.get(&from_ref(thread)).filter(|case| case.call() == call);
            let seconds = since.map_or(0.0, |case| case.age(now).as_secs_f64());
            let stack = self.reach.ask(thread, call, false).stack();
            running
                .push(format!("{}, which has been running for {seconds:.1} s{stack}", name(call)));
        }
        (!running.is_empty()).then(|| running.join("\nand for "))
    }
}

fn name(call: Call) -> String {
    format!("connection {}: {}", call.connection(), call.hook().name())
}
