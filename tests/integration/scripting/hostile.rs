//! A script that does everything wrong at once: each attribute and method of each object, in every
//! hook, with arguments that nobody expects, and with objects that use the API again while they are
//! being used. No client but its own may notice.

use std::io::ErrorKind;
use std::time::Duration;

use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

/// Odd values, the objects that answer back, and one random thing to do.
const ODDITIES: &str = r#"
import array
import copy
import datetime
import decimal
import gc
import operator
import pickle
import random

chance = random.Random(20240229)
current = []
kept = []
depth = 0


def answer_back():
    """What an object does when the API touches it: uses the API, ends things, raises."""
    global depth
    if depth > 3 or not current:
        return
    depth += 1
    try:
        proxy = current[-1]
        chance.choice((
            lambda: proxy.queries.append(1, b"\x03SELECT 1", True),
            lambda: proxy.queries.reset(),
            lambda: setattr(proxy, "response", {"type": 0, "junk": Evil()}),
            lambda: setattr(proxy.connection, "backend_ndx", -1),
            lambda: setattr(proxy.connection, "backend_ndx", 0),
            lambda: setattr(proxy.connection, "evil", Evil()),
            lambda: proxy.connection.__dict__.clear(),
            lambda: repr(proxy),
            lambda: [repr(backend) for backend in proxy.globals.backends],
            lambda: kept.clear(),
            # Slow, so seldom.
            lambda: chance.random() < 0.01 and gc.collect(),
            lambda: operator.truediv(1, 0),
            lambda: disturb(proxy, chance.choice(reachable(proxy))),
        ))()
    finally:
        depth -= 1


def method(result):
    def act(self, *arguments, **named):
        answer_back()
        outcome = result() if callable(result) else result
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return act


class Evil:
    __str__ = method(lambda: chance.choice(("text", "\ud800", 5, "x" * 5000)))
    __repr__ = method(lambda: chance.choice(("text", "\ud800", None)))
    __bytes__ = method(lambda: chance.choice((b"x", 5)))
    __int__ = __index__ = method(lambda: chance.choice((0, 1, -1, 1 << 90, "1")))
    __float__ = method(lambda: chance.choice((0.5, "x")))
    __bool__ = method(lambda: chance.choice((True, False, 5)))
    __len__ = method(lambda: chance.choice((0, 3, -1, 1 << 62)))
    __iter__ = method(lambda: chance.choice((iter([1, 2]), iter(()), 5)))
    __getitem__ = method(lambda: chance.choice((1, None, IndexError("end"), KeyError("x"))))
    __contains__ = method(lambda: chance.choice((True, False)))
    __hash__ = method(lambda: chance.choice((0, -1, 1 << 80, TypeError("no hash"))))
    __eq__ = __lt__ = method(lambda: chance.choice((True, False, ValueError("not comparable"))))
    __call__ = method(lambda: chance.choice((None, 1, 2, 4)))
    keys = method(lambda: chance.choice((["type", "a"], [1], 5)))

    def __del__(self):
        try:
            answer_back()
        except BaseException:
            # The log tells of what a finaliser raises; a few times are enough.
            if chance.random() < 0.01:
                raise

    def __getattr__(self, name):
        answer_back()
        raise AttributeError(name)


class EvilText(str):
    __str__ = Evil.__str__
    __hash__ = Evil.__hash__
    __eq__ = Evil.__eq__


class EvilNumber(int):
    __index__ = __int__ = Evil.__int__
    __bool__ = Evil.__bool__


class EvilMapping(dict):
    keys = Evil.keys
    __getitem__ = Evil.__getitem__
    __iter__ = Evil.__iter__


def failing():
    yield (1,)
    answer_back()
    raise SystemExit("half way")


endless = []
endless.append(endless)

ODD = (
    None, 0, 1, 2, -1, 250, 255, 1 << 31, 1 << 63, 1 << 64, -(1 << 70), 0.5, float("nan"), "", "x",
    "\ud800", "a\0b", "x" * 70000, "type", "u", b"", b"\x00\xff", b"\x0e", b"\x03SELECT 1",
    bytearray(b"\x03SELECT 2"), memoryview(b"\x03x"), array.array("d", [1.5]),
    memoryview(b"abcdef")[::2], [], {}, (), set(), [[]], endless, object, object(), len,
    {"type": 0}, slice(None, None, 0), slice(1 << 80, -(1 << 80), -1), Ellipsis, NotImplemented,
    datetime.date.max, datetime.timedelta.min, decimal.Decimal("1e9999"), decimal.Decimal("sNaN"),
)

