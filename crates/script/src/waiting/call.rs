//! One call of a hook that waits, from the question to the verdict.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyStopIteration;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use super::event_loop::EventLoop;
use super::lent;
use super::steps::Steps;
use crate::asked::{FromScript, Mailbox};
use crate::failure::Failure;
use crate::permission::Permission;
use crate::running::Running;
use engine::{Ask, QueryId, Session, Shared, Slot, Verdict};

/// How long a coroutine that was cancelled may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// The script of the connection, as far as a call needs it.
pub trait Tie: Debug + Send + Sync {
    /// Calls the hook.
    fn call<'py>(
        &self,
        py: Python<'py>,
        ask: &Ask,
        packet: &[u8],
    ) -> Result<Bound<'py, PyAny>, Failure>;

    /// What the hook returned, as a verdict.
    fn conclude(
        &self,
        py: Python<'_>,
        ask: &Ask,
        returned: &Bound<'_, PyAny>,
    ) -> Result<Verdict, Failure>;

    /// From now on code of the hook runs, until this is dropped.
    fn enter<'py>(&self, py: Python<'py>, ask: &Ask) -> Running<'py>;

    /// Writes a failure to the log.
    fn log(&self, py: Python<'_>, ask: &Ask, failure: &Failure);

    /// Counts a call that ended.
    fn count(&self, ask: &Ask, verdict: &Verdict, ran: Duration, waited: Duration);

    /// Runs a step of the script. Not while the process ends.
    fn attached(&self, step: &mut dyn FnMut(Python<'_>));
}

/// One call.
#[derive(Debug)]
pub struct Call {
    ask: Ask,
    session: Slot<Session>,
    shared: Arc<Shared>,
    tie: Arc<dyn Tie>,
    mailbox: Arc<dyn Mailbox>,
    alive: AtomicBool,
    began: Instant,
    /// Time in which its code ran, in nanoseconds.
    ran: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    task: Option<Py<PyAny>>,
    coroutine: Option<Py<PyAny>>,
    /// Queries that run, and the futures that wait for them.
    queries: HashMap<QueryId, Py<PyAny>>,
    asked: QueryId,
    /// Goes off when the call has taken too long.
    timer: Option<Py<PyAny>>,
    /// How long it was in coming to the loop, and when the coroutine began, as the loop's clock has it.
    started: Option<(Duration, f64)>,
    /// What is left of its time, since when.
    left: Option<Left>,
    /// It was told to end, and why.
    cancelled: Option<Why>,
}

/// What is left of the time of a call, as the clock of the loop has it.
#[derive(Debug, Clone, Copy)]
struct Left {
    seconds: f64,
    since: f64,
}

/// Why a call was told to end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// The connection ends.
    ConnectionEnds,
    /// It took too long; where it was.
    TimedOut(String),
}

impl Call {
    /// A call that is about to begin.
    pub fn new(
        ask: Ask,
        session: Slot<Session>,
        shared: Arc<Shared>,
        tie: Arc<dyn Tie>,
        mailbox: Arc<dyn Mailbox>,
    ) -> Arc<Self> {
        let (alive, ran, state) = (AtomicBool::new(true), AtomicU64::new(0), Mutex::default());
        let began = Instant::now();
        Arc::new(Self { ask, session, shared, tie, mailbox, alive, began, ran, state })
    }

    /// Whether its coroutine has not ended.
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    /// Whether it was told to end.
    pub fn is_cancelled(&self) -> bool {
        !self.is_alive() || self.state().cancelled.is_some()
    }

    /// The connection.
    pub fn session(&self) -> &Slot<Session> {
        &self.session
    }

    /// The script.
    pub fn tie(&self) -> &dyn Tie {
        &*self.tie
    }

    /// From now on code of the hook runs, until this is dropped: with its connection, if the coroutine has not ended.
    pub fn enter<'py>(&self, py: Python<'py>) -> (Running<'py>, Option<Permission>) {
        let permission = self.is_alive().then(|| Permission::of_hook(self.session.identity()));
        (self.tie.enter(py, &self.ask), permission)
    }

    /// A step took this long.
    pub fn ran(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.ran.fetch_add(nanos, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the hook. On the loop's thread.
    pub fn begin(self: &Arc<Self>, py: Python<'_>, packet: &[u8]) {
        let returned = {
            let _entered = self.enter(py);
            self.tie.call(py, &self.ask, packet)
        };
        match returned {
            Ok(returned) => self.go_on(py, &returned),
            Err(failure) => self.fail(py, &failure),
        }
    }

    /// Goes on with what the hook returned: a coroutine runs. On the loop's thread.
    pub fn go_on(self: &Arc<Self>, py: Python<'_>, returned: &Bound<'_, PyAny>) {
        if self.state().cancelled.is_some() {
            _ = returned.call_method0(intern!(py, "close"));
            return self.end(py, Verdict::Failed);
        }
        if !returned.hasattr(intern!(py, "send")).unwrap_or(false) {
            return self.conclude(py, returned);
        }
        if let Err(error) = self.run(py, returned) {
            self.fail(py, &Failure::Raised(error));
        }
    }

    fn run(self: &Arc<Self>, py: Python<'_>, coroutine: &Bound<'_, PyAny>) -> PyResult<()> {
        let event_loop = EventLoop::get(py)?.python(py);
        let steps = Steps::of_hook(coroutine.clone().unbind(), Arc::clone(self));
        let context = lent::context(py, self)?;
        let create = event_loop.getattr(intern!(py, "create_task"))?;
        let task = context.call_method1(intern!(py, "run"), (create, Bound::new(py, steps)?))?;
        let since = EventLoop::get(py)?.time(py)?;
        let limit = self.shared.hook_timeout;
        let mut state = self.state();
        state.task = Some(task.unbind());
        state.coroutine = Some(coroutine.clone().unbind());
        state.started = Some((self.began.elapsed(), since));
        state.left = limit.map(|limit| Left { seconds: limit.as_secs_f64(), since });
        Ok(())
    }

    /// A step of the coroutine has come to this: what the task is told of it. Exceptions end here: nobody would look at the task's.
    pub fn stepped(
        self: &Arc<Self>,
        py: Python<'_>,
        step: PyResult<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        match step {
            Ok(waits_for) => {
                self.begin_to_wait(py)?;
                Ok(waits_for)
            }
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                let returned = error.value(py).getattr(intern!(py, "value"))?;
                self.conclude(py, &returned);
                Err(error)
            }
            Err(error) => {
                let is_cancelled = error.is_instance_of::<CancelledError>(py);
                let to_task =
                    if is_cancelled { error.clone_ref(py) } else { PyStopIteration::new_err(()) };
                self.fail(py, &Failure::Raised(error));
                Err(to_task)
            }
        }
    }

    /// It did not end with its first step: its time counts.
    fn begin_to_wait(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let state = self.state();
        let counts =
            state.timer.is_some() || !state.queries.is_empty() || state.cancelled.is_some();
        drop(state);
        if counts || !self.is_alive() { Ok(()) } else { self.start_timer(py) }
    }

    fn conclude(self: &Arc<Self>, py: Python<'_>, returned: &Bound<'_, PyAny>) {
        if !self.is_alive() || self.state().cancelled.is_some() {
            return self.fail(py, &Failure::Ended);
        }
        let concluded = {
            let _entered = self.enter(py);
            self.tie.conclude(py, &self.ask, returned)
        };
        match concluded {
            Ok(verdict) => self.end(py, verdict),
            Err(failure) => self.fail(py, &failure),
        }
    }

    fn fail(self: &Arc<Self>, py: Python<'_>, failure: &Failure) {
        let cancelled = self.state().cancelled.clone();
        match (cancelled, failure) {
            (Some(Why::TimedOut(stack)), _) => {
                self.tie.log(py, &self.ask, &Failure::TimedOut(stack));
            }
            (Some(Why::ConnectionEnds), Failure::Raised(error))
                if !error.is_instance_of::<CancelledError>(py) && self.is_alive() =>
            {
                self.tie.log(py, &self.ask, failure);
            }
            (Some(Why::ConnectionEnds), _) => {}
            (None, failure) if self.is_alive() => self.tie.log(py, &self.ask, failure),
            (None, _) => {}
        }
        self.end(py, Verdict::Failed);
    }

    /// The call is over: from now on its coroutine, if it still runs, has no connection.
    fn end(self: &Arc<Self>, py: Python<'_>, verdict: Verdict) {
        if !self.alive.swap(false, Ordering::AcqRel) {
            return;
        }
        let state = std::mem::take(&mut *self.state());
        if let Some(timer) = state.timer {
            _ = timer.call_method0(py, intern!(py, "cancel"));
        }
        for future in state.queries.into_values() {
            _ = future.call_method0(py, intern!(py, "cancel"));
        }
        let ran = Duration::from_nanos(self.ran.load(Ordering::Relaxed));
        let took = state.started.map_or_else(
            || self.began.elapsed(),
            |(before, since)| {
                let now = EventLoop::get(py).and_then(|event_loop| event_loop.time(py));
                before
                    + Duration::try_from_secs_f64(now.unwrap_or(since) - since).unwrap_or_default()
            },
        );
        let waited = took.saturating_sub(ran);
        self.tie.count(&self.ask, &verdict, ran, waited);
        self.mailbox.put(FromScript::Verdict(verdict));
    }

    /// The connection ends: so does the coroutine. On the loop's thread.
    pub fn cancel(self: &Arc<Self>, py: Python<'_>) {
        self.cancel_because(py, Why::ConnectionEnds);
    }

    fn cancel_because(self: &Arc<Self>, py: Python<'_>, why: Why) {
        let mut state = self.state();
        if state.cancelled.is_some() || !self.is_alive() {
            return;
        }
        state.cancelled = Some(why);
        let task = state.task.as_ref().map(|task| task.clone_ref(py));
        let timer = state.timer.take();
        drop(state);
        if let Some(timer) = timer {
            _ = timer.call_method0(py, intern!(py, "cancel"));
        }
        if let Some(task) = task {
            _ = task.call_method0(py, intern!(py, "cancel"));
            if let Err(error) = self.later(py, GRACE.as_secs_f64(), Self::give_up) {
                error.write_unraisable(py, None);
            }
        }
    }

    /// It was cancelled, and goes on all the same: without the connection.
    fn give_up(self: &Arc<Self>, py: Python<'_>) {
        if self.is_alive() {
            self.tie.log(py, &self.ask, &Failure::DoesNotEnd);
            self.end(py, Verdict::Failed);
        }
    }

    /// Calls `f` on the loop's thread after this time.
    fn later(
        self: &Arc<Self>,
        py: Python<'_>,
        seconds: f64,
        f: fn(&Arc<Self>, Python<'_>),
    ) -> PyResult<()> {
        let call = Arc::clone(self);
        let late = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            f(&call, args.py());
        };
        let late = PyCFunction::new_closure(py, None, None, late)?;
        let event_loop = EventLoop::get(py)?.python(py);
        let timer = event_loop.call_method1(intern!(py, "call_later"), (seconds, late))?;
        self.state().timer = Some(timer.unbind());
        Ok(())
    }

    fn start_timer(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let now = EventLoop::get(py)?.time(py)?;
        let mut state = self.state();
        let Some(left) = &mut state.left else { return Ok(()) };
        left.since = now;
        let seconds = left.seconds;
        drop(state);
        self.later(py, seconds, |call, py| {
            let stack = call.stack(py).unwrap_or_default();
            call.cancel_because(py, Why::TimedOut(stack));
        })
    }

    fn stop_timer(&self, py: Python<'_>) -> PyResult<()> {
        let now = EventLoop::get(py)?.time(py)?;
        let mut state = self.state();
        if let Some(left) = &mut state.left {
            left.seconds = (left.seconds - (now - left.since)).max(0.0);
        }
        let timer = state.timer.take();
        drop(state);
        match timer {
            Some(timer) => timer.call_method0(py, intern!(py, "cancel")).map(drop),
            None => Ok(()),
        }
    }

    /// Where the coroutine is, as a traceback has it.
    pub fn stack(&self, py: Python<'_>) -> PyResult<String> {
        let coroutine = self.state().coroutine.as_ref().map(|coroutine| coroutine.clone_ref(py));
        let Some(coroutine) = coroutine else { return Ok(String::new()) };
        let module = py.import(intern!(py, "pyproxy._errors"))?;
        module.call_method1(intern!(py, "where"), (coroutine,))?.extract()
    }

    /// A query begins: gives its number. Time in queries is not the hook's.
    pub fn begin_query(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<QueryId> {
        let mut state = self.state();
        state.asked += 1;
        let id = state.asked;
        let is_first = state.queries.is_empty();
        state.queries.insert(id, future.clone().unbind());
        let is_cancelled = state.cancelled.is_some();
        drop(state);
        if is_first && !is_cancelled {
            self.stop_timer(py)?;
        }
        Ok(id)
    }

    /// A query has ended, or nobody waits for it any more: its future, if that is news.
    pub fn end_query(self: &Arc<Self>, py: Python<'_>, id: QueryId) -> Option<Py<PyAny>> {
        let mut state = self.state();
        let future = state.queries.remove(&id)?;
        let goes_on = state.queries.is_empty() && state.cancelled.is_none() && self.is_alive();
        drop(state);
        if goes_on && let Err(error) = self.start_timer(py) {
            error.write_unraisable(py, None);
        }
        Some(future)
    }

    /// What the connection's driver is told.
    pub fn tell(&self, message: FromScript) {
        self.mailbox.put(message);
    }
}
