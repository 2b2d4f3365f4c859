//! Event threads: connections move between them through one queue of events to arm.
//!
//! Facts: `docs/internals/threads.md#handing-over-events`. A connection that has to wait pushes its event; one byte
//! goes into a socket pair that every thread watches through its own duplicate; the thread that wakes first arms the
//! event on its own base. After the push the pushing thread must not touch the connection any more.
//!
//! One difference from the original: before the main thread cleans up, it waits until every other thread has left its
//! loop. There they stay parked, as live as the original's threads during clean-up and unloading, but out of the state
//! machine, so that a shutdown never races with a connection.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ffi::{c_int, c_short, c_void};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::ptr;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chassis_sys::{chassis, event, event_base};
use libc::timeval;

use crate::exports::export;
use crate::libevent::{self, Base, EV_PERSIST, EV_READ, EventMemory};
use crate::log;
use crate::shutdown;

/// How long a thread runs its loop before it looks at the shutdown flag again. The original: one second.
const SHUTDOWN_POLL: Duration = Duration::from_millis(250);

/// An event to arm.
struct Op {
    event: *mut event,
    timeout: Option<timeval>,
}

// SAFETY: INV-3: who pushes an event gives it away; the thread that pops it is the only user.
unsafe impl Send for Op {}

/// The queue that all event threads share.
struct Queue {
    ops: Mutex<VecDeque<Op>>,
    ring: UnixStream,
    bell: UnixStream,
}

impl Queue {
    fn new() -> io::Result<Self> {
        let (ring, bell) = UnixStream::pair()?;
        ring.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        Ok(Self { ops: Mutex::default(), ring, bell })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Op>> {
        self.ops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, op: Op) {
        let mut ops = self.lock();
        ops.push_back(op);
        match (&self.ring).write(b".") {
            Ok(_) => {}
            // A full pipe wakes the threads anyway.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => log::critical(&format!("cannot wake the event threads: {error}")),
        }
    }

    /// Arms all queued events on `base`, the calling thread's.
    fn arm_all(&self, base: *mut event_base) {
        loop {
            let mut ops = self.lock();
            // The byte is eaten even without an event: one left over by a full pipe would wake the threads for ever.
            let _ = (&self.bell).read(&mut [0; 1]);
            let Some(op) = ops.pop_front() else { return };
            // SAFETY: INV-3: the pusher set the event and gave it away; the base is this thread's.
            unsafe { libevent::arm(base, op.event, op.timeout) };
        }
    }
}

/// Made in the worker process by the first use: a queue from before a fork would be shared with the parent.
static QUEUE: OnceLock<Queue> = OnceLock::new();

fn queue() -> &'static Queue {
    QUEUE.get_or_init(|| Queue::new().expect("a socket pair is available at start"))
}

thread_local! {
    /// The loop of this thread, while it serves one.
    static BASE: Cell<*mut event_base> = const { Cell::new(ptr::null_mut()) };
}

/// Gives an event away, to the thread that wakes first.
///
/// # Safety
/// INV-3: `event` was set, is not armed, lives until it fired, and is not touched by the caller any more.
pub unsafe fn push(event: *mut event, timeout: Option<timeval>) {
    queue().push(Op { event, timeout });
}

/// A loop that takes events from the queue.
pub struct EventLoop {
    base: Base,
    listener: *mut EventMemory,
    _bell: UnixStream,
}

impl EventLoop {
    /// A loop for the calling thread.
    pub fn new() -> io::Result<Self> {
        unsafe extern "C" fn wake(_fd: c_int, _events: c_short, base: *mut c_void) {
            queue().arm_all(base.cast());
        }
        let base = Base::new().ok_or_else(|| io::Error::other("libevent has no event loop"))?;
        let bell = queue().bell.try_clone()?;
        let listener = Box::into_raw(Box::new(EventMemory::zeroed()));
        // SAFETY: the memory is that of one event; `drop` removes it before freeing it; the base is this thread's.
        unsafe {
            libevent::event_set(
                listener.cast(),
                bell.as_raw_fd(),
                EV_READ | EV_PERSIST,
                Some(wake),
                base.as_ptr().cast(),
            );
            libevent::arm(base.as_ptr(), listener.cast(), None);
        }
        Ok(Self { base, listener, _bell: bell })
    }