# Made anew each time.
MADE = (
    Evil, EvilMapping, failing,
    lambda: EvilText("type"),
    lambda: EvilNumber(7),
    lambda: {Evil: Evil()},
    lambda: {"resultset_is_needed": Evil()},
    lambda: {"type": 255, "errmsg": Evil()},
    lambda: {"type": 250, "packets": [Evil()]},
    lambda: {"type": EvilNumber(0), "affected_rows": Evil()},
    lambda: {"type": 0, "resultset": EvilMapping()},
    lambda: {"type": 0, "resultset": {"fields": [("a", 3)], "rows": failing()}},
    lambda: {"type": 0, "resultset": {"fields": [(Evil(), EvilNumber(3))], "rows": [[Evil()]] * 3}},
    lambda: {"type": 0, "resultset": {"fields": [("a", 3)] * 9, "rows": [[Evil()] * 9] * 2}},
    lambda: current[-1] if current else None,
    lambda: kept[-1] if kept else None,
)


def oddity():
    return chance.choice(ODD) if chance.random() < 0.6 else chance.choice(MADE)()


def reachable(proxy):
    connection, backends = proxy.connection, proxy.globals.backends
    found = [proxy, connection, proxy.queries, proxy.response, proxy.globals, proxy.globals.config,
             backends, *kept[-20:]]
    for take in (
        lambda: connection.client, lambda: connection.server, lambda: connection.client.src,
        lambda: backends[0], lambda: backends[0].pool, lambda: backends[0].pool.users,
        lambda: backends[0].pool.users["u"], lambda: iter(backends), lambda: iter(proxy.queries),
    ):
        try:
            found.append(take())
        except Exception:
            pass
    return found


# `add` is left out: every address that can be connected to would be a backend from then on.
SPARED = {"__class__", "add"}


def disturb(proxy, thing):
    """One random use of `thing`."""
    names = [name for name in dir(type(thing)) if name not in SPARED] + ["mine"]
    name = chance.choice(names)
    arguments = [oddity() for _ in range(chance.randrange(4))]
    chance.choice((
        lambda: getattr(thing, name),
        lambda: getattr(thing, name)(*arguments),
        lambda: getattr(type(thing), name)(*arguments),
        lambda: getattr(type(thing), name).__get__(oddity()),
        lambda: setattr(thing, name, oddity()),
        lambda: delattr(thing, name),
        lambda: type(thing)(*arguments),
        lambda: type(thing).__new__(type(thing)),
        lambda: type("Heir", (type(thing),), {})(*arguments),
        lambda: setattr(thing, "__class__", Evil),
        lambda: thing[oddity()],
        lambda: operator.setitem(thing, oddity(), oddity()),
        lambda: oddity() in thing,
        lambda: thing == oddity() or thing < oddity(),
        lambda: hash(thing),
        lambda: len(thing) + len(list(thing)),
        lambda: next(iter(thing)),
        lambda: thing(*arguments),
        lambda: copy.copy(thing),
        lambda: pickle.dumps(thing),
        lambda: kept.append(thing),
        lambda: setattr(proxy, "response", oddity()),
        lambda: proxy.queries.append(oddity(), oddity(), oddity()),
        lambda: setattr(proxy.connection, "backend_ndx", oddity()),
    ))()


def rampage(proxy, argument, rounds):
    current.append(proxy)
    # The methods of bytes could be told to make a few gigabytes, which is only slow.
    things = [] if argument is None or isinstance(argument, bytes) else [argument]
    try:
        for _ in range(rounds):
            try:
                disturb(proxy, chance.choice(reachable(proxy) + things))
            except BaseException:
                pass
        if hasattr(argument, "resultset"):
            kept.extend((argument, argument.resultset, argument.resultset.rows,
                         argument.resultset.fields, argument.resultset.flags))
        kept.extend((proxy, *things))
        del kept[:-60]
        if chance.random() < 0.5:
            proxy.response = oddity()
        return chance.choice((None, None, 0, 1, 1, 2, 2, 4, 3, EvilNumber(2), Evil(), "x"))
    finally:
        current.pop()
