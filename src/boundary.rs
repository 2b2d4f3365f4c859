//! The C boundary: every function the host calls goes through [`guard`] or [`host_call`].
//!
//! This is the only home of `catch_unwind`. A panic is logged with its backtrace by the panic hook that
//! [`install_panic_hook`] sets, counted, and turned into the caller's fallback; it never unwinds into C.
//!
//! It is also where the proof of the host's global mutex comes from: a [`HostCall`] exists only while this thread
//! runs one of the host's connection callbacks (`SAFETY.md`, INV-1).

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

/// Panics caught at the boundary since the library was loaded.
pub static PANICS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static INSIDE: Inside = const { Inside { guards: Cell::new(0), host_calls: Cell::new(0) } };
}

/// What this thread is in. One look at it costs a call into the C library, so it is looked at once per callback.
struct Inside {
    /// Calls of [`guard`].
    guards: Cell<u32>,
    /// Calls of [`host_call`].
    host_calls: Cell<u32>,
}

/// Proof that this thread runs a connection callback, so that the host's global mutex is held and no other
/// callback runs anywhere in the process (`docs/internals/threads.md#the-mutex`).
#[derive(Debug)]
pub struct HostCall {
    _not_send: PhantomData<*mut ()>,
}

impl HostCall {
    /// Runs `f` with the proof for the callback this thread is in; `None` (and `f` not run) on a script's own thread
    /// or between callbacks.
    pub fn with_current<R>(f: impl FnOnce(&Self) -> R) -> Option<R> {
        INSIDE
            .with(|inside| inside.host_calls.get() > 0)
            .then(|| f(&Self { _not_send: PhantomData }))
    }
}

/// Runs `body`; if it panics, the value is that of `fallback`, and if that panics too, the default of `R`.
pub fn guard<R: Default>(body: impl FnOnce() -> R, fallback: impl FnOnce() -> R) -> R {
    INSIDE.with(|inside| inside.guard(body, fallback))
}

impl Inside {
    /// Nothing unwinds out of here: a caller that counts up before it can count down after it.
    #[inline]
    fn guard<R: Default>(&self, body: impl FnOnce() -> R, fallback: impl FnOnce() -> R) -> R {
        self.guards.set(self.guards.get() + 1);
        let value = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(value) => value,
            Err(payload) => after_panic(payload, fallback),
        };
        self.guards.set(self.guards.get() - 1);
        value
    }
}

#[cold]
fn after_panic<R: Default>(payload: Box<dyn Any + Send>, fallback: impl FnOnce() -> R) -> R {
    PANICS.fetch_add(1, Ordering::Relaxed);
    discard(payload);
    catch_unwind(AssertUnwindSafe(fallback)).unwrap_or_else(|payload| {
        discard(payload);
        R::default()
    })
}

/// [`guard`] for code that runs under the host's global mutex: hands out the proof.
///
/// # Safety
/// The host's global mutex is held by this thread, or no other thread can run a callback yet (INV-1).
pub unsafe fn host_call<R: Default>(
    body: impl FnOnce(&HostCall) -> R,
    fallback: impl FnOnce(&HostCall) -> R,
) -> R {
    let call = HostCall { _not_send: PhantomData };
    INSIDE.with(|inside| {
        inside.host_calls.set(inside.host_calls.get() + 1);
        let value = inside.guard(|| body(&call), || fallback(&call));
        inside.host_calls.set(inside.host_calls.get() - 1);
        value
    })
}

/// A panic's message is dropped. Any other payload may itself panic when it is: leaking it is the safe choice.
fn discard(payload: Box<dyn Any + Send>) {
    if !payload.is::<String>() && !payload.is::<&'static str>() {
        std::mem::forget(payload);
    }
}

/// Sends panic messages of this library to the host's log, with a backtrace. Idempotent.
///
/// The plugin has a standard library of its own, so every panic that comes here is one of our code and belongs in the
/// host's log. [`guard`] stops most of them, and the log has all there is to say. One outside of any guard (on a thread
/// of the script, or in a program that links this crate) goes to the hook that was set before as well.
pub fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            log_panic(info);
            if INSIDE.with(|inside| inside.guards.get()) == 0 {
                previous(info);
            }
        }));
    });
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    log::error!("internal error (panic): {message} at {place}\n{}", Backtrace::force_capture());
}

/// Panics when `PYPROXY_PANIC_IN` names this place, or `place*3`: the first three times. Does so in builds with debug
/// assertions only, for the test that a panic anywhere reaches neither C nor another connection.
#[cfg(debug_assertions)]
pub fn panic_on_purpose(place: &str) {
    use once_cell::sync::Lazy;
    static TARGET: Lazy<Option<(String, u64)>> = Lazy::new(|| {
        let target = std::env::var("PYPROXY_PANIC_IN").ok()?;
        let (place, times) = target.split_once('*').unwrap_or((&target, ""));
        Some((place.to_owned(), times.parse().unwrap_or(u64::MAX)))
    });
    static REACHED: AtomicU64 = AtomicU64::new(0);
    let Some((_, times)) = TARGET.as_ref().filter(|(target, _)| target == place) else { return };
    let reached = REACHED.fetch_add(1, Ordering::Relaxed) + 1;
    if reached <= *times {
        // The number keeps the host from joining what would be equal messages.
        panic!("on purpose, in {place} ({reached})");
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn panic_on_purpose(_place: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_fallback_and_is_counted() {
        let before = PANICS.load(Ordering::Relaxed);
        assert_eq!(guard(|| panic!("on purpose"), || 7), 7);
        assert!(PANICS.load(Ordering::Relaxed) > before);
    }

    #[test]
    fn a_panic_in_the_fallback_too_gives_the_default() {
        assert_eq!(guard(|| -> u8 { panic!("one") }, || panic!("two")), 0);
    }

    #[test]
    fn a_panic_that_no_guard_stops_reaches_the_hook_that_was_there_before() {
        thread_local! {
            static SEEN: Cell<u32> = const { Cell::new(0) };
        }
        let harness = take_hook();
        set_hook(Box::new(|_| SEEN.set(SEEN.get() + 1)));
        install_panic_hook();
        guard(|| panic!("on purpose"), || ());
        let guarded = SEEN.get();
        let unguarded = catch_unwind(|| panic!("on purpose"));
        let seen = SEEN.get();
        // Assertions that fail in other tests are shown by this one.
        set_hook(harness);
        assert!(unguarded.is_err());
        assert_eq!((guarded, seen), (0, 1));
    }

    #[test]
    fn a_host_call_is_visible_on_its_own_thread_only_and_ends() {
        assert!(HostCall::with_current(|_| ()).is_none());
        // SAFETY: a test: there is no host and no other thread that uses a HostCall.
        let seen = unsafe {
            host_call(
                |_| {
                    let visible = || HostCall::with_current(|_| ()).is_some();
                    let elsewhere = std::thread::scope(|s| s.spawn(visible).join().unwrap_or(true));
                    (visible(), elsewhere)
                },
                |_| (false, true),
            )
        };
        assert_eq!(seen, (true, false));
        assert!(HostCall::with_current(|_| ()).is_none());
    }

    #[test]
    fn a_panic_ends_the_host_call() {
        // SAFETY: as above.
        unsafe { host_call(|_| panic!("on purpose"), |_| ()) };
        assert!(HostCall::with_current(|_| ()).is_none());
    }
}
