//! Noticing that the process is asked to end, whatever its threads do.
//!
//! The host learns of SIGTERM and SIGINT in the event loop of its main thread. If a hook blocks that thread, or holds what it waits
//! for, nobody looks. So a handler of our own stands before the host's: it notes the signal, and calls the host's.

use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, transmute};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::host;

/// The signals that end the host.
const ENDING: [c_int; 2] = [libc::SIGTERM, libc::SIGINT];

/// One of them came, or the end has begun without one.
static ASKED: AtomicBool = AtomicBool::new(false);
/// The handlers that the host had set, in the order of [`ENDING`].
static BEFORE: [Handler; 2] = [const { Handler::none() }; 2];

/// A handler as the kernel knows it: where it is, and the flags, one of which says how it is called.
struct Handler {
    address: AtomicUsize,
    flags: AtomicI32,
}

impl Handler {
    const fn none() -> Self {
        Self { address: AtomicUsize::new(libc::SIG_DFL), flags: AtomicI32::new(0) }
    }

    fn set(&self, action: &libc::sigaction) {
        self.flags.store(action.sa_flags, Ordering::Release);
        self.address.store(action.sa_sigaction, Ordering::Release);
    }

    /// # Safety
    /// In a handler, with its arguments.
    unsafe fn call(&self, signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
        let address = self.address.load(Ordering::Acquire);
        if address == libc::SIG_DFL || address == libc::SIG_IGN {
            return;
        }
        // SAFETY: INV-10: what was set as a handler is a function, of the type that the flags tell.
        unsafe {
            if self.flags.load(Ordering::Acquire) & libc::SA_SIGINFO == 0 {
                transmute::<usize, extern "C" fn(c_int)>(address)(signal);
            } else {
                type Informed = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
                transmute::<usize, Informed>(address)(signal, info, context);
            }
        }
    }
}

/// The process ends: the host has begun with it, for whatever reason.
pub fn end_begins() {
    ASKED.store(true, Ordering::Relaxed);
}

/// The host does not look at signals any more: from now on one of them ends the process at once, as a failure. The parent of `--keepalive`
/// takes that for an end, and not for a crash.
pub fn end_at_the_next() {
    let handler: extern "C" fn(c_int) = at_once;
    for signal in ENDING {
        // SAFETY: INV-10: a function of the right type, which stays, and makes one system call.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

extern "C" fn at_once(_signal: c_int) {
    host::end_process();
}

/// Whether the process is asked to end: by a signal, or by whoever told the host.
pub fn is_asked_to_end() -> bool {
    ASKED.load(Ordering::Relaxed) || host::is_shutdown()
}

/// Stands before the host's handlers as soon as the host has set them, which it does behind `apply_config`.
#[derive(Debug)]
pub struct Before {
    /// The handlers in `apply_config`: a script may have set some. The host replaces them.
    early: [usize; 2],
}

impl Before {
    /// Waits for the host's handlers. In `apply_config`.
    pub fn early() -> Self {
        Self { early: ENDING.map(|signal| action(signal).map_or(0, |action| action.sa_sigaction)) }
    }

    /// Whether the host has set its handlers: every plugin has started then, and nothing stops the process any more that goes wrong in the
    /// start.
    pub fn host_is_up(&self) -> bool {
        let mut handlers = ENDING.into_iter().zip(self.early);
        handlers.all(|(signal, early)| action(signal).is_some_and(|now| is_set(&now, early)))
    }

    /// Looks whether the host has set its handlers; `true` once ours stand before all of them. Whoever replaces them later
    /// does without.
    pub fn stand(&self) -> bool {
        let mut all = true;
        for ((signal, early), before) in ENDING.into_iter().zip(self.early).zip(&BEFORE) {
            all &= action(signal).is_some_and(|now| stand_before(signal, early, before, &now));
        }
        all
    }
}

fn stand_before(signal: c_int, early: usize, before: &Handler, now: &libc::sigaction) -> bool {
    let own: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = noticed;
    let own = own as libc::sighandler_t;
    if now.sa_sigaction == own {
        return true;
    }
    if !is_set(now, early) {
        return false;
    }
    before.set(now);
    let mut action = *now;
    action.sa_sigaction = own;
    action.sa_flags |= libc::SA_SIGINFO;
    let mut replaced = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: INV-10; the kernel fills `replaced` if it succeeds.
    unsafe {
        if libc::sigaction(signal, &raw const action, replaced.as_mut_ptr()) == 0 {
            before.set(&replaced.assume_init());
        }
    }
    true
}

/// Whether somebody has set a handler since it was `early`.
fn is_set(now: &libc::sigaction, early: usize) -> bool {
    ![early, libc::SIG_DFL, libc::SIG_IGN].contains(&now.sa_sigaction)
}

/// What is done when this signal comes.
fn action(signal: c_int) -> Option<libc::sigaction> {
    let mut now = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with NULL nothing is changed; the kernel fills `now` if it succeeds.
    unsafe { (libc::sigaction(signal, null(), now.as_mut_ptr()) == 0).then(|| now.assume_init()) }
}

/// Nothing here allocates or waits.
extern "C" fn noticed(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    ASKED.store(true, Ordering::Relaxed);
    for (own, before) in ENDING.into_iter().zip(&BEFORE) {
        if own == signal {
            // SAFETY: this is a handler, and these are its arguments.
            unsafe { before.call(signal, info, context) };
        }
    }
}
