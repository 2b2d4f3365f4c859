//! Interrupting a hook: the exception comes into the call that it is for, and into nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use ::script::HookThread;

/// This thread, as one that runs hooks.
fn own() -> &'static HookThread {
    Connection::new("def disconnect_client(proxy): pass").call(Hook::DisconnectClient);
    // SAFETY: may be asked at any time.
    let ident = unsafe { pyo3::ffi::PyThread_get_thread_ident() };
    let all = HookThread::all();
    // Numbers of threads that have ended are used again.
    all.into_iter().rev().find(|thread| thread.ident() == ident).expect("it ran a hook")
}

/// Says so when it is dropped.
struct Ends<'e>(&'e AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Calls `read_query` so many times, each call interrupted as soon as it is seen; `after` runs behind each.
fn interrupted(script: &str, times: u32, mut after: impl FnMut(Verdict)) {
    let mut connection = Connection::new(script);
    connection.change(|session| session.command = Some(3));
    let own = own();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                if let Some(call) = own.call() {
                    python(|py| own.interrupt(py, call)).expect("interrupted");
                }
                thread::yield_now();
            }
        });
        // A failed assertion ends the other thread, too.
        let _ends = Ends(&ended);
        for _ in 0..times {
            after(connection.call(Hook::ReadQuery));
        }
    });
    assert_eq!(own.call(), None);
}

/// Python code on this thread that is no hook's.
fn run_python() {
    python(|py| py.run(c"for _ in range(100): len([])", None, None))
        .expect("nothing is raised here");
}

#[test]
fn a_busy_hook_fails_each_time() {
    interrupted("def read_query(proxy, packet):\n    while True: pass", 20, |verdict| {
        assert_eq!(verdict, Verdict::Failed);
        run_python();
    });
    let failed = logged(log::Level::Error);
    assert!(failed.contains("read_query took longer than pyproxy-hook-timeout:"), "{failed}");
}

/// The answer is made without a step in Python code, so that the exception has no place to come to.
#[test]
fn what_did_not_come_in_time_comes_to_nobody() {
    let script = "
import itertools, time, pyproxy

def read_query(proxy, packet):
    sleeps = itertools.starmap(time.sleep, itertools.repeat((0.002,), 2))
    return pyproxy.Rows(['a'], filter(None, sleeps))
";
    let mut answered = 0;
    interrupted(script, 50, |verdict| {
        answered += u32::from(verdict != Verdict::Failed);
        run_python();
    });
    assert!(answered > 0);
}

#[test]
fn a_call_that_has_ended_is_not_interrupted() {
    let own = own();
    let mut connection = Connection::new(
        "def read_query(proxy, packet):\n    while not hasattr(proxy.globals, 'seen'): pass",
    );
    let seen = thread::scope(|scope| {
        let sees = scope.spawn(|| {
            loop {
                if let Some(call) = own.call() {
                    python(|py| py.run(c"import pyproxy; proxy.globals.seen = True", None, None))
                        .expect("set");
                    break call;
                }
            }
        });
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::Proceed);
        sees.join().expect("no panic")
    });
    assert_eq!((seen.hook(), seen.connection()), (Hook::ReadQuery, 7));
    python(|py| own.interrupt(py, seen)).expect("asked");
    run_python();
    assert_eq!(connection.call(Hook::ReadQuery), Verdict::Proceed);
}