"#;

const HOOKS: &str = r#"
import threading
import time

import oddities

rounds = 60
raging = False


def hook(name):
    def run(proxy, argument=None):
        global raging
        if name == "read_query" and argument in (b"\x03rage", b"\x03calm"):
            raging = argument == b"\x03rage"
            proxy.connection.controls = True
            for backend in proxy.globals.backends:
                backend.state = proxy.BACKEND_STATE_UNKNOWN
            proxy.response = {"type": proxy.MYSQLD_PACKET_OK}
            return proxy.PROXY_SEND_RESULT
        if not raging or getattr(proxy.connection, "controls", False):
            return None
        if name == "read_query" and oddities.chance.random() < 0.5:
            proxy.queries.append(1, argument, True)
            oddities.rampage(proxy, argument, rounds)
            return proxy.PROXY_SEND_QUERY
        result = oddities.rampage(proxy, argument, rounds)
        # Otherwise hardly anybody would come as far as a query.
        return result if oddities.chance.random() < 0.1 or "query" in name else None

    return run


for name in ("connect_server", "read_handshake", "read_auth", "read_auth_result", "read_query",
             "read_query_result", "disconnect_client"):
    globals()[name] = hook(name)


def bother():
    while True:
        try:
            thing = oddities.chance.choice(oddities.kept)
            oddities.disturb(oddities.current[-1], thing)
        except BaseException:
            pass
        time.sleep(0.001)


threading.Thread(target=bother, daemon=True).start()
"#;

/// A client of the raging script: whatever it is told, it is told something.
fn victim(host: &Host) {
    let mut client = match RawClient::login(host.address(), &MariaDb::user()) {
        Ok(client) => client,
        Err(error) => {
            assert!(error.kind() != ErrorKind::WouldBlock, "a login without an answer");
            return;
        }
    };
    for _ in 0..6 {
        if client.send_command(3, b"SELECT 1, 'a' UNION SELECT 2, NULL").is_err() {
            return;
        }
        match client.read_packet() {
            Ok(_) => client.set_patience(Duration::from_millis(20)),
            Err(error) => {
                assert!(error.kind() != ErrorKind::WouldBlock, "a command without an answer");
                return;
            }
        }
        // The rest of the answer has whatever form the script made.
        while client.read_packet().is_ok() {}
        client.set_patience(testkit::wait::PATIENCE);
    }
}

fn survives(threads: u32) {
    let mut host = Host::builder()
        .backend(db())
        .event_threads(threads)
        .file("oddities.py", ODDITIES)
        .script(HOOKS)
        .start();
    let mut control = host.client();
    for _ in 0..6 {
        assert_eq!(control.query("rage").unwrap().packets[0].kind(), Some(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..8).for_each(|_| victim(&host)));
            }
        });
        assert_eq!(control.query("calm").unwrap().packets[0].kind(), Some(0));
        assert_in_step(&mut control);
        host.assert_serves();
    }
    let log = host.log();
    assert!(!log.contains("panic"), "{log}");
    assert!(!log.contains("-CRITICAL"), "{log}");
}

#[test]
fn does_no_harm_to_the_host() {
    survives(1);
}

#[test]
fn does_no_harm_to_a_host_with_four_event_threads() {
    survives(4);
}

#[test]
fn that_spoils_the_classes_of_its_objects_spoils_only_itself() {
    let mut host = Host::with_script(
        r#"
        import builtins
        import sys

        import pyproxy

        def read_query(proxy, packet):
            if b"spoil" not in packet:
                return None
            for kind in vars(pyproxy).copy().values():
                for name in dir(kind) if isinstance(kind, type) else ():
                    try:
                        setattr(kind, name, 5)
                    except Exception:
                        pass
            for name in dir(pyproxy):
                delattr(pyproxy, name)
            builtins.proxy = None
            sys.modules.clear()
            sys.path = None
            sys.stdout = sys.stderr = None
            globals().clear()
            return 2
        "#,
    );
    let mut client = host.client();
    // An ERR or a result, but an answer.
    client.query("spoil").unwrap();
    assert!(host.is_alive());
    client.query("spoil").unwrap();
    let mut other = host.client();
    assert!(other.query("SELECT 1").is_ok() && host.is_alive());
}