    /// The libevent base.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Serves connections until the process is told to stop.
    pub fn serve(&self) {
        BASE.set(self.base.as_ptr());
        while !shutdown::requested() {
            if !self.base.run_for(SHUTDOWN_POLL) {
                log::critical("an event thread leaves: its event loop failed");
                break;
            }
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // SAFETY: `new` armed the event in this memory on this base; nobody else knows it.
        unsafe {
            libevent::disarm(self.listener.cast());
            drop(Box::from_raw(self.listener));
        }
    }
}

/// Where threads that left their loop wait for the end.
#[derive(Default)]
struct Lot {
    serving: usize,
    released: bool,
}

static LOT: Mutex<Lot> = Mutex::new(Lot { serving: 0, released: false });
static LOT_CHANGED: Condvar = Condvar::new();

fn lot() -> MutexGuard<'static, Lot> {
    LOT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The event threads besides the main thread.
pub struct EventThreads(Vec<JoinHandle<()>>);

impl EventThreads {
    /// Starts `count` threads.
    pub fn start(count: usize) -> io::Result<Self> {
        let mut threads = Self(Vec::new());
        if count > 0 {
            log::message(&format!("starting {count} threads"));
        }
        for number in 1..=count {
            lot().serving += 1;
            let thread = thread::Builder::new().name(format!("event-{number}")).spawn(|| {
                let event_loop = EventLoop::new();
                match &event_loop {
                    Ok(event_loop) => event_loop.serve(),
                    Err(error) => log::critical(&format!("an event thread cannot start: {error}")),
                }
                // The loop lives until the end: clean-up removes armed events from it.
                park();
            });
            match thread {
                Ok(thread) => threads.0.push(thread),
                Err(error) => {
                    lot().serving -= 1;
                    return Err(error);
                }
            }
        }
        Ok(threads)
    }

    /// Waits until every thread has left its loop. The process must have been told to stop.
    pub fn wait_until_parked(&self) {
        let mut lot = lot();
        while lot.serving > 0 {
            lot = LOT_CHANGED.wait(lot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn park() {
    let mut lot = lot();
    lot.serving -= 1;
    LOT_CHANGED.notify_all();
    while !lot.released {
        lot = LOT_CHANGED.wait(lot).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Drop for EventThreads {
    /// Lets the threads end and joins them.
    fn drop(&mut self) {
        shutdown::request("the end of the event threads");
        lot().released = true;
        LOT_CHANGED.notify_all();
        for thread in self.0.drain(..) {
            if thread.join().is_err() {
                log::critical("an event thread panicked");
            }
        }
    }
}

/// Arms an event on the loop it was on before, else on that of this thread.
unsafe fn arm_local(event: *mut event, timeout: Option<timeval>) {
    // SAFETY: the caller passes an event.
    let base = unsafe { libevent::base_of(event) }.map_or(BASE.get(), ptr::NonNull::as_ptr);
    assert!(
        !base.is_null(),
        "chassis_event_add_local outside an event thread, event without a base"
    );
    // SAFETY: the caller passes an event it has set, on one of the bases of event threads.
    unsafe { libevent::arm(base, event, timeout) };
}

export! {
    /// Appends to the shared queue; any event thread arms the event.
    fn chassis_event_add(_chas: *mut chassis, ev: *mut event) {
        // SAFETY: the caller gives the event away (ABI).
        unsafe { push(ev, None) };
    }

    /// The same with a timeout (copied; NULL: none).
    fn chassis_event_add_with_timeout(_chas: *mut chassis, ev: *mut event, timeout: *mut timeval)
    as fn_chassis_event_add_with_timeout {
        // SAFETY: the caller gives the event away; the timeout is NULL or readable (ABI).
        unsafe { push(ev, timeout.as_ref().copied()) };
    }

    /// Arms the event on this event thread at once.
    fn chassis_event_add_local(_chas: *mut chassis, ev: *mut event) {
        // SAFETY: the caller passes an event it has set (ABI).
        unsafe { arm_local(ev, None) };
    }

    /// The same with a timeout (copied; NULL: none).
    fn chassis_event_add_local_with_timeout(_chas: *mut chassis, ev: *mut event, timeout: *mut timeval) {
        // SAFETY: the caller passes an event it has set; the timeout is NULL or readable (ABI).
        unsafe { arm_local(ev, timeout.as_ref().copied()) };
    }
}
