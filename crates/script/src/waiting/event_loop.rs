//! The asyncio loop, and the thread that runs it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use std::cell::Cell;

use super::steps::Steps;
use crate::guest::Guest;

/// Something to be done on the loop's thread.
pub type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// The loop, once something needs it.
static LOOP: OnceLock<EventLoop> = OnceLock::new();
/// Starts it, for whatever needs it first.
static START: OnceLock<fn(Python<'_>) -> PyResult<()>> = OnceLock::new();

thread_local! {
    static IS_LOOP: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the thread of the loop.
#[inline]
pub fn is_loop_thread() -> bool {
    IS_LOOP.get()
}

/// The loop of this process.
pub struct EventLoop {
    python: Py<PyAny>,
    jobs: Mutex<Jobs>,
    /// The thread has ended.
    ended: Condvar,
    /// Has a byte in it while there are jobs that the loop was not told about.
    wake: UnixStream,
}

#[derive(Default)]
struct Jobs {
    queue: VecDeque<Job>,
    /// The loop knows that there are some.
    told: bool,
    /// It is to end.
    stopping: bool,
    /// It has ended.
    ended: bool,
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").finish_non_exhaustive()
    }
}

impl EventLoop {
    /// Scripts of this kind may need the loop: it is started when one does.
    pub fn offer<G: Guest>() {
        START.get_or_init(|| start::<G>);
    }

    /// The loop, started if it was not.
    pub fn get(py: Python<'_>) -> PyResult<&'static Self> {
        if LOOP.get().is_none() {
            let start = START.get().ok_or_else(|| {
                pyo3::exceptions::PyRuntimeError::new_err("there is no event loop: no proxy runs")
            })?;
            start(py)?;
        }
        Self::running().ok_or_else(|| {
            pyo3::exceptions::PyRuntimeError::new_err("the event loop of the scripts has ended")
        })
    }

    /// The loop, if something needed it, and it has not ended.
    pub fn running() -> Option<&'static Self> {
        LOOP.get().filter(|event_loop| !event_loop.jobs().ended)
    }

    /// The asyncio loop.
    pub fn python<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.python.bind(py)
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the loop do this. Neither waits nor needs Python.
    pub fn post(&self, job: Job) {
        let mut jobs = self.jobs();
        jobs.queue.push_back(job);
        let is_told = std::mem::replace(&mut jobs.told, true);
        drop(jobs);
        if !is_told {
            self.tell();
        }
    }

    fn tell(&self) {
        // It is never full: there is one byte in it at most.
        if let Err(e) = (&self.wake).write(&[0]) {
            log::error!("the event loop of the scripts cannot be woken: {e}");
        }
    }

    /// Does what was posted.
    fn run_jobs(&self, py: Python<'_>, mut woken: &UnixStream) {
        let mut byte = [0];
        _ = woken.read(&mut byte);
        let queue = {
            let mut jobs = self.jobs();
            jobs.told = false;
            std::mem::take(&mut jobs.queue)
        };
        let mut rest = Rest { event_loop: self, queue };
        while let Some(job) = rest.queue.pop_front() {
            job(py);
        }
    }

    /// Runs a coroutine on the loop, from another thread, and waits for what it returns. It may use what belongs to no connection.
    pub fn run<'py>(py: Python<'py>, coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        Self::submit(py, coroutine)?.call_method0(intern!(py, "result"))
    }

    /// Runs a coroutine like [`EventLoop::run`], and gives the `concurrent.futures.Future` of what it returns.
    pub fn submit<'py>(
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = Self::get(py)?;
        let steps = Bound::new(py, Steps::of_process(coroutine.clone().unbind()))?;
        let asyncio = py.import(intern!(py, "asyncio"))?;
        asyncio
            .call_method1(intern!(py, "run_coroutine_threadsafe"), (steps, event_loop.python(py)))
    }

    /// The time of the loop's own clock, in seconds.
    pub fn time(&self, py: Python<'_>) -> PyResult<f64> {
        self.python(py).call_method0(intern!(py, "time"))?.extract()
    }

    /// Cancels whatever runs on the loop, and waits until all of it has ended, perhaps no longer than this. Not from its own thread.
    pub fn stop(&'static self, py: Python<'_>, limit: Option<Duration>) {
        self.jobs().stopping = true;
        self.post(Box::new(move |py| {
            if let Err(error) = cancel_all(py, self.python(py)) {
                error.write_unraisable(py, None);
            }
        }));
        py.detach(|| {
            let (jobs, runs) = (self.jobs(), |jobs: &mut Jobs| !jobs.ended);
            match limit {
                Some(limit) => drop(self.ended.wait_timeout_while(jobs, limit, runs)),
                None => drop(self.ended.wait_while(jobs, runs)),
            }
        });
    }
}

/// What is left if a job panics is done at the next turn.
struct Rest<'l> {
    event_loop: &'l EventLoop,
    queue: VecDeque<Job>,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        if self.queue.is_empty() {
            return;
        }
        let mut jobs = self.event_loop.jobs();
        self.queue.append(&mut jobs.queue);
        jobs.queue = std::mem::take(&mut self.queue);
        let is_told = std::mem::replace(&mut jobs.told, true);
        drop(jobs);
        if !is_told {
            self.event_loop.tell();
        }
    }
}

