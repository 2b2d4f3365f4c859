//! The few libevent functions that the host uses, declared by hand.
//!
//! `struct event` is embedded in `network_socket`, so its size is part of the ABI: 128 bytes in libevent 2.1
//! (`docs/internals/abi.md#libevent`), which [`check_version`] verifies at start.

use std::ffi::{CStr, c_char, c_int, c_short, c_void};
use std::ptr::NonNull;
use std::time::Duration;

use chassis_sys::{event, event_base};
use libc::timeval;

use crate::log;

/// The event's time ran out.
pub const EV_TIMEOUT: c_short = 0x01;
/// The descriptor became readable.
pub const EV_READ: c_short = 0x02;
/// The descriptor became writable.
pub const EV_WRITE: c_short = 0x04;
/// A signal arrived.
const EV_SIGNAL: c_short = 0x08;
/// The event stays armed.
pub const EV_PERSIST: c_short = 0x10;

/// Version of the libevent headers this host was compiled with.
pub const HEADER_VERSION: &str = env!("LIBEVENT_HEADER_VERSION");

/// An event callback.
pub type Callback = unsafe extern "C" fn(fd: c_int, events: c_short, arg: *mut c_void);

unsafe extern "C" {
    /// Prepares an event that is not armed. It is bound to no base.
    pub fn event_set(
        ev: *mut event,
        fd: c_int,
        events: c_short,
        callback: Option<Callback>,
        arg: *mut c_void,
    );
    fn event_base_set(base: *mut event_base, ev: *mut event) -> c_int;
    fn event_add(ev: *mut event, timeout: *const timeval) -> c_int;
    fn event_del(ev: *mut event) -> c_int;
    fn event_get_base(ev: *const event) -> *mut event_base;
    fn event_base_new() -> *mut event_base;
    fn event_base_free(base: *mut event_base);
    fn event_base_loopexit(base: *mut event_base, timeout: *const timeval) -> c_int;
    fn event_base_loopbreak(base: *mut event_base) -> c_int;
    fn event_base_dispatch(base: *mut event_base) -> c_int;
    fn event_get_version() -> *const c_char;
    fn event_get_struct_event_size() -> usize;
    fn event_set_log_callback(callback: Option<unsafe extern "C" fn(c_int, *const c_char)>);
}

/// Memory for one `struct event`, zeroed: bound to no base.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct EventMemory([u64; 16]);

impl EventMemory {
    /// An event that was never set.
    pub const fn zeroed() -> Self {
        Self([0; 16])
    }
}

/// Version of the libevent in the process.
pub fn version() -> String {
    // SAFETY: returns a static C string.
    unsafe { CStr::from_ptr(event_get_version()) }.to_string_lossy().into_owned()
}

/// Checks that the library in the process has the layout this host was compiled for.
pub fn check_version() -> Result<(), String> {
    // SAFETY: no precondition.
    let size = unsafe { event_get_struct_event_size() };
    if size == size_of::<EventMemory>() {
        Ok(())
    } else {
        Err(format!(
            "built against libevent {HEADER_VERSION}, but running with {} (struct event has {size} bytes)",
            version()
        ))
    }
}

/// Sends libevent's own messages to the log.
pub fn log_through_glib() {
    unsafe extern "C" fn forward(severity: c_int, text: *const c_char) {
        // SAFETY: libevent passes a C string that lives during the call.
        let text = crate::glib::text(unsafe { crate::glib::c_bytes(text) });
        let text = format!("(libevent) {text}");
        match severity {
            3.. => log::critical(&text),
            1 | 2 => log::message(&text),
            _ => log::debug(&text),
        }
    }
    // SAFETY: the callback has the type libevent calls.
    unsafe { event_set_log_callback(Some(forward)) };
}

/// Binds an event to a base and arms it. `None` waits without limit.
///
/// # Safety
/// `ev` was set with [`event_set`], is not armed, and lives until it fired or is removed; `base` is live and driven by
/// this thread or not running.
pub unsafe fn arm(base: *mut event_base, ev: *mut event, timeout: Option<timeval>) {
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: as the caller promises; the timeout is copied.
    unsafe {
        event_base_set(base, ev);
        event_add(ev, timeout);
    }
}

/// The base an event is bound to; `None` before it was armed.
///
/// # Safety
/// `ev` is an event or zeroed memory of one.
pub unsafe fn base_of(ev: *const event) -> Option<NonNull<event_base>> {
    // SAFETY: as the caller promises.
    NonNull::new(unsafe { event_get_base(ev) })
}

/// Removes an event from its base, if it ever was armed.
///
/// # Safety
/// `ev` is an event or zeroed memory of one; the thread of its base is this one or not running.
pub unsafe fn disarm(ev: *mut event) {
    // SAFETY: as the caller promises.
    unsafe {
        if base_of(ev).is_some() {
            event_del(ev);
        }
    }
}

/// An event loop. Belongs to one thread, which frees it by dropping.
pub struct Base(NonNull<event_base>);

impl Base {
    /// A new loop; `None` when the system refuses one.
    pub fn new() -> Option<Self> {
        // SAFETY: no precondition.
        NonNull::new(unsafe { event_base_new() }).map(Self)
    }

    /// The pointer that plugins and [`arm`] take.
    pub fn as_ptr(&self) -> *mut event_base {
        self.0.as_ptr()
    }

    /// Runs callbacks for `period`. False when the loop failed.
    pub fn run_for(&self, period: Duration) -> bool {
        let period = timeval {
            tv_sec: libc::time_t::try_from(period.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_usec: period.subsec_micros().into(),
        };
        // SAFETY: the base is live and belongs to this thread.
        unsafe {
            event_base_loopexit(self.as_ptr(), &raw const period) == 0
                && event_base_dispatch(self.as_ptr()) >= 0
        }
    }

    /// Calls `callback` with this base whenever `signal` arrives. Signals are watched until
    /// the process ends.
    pub fn watch_signal(&self, signal: c_int, callback: Callback) {
        let memory: *mut event = Box::into_raw(Box::new(EventMemory::zeroed())).cast();
        crate::glib::keep(memory);
        // SAFETY: the memory is that of one event and lives for ever; the base is this thread's.
        unsafe {
            event_set(memory, signal, EV_SIGNAL | EV_PERSIST, Some(callback), self.as_ptr().cast());
            arm(self.as_ptr(), memory, None);
        }
    }

    /// Leaves the loop that runs in this thread after the current callback.
    ///
    /// # Safety
    /// `base` is the base whose callback is running.
    pub unsafe fn leave(base: *mut c_void) {
        // SAFETY: as the caller promises.
        unsafe { event_base_loopbreak(base.cast()) };
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        // SAFETY: the loop is not running: it runs only inside `run_for`.
        unsafe { event_base_free(self.as_ptr()) };
    }
}
