//! Hooks that run for too long: what the log says of them, how they end, and that the process ends all the same.

use testkit::client::COM_QUERY;
use testkit::host::Ended;
use testkit::host::builder::Builder;
use testkit::wait::PATIENCE;
use testkit::{Host, artifacts, eventually};

use crate::support::*;

/// Blocks in the way that the query names.
const BLOCKS: &str = "
import threading
import time

lock = threading.Lock()
lock.acquire()

def spin():
    while True:
        pass

def sleep():
    time.sleep(1000)

def wait():
    lock.acquire()

def read_query(proxy, packet):
    name = packet[1:].decode()
    if name in ('spin', 'sleep', 'wait'):
        print('begins', flush=True)
        globals()[name]()
";

/// The same, on the thread of the event loop.
fn async_blocks() -> String {
    BLOCKS.replace("def read_query", "async def read_query")
}

fn watched(script: &str) -> Builder {
    Host::builder().backend(db()).script(script).option("pyproxy-hook-warn", "0.2")
}

#[test]
fn a_hook_that_takes_long_is_logged_once_with_its_stack_while_it_runs() {
    let host = watched(
        "
import time

def slow(gate):
    while not gate.exists():
        time.sleep(0.01)

def read_query(proxy, packet):
    import pathlib
    if b'slow' in packet:
        slow(pathlib.Path(__file__).with_name('gate'))
",
    )
    .start();
    let mut client = host.client();
    assert_in_step(&mut client);
    client.send_command(COM_QUERY, b"SELECT 'slow'").unwrap();
    host.wait_for_log("read_query has been running for ");
    let log = host.log();
    assert!(log.contains("slow(pathlib.Path("), "no stack: {log}");
    std::fs::write(host.file("gate"), "").unwrap();
    assert_eq!(client.read_answer(1).unwrap().value(), "slow");
    assert_in_step(&mut client);
    let lines = host.log().matches("has been running for ").count();
    assert_eq!(lines, 1, "{}", host.log());
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn a_busy_hook_that_takes_too_long_fails_and_the_proxy_goes_on() {
    let host = watched(BLOCKS).option("pyproxy-hook-timeout", "0.5").start();
    let mut client = host.client();
    for _ in 0..3 {
        assert_query_fails(&mut client, "spin", "read_query");
        assert_in_step(&mut client);
    }
    let log = host.log();
    assert_eq!(
        log.matches("read_query took longer than pyproxy-hook-timeout:").count(),
        3,
        "{log}"
    );
    assert!(log.contains("in spin") && log.contains("HookTimeout"), "no traceback: {log}");
}

#[test]
fn the_script_error_policy_decides_what_becomes_of_the_query() {
    let host = watched(
        "
def read_query(proxy, packet):
    while b'spin' in packet:
        pass
",
    )
    .option("pyproxy-hook-timeout", "0.5")
    .option("pyproxy-on-script-error", "forward")
    .start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 'spin'").unwrap().value(), "spin");
    assert_in_step(&mut client);
}

#[test]
fn a_hook_may_catch_the_exception_and_answer() {
    let host = watched(
        "
import pyproxy

def read_query(proxy, packet):
    try:
        while b'spin' in packet:
            try:
                pass
            except Exception:
                pass
    except pyproxy.HookTimeout:
        return pyproxy.Error('too late', code=4000)
",
    )
    .option("pyproxy-hook-timeout", "0.5")
    .start();
    let mut client = host.client();
    let answer = client.query("SELECT 'spin'").unwrap();
    assert_eq!((answer.err().code, &*answer.err().message), (4000, "too late"));
    assert_in_step(&mut client);
}

/// The exception comes when the hook has gone back to Python code, and to that hook only.
#[test]
fn a_hook_that_blocks_outside_of_python_is_logged_again_and_again() {
    let host = watched(
        "
import pathlib
import threading

lock = threading.Lock()
lock.acquire()

def opens():
    while not pathlib.Path(__file__).with_name('gate').exists():
        threading.Event().wait(0.01)
    lock.release()

threading.Thread(target=opens, daemon=True).start()

def read_query(proxy, packet):
    if packet[1:] == b'block':
        lock.acquire()
",
    )
    .option("pyproxy-hook-timeout", "0.5")
    .start();
    let mut client = host.client();
    client.send_command(COM_QUERY, b"block").unwrap();
    let says = "longer than pyproxy-hook-timeout, and cannot be interrupted there";
    assert!(eventually(PATIENCE, || host.log().matches(says).count() == 3), "{}", host.log());
    assert!(host.log().contains("lock.acquire()"), "no stack: {}", host.log());
    std::fs::write(host.file("gate"), "").unwrap();
    let error = client.read_answer(1).unwrap();
    assert!(error.packets.len() == 1, "{error:?}");
    for _ in 0..100 {
        assert_in_step(&mut client);
    }
}

#[test]
fn an_endless_generator_that_gives_nothing_fails() {
    let host = watched(
        "
import pyproxy

def rows():
    try:
        while True:
            if False:
                yield ()
    finally:
        print('closed', flush=True)

def read_query(proxy, packet):
    if packet[1:] == b'returned':
        return pyproxy.Rows(['a'], rows())
    if packet[1:] == b'response':
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        proxy.response.resultset = {'fields': [{'name': 'a'}], 'rows': rows()}
        return proxy.PROXY_SEND_RESULT
",
    )
    .option("pyproxy-hook-timeout", "0.5")
    .start();
    let mut client = host.client();
    for (n, sql) in (1..).zip(["returned", "response"]) {
        assert_query_fails(&mut client, sql, "read_query");
        assert!(eventually(PATIENCE, || host.stdout().matches("closed").count() == n));
        assert_in_step(&mut client);
    }
    let log = host.log();
    assert_eq!(
        log.matches("read_query took longer than pyproxy-hook-timeout:").count(),
        2,
        "{log}"
    );
}

#[test]
fn a_coroutine_that_blocks_the_event_loop_fails_and_others_go_on() {
    let host = watched(&async_blocks())
        .option("pyproxy-event-loop", "own")
        .option("pyproxy-hook-timeout", "0.5")
        .start();
    let (mut client, mut other) = (host.client(), host.client());
    for _ in 0..3 {
        assert_query_fails(&mut client, "spin", "read_query");
        assert_in_step(&mut client);
        assert_in_step(&mut other);
    }
    let log = host.log();
    assert!(log.contains("read_query took longer than pyproxy-hook-timeout"), "{log}");
    assert!(log.contains("in spin"), "no traceback: {log}");
}

/// How a host ends whose hook blocks in this way.
fn cut_off(builder: Builder, how: &str) -> Ended {
    let host = builder.option("pyproxy-hook-timeout", "0").start();
    let mut client = host.client();
    client.send_command(COM_QUERY, how.as_bytes()).unwrap();
    host.wait_for_stdout("begins");
    host.cut_off()
}

const HOW: [(&str, &str); 3] =
    [("spin", "in spin"), ("sleep", "time.sleep(1000)"), ("wait", "lock.acquire()")];

/// Said in place of a stack.
const HOLDS_PYTHON: &str = "does not let go of Python";

fn assert_cut_off(ended: &Ended, place: &str) {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let says =
        "the process ends without waiting for connection 1: read_query, which has been running";
    let told = ended.log.split_once(says).unwrap_or_else(|| panic!("{}", ended.log)).1;
    // Where the machine is busy, a busy hook may keep Python for longer than it is waited for.
    let may_hold = place.contains("spin") && told.contains(HOLDS_PYTHON);
    assert!(told.contains(place) || may_hold, "no stack: {}", ended.log);
}

#[test]
fn the_process_ends_whatever_a_hook_does() {
    std::thread::scope(|scope| {
        for threads in [1, 4] {
            for (how, place) in HOW {
                scope.spawn(move || {
                    assert_cut_off(&cut_off(watched(BLOCKS).event_threads(threads), how), place);
                });
            }
        }
    });
}

#[test]
fn the_process_ends_whatever_a_coroutine_does() {
    std::thread::scope(|scope| {
        for (how, _) in HOW {
            scope.spawn(move || {
                let builder = watched(&async_blocks()).option("pyproxy-event-loop", "own");
                let ended = cut_off(builder, how);
                let says = "without waiting for connection 1: read_query, which has been running";
                assert!(ended.log.contains(says), "{}", ended.log);
            });
        }
    });
}

/// The parent of `--keepalive` starts its worker again when a signal killed it, which is not what was asked for.
#[test]
fn a_worker_of_keepalive_ends_for_good() {
    std::thread::scope(|scope| {
        for (how, place) in HOW {
            scope.spawn(move || {
                let ended = cut_off(watched(BLOCKS).argument("--keepalive"), how);
                assert_cut_off(&ended, place);
                assert!(!ended.log.contains("before restart"), "{}", ended.log);
            });
        }
    });
}

#[test]
fn a_hook_that_holds_python_is_cut_off_without_its_stack() {
    let script = "
import re

def read_query(proxy, packet):
    if packet[1:] == b'hold':
        print('begins', flush=True)
        re.match('(a+)+$', 'a' * 64 + 'b')
";
    let ended = cut_off(watched(script), "hold");
    assert_cut_off(&ended, HOLDS_PYTHON);
    assert!(ended.log.contains("read_query has been running for "), "{}", ended.log);
}

#[test]
fn commands_have_their_time_before() {
    // A hook that ends within the time that commands have is no reason to cut anything off.
    let script = "
import time

def read_query(proxy, packet):
    if b'slow' in packet:
        print('begins', flush=True)
        time.sleep(2)
";
    let host = watched(script).option("pyproxy-drain-timeout", "20").start();
    if artifacts::event_loop() != "own" {
        return;
    }
    let mut client = host.client();
    client.send_command(COM_QUERY, b"SELECT 'slow'").unwrap();
    host.wait_for_stdout("begins");
    host.signal(testkit::process::SIGTERM);
    assert_eq!(client.read_answer(1).unwrap().value(), "slow");
    drop(client);
    let ended = host.wait_for_end();
    assert!(!ended.log.contains("without waiting"), "{}", ended.log);
}