/// Makes the loop, and starts its thread. The caller is attached, so there is one at a time.
fn start<G: Guest>(py: Python<'_>) -> PyResult<()> {
    let python = G::new_event_loop(py)?;
    let (wake, woken) = UnixStream::pair()?;
    wake.set_nonblocking(true)?;
    woken.set_nonblocking(true)?;
    let fd = woken.as_raw_fd();
    let made = EventLoop {
        python: python.clone().unbind(),
        jobs: Mutex::default(),
        ended: Condvar::new(),
        wake,
    };
    if LOOP.set(made).is_err() {
        // Making it lets other threads run, and one of them was faster.
        return Ok(());
    }
    let run = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        if let Some(event_loop) = LOOP.get() {
            event_loop.run_jobs(args.py(), &woken);
        }
    };
    let run = PyCFunction::new_closure(py, None, None, run)?;
    python.call_method1(intern!(py, "add_reader"), (fd, run))?;
    let thread = std::thread::Builder::new().name("pyproxy-asyncio".to_owned()).spawn(|| {
        IS_LOOP.set(true);
        G::attach_loop(|py| {
            let ended = LOOP.get().map_or(Ok(()), |event_loop| run_forever(py, event_loop));
            note_end();
            if let Err(error) = ended {
                error.write_unraisable(py, None);
            }
        });
        note_end();
    });
    if thread.is_err() {
        note_end();
    }
    Ok(thread.map(drop)?)
}

/// Nothing is done any more of what is posted.
fn note_end() {
    if let Some(event_loop) = LOOP.get() {
        event_loop.jobs().ended = true;
        event_loop.ended.notify_all();
    }
}

fn run_forever(py: Python<'_>, event_loop: &EventLoop) -> PyResult<()> {
    let python = event_loop.python(py);
    py.import(intern!(py, "asyncio"))?.call_method1(intern!(py, "set_event_loop"), (python,))?;
    loop {
        // SystemExit and KeyboardInterrupt of a task come out here. They are not for this process.
        if let Err(error) = python.call_method0(intern!(py, "run_forever")) {
            if python.call_method0(intern!(py, "is_closed"))?.is_truthy()? {
                // The script closed it.
                return Err(error);
            }
            log::error!("a task of the script asked Python to exit, which it cannot: {error}");
        } else if event_loop.jobs().stopping {
            return Ok(());
        }
    }
}

/// Every task gets its CancelledError; the loop ends when they have ended, or at once if there are none.
fn cancel_all(py: Python<'_>, python: &Bound<'_, PyAny>) -> PyResult<()> {
    let asyncio = py.import(intern!(py, "asyncio"))?;
    let tasks = asyncio.call_method1(intern!(py, "all_tasks"), (python,))?;
    let tasks: Vec<Bound<'_, PyAny>> = tasks.try_iter()?.collect::<PyResult<_>>()?;
    for task in &tasks {
        task.call_method0(intern!(py, "cancel"))?;
    }
    if tasks.is_empty() {
        python.call_method0(intern!(py, "stop"))?;
        return Ok(());
    }
    let options = PyDict::new(py);
    options.set_item(intern!(py, "return_exceptions"), true)?;
    let all =
        asyncio.call_method(intern!(py, "gather"), PyTuple::new(py, tasks)?, Some(&options))?;
    let stop = python.getattr(intern!(py, "stop"))?.unbind();
    let stop = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        stop.call0(args.py()).map(drop)
    };
    all.call_method1(
        intern!(py, "add_done_callback"),
        (PyCFunction::new_closure(py, None, None, stop)?,),
    )?;
    Ok(())
}

/// The asyncio loop that runs hooks which wait.
#[pyfunction]
#[pyo3(name = "loop")]
fn event_loop(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(EventLoop::get(py)?.python(py).clone().unbind())
}

/// Runs a coroutine in the background, on the loop of the hooks. Gives a `concurrent.futures.Future`.
///
/// It is cancelled when the proxy ends; an exception goes to the log.
#[pyfunction]
#[pyo3(signature = (coroutine, /))]
fn spawn<'py>(py: Python<'py>, coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let event_loop = EventLoop::get(py)?;
    let asyncio = py.import(intern!(py, "asyncio"))?;
    let future = asyncio.call_method1(
        intern!(py, "run_coroutine_threadsafe"),
        (coroutine, event_loop.python(py)),
    )?;
    let name = coroutine.getattr(intern!(py, "__qualname__")).and_then(|name| name.extract());
    let name: String = name.unwrap_or_else(|_| "a coroutine".to_owned());
    let done = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
        let py = args.py();
        let future = args.get_item(0)?;
        if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            return Ok(());
        }
        let error = future.call_method0(intern!(py, "exception"))?;
        if !error.is_none() {
            let logging = py.import(intern!(py, "logging"))?;
            let logger = logging.call_method1(intern!(py, "getLogger"), ("pyproxy",))?;
            let options = PyDict::new(py);
            options.set_item(intern!(py, "exc_info"), error)?;
            let text = format!("the background task {name} failed");
            logger.call_method(intern!(py, "critical"), (text,), Some(&options))?;
        }
        Ok(())
    };
    let done = PyCFunction::new_closure(py, None, None, done)?;
    future.call_method1(intern!(py, "add_done_callback"), (done,))?;
    Ok(future)
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(event_loop, module)?)?;
    module.add_function(wrap_pyfunction!(spawn, module)?)
}
