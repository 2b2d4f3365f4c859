//! Objects that a script keeps longer than what they stand for (`docs/scripting.md#objects`): they raise
//! `ReferenceError`, whoever uses them, and never show another connection's data.

use testkit::Host;
use testkit::host::builder::Builder;

use crate::support::*;

/// Keeps every object it can reach, in every hook of the connection of a client that says
/// `SELECT 'keep'`, and tries all attributes and methods of each later.
///
/// `probe()` gives what did not raise `ReferenceError`: an empty list is success. Values (addresses,
/// fields, rows, flags) must go on working, and are listed if they do not.
const KEEPER: &str = r#"
import atexit
import sys
import threading

BOUND = {}
VALUES = {}
SHARED = {}
SETTABLE = {
    "Connection": {"backend_ndx": -1, "connection_close": True},
    "Response": {"type": 0, "rows": []},
    "Backend": {"state": 1, "uuid": "x", "max_connections": 0},
    "Pool": {"min_idle_connections": 1, "max_idle_connections": 1},
}


def keep(hook, proxy, argument=None):
    connection = proxy.connection
    connection.mine = "secret"
    proxy.response.errmsg = "secret"

    def bound(**objects):
        BOUND.update({f"{hook}.{name}": thing for name, thing in objects.items()})

    bound(connection=connection, queries=proxy.queries, response=proxy.response,
          client=connection.client, server=connection.server)
    VALUES[f"{hook}.src"] = connection.client.src
    VALUES[f"{hook}.backend"] = connection.backend
    backends = proxy.globals.backends
    SHARED.update(backends=backends, backend=backends[0], pool=backends[0].pool,
                  users=backends[0].pool.users, queue=backends[0].pool.users["u"])
    if hook == "read_auth_result":
        bound(auth=argument)
    if hook == "read_query_result":
        result = argument.resultset
        steps = iter(result.rows)
        VALUES["row"] = next(steps)
        VALUES["field"] = result.fields[0]
        VALUES["flags"] = result.flags
        bound(injection=argument, resultset=result, rows=result.rows, steps=steps)


def uses(thing):
    """Everything that can be done with an object, by name."""
    for name in dir(type(thing)):
        if name.startswith("__"):
            continue
        if callable(getattr(type(thing), name)):
            arguments = {"append": (1, b"\x03x"), "prepend": (1, b"\x03x"), "wait_for_backend": ([0],),
                         "idle_connections": (0,), "can_log_in_to": (0,),
                         "add": ("127.0.0.1:1",), "remove": (SHARED["backend"],)}.get(name, ())
            yield name + "()", lambda name=name, arguments=arguments: getattr(thing, name)(*arguments)
        else:
            yield name, lambda name=name: getattr(thing, name)
    kind = type(thing).__name__
    if kind == "Connection":
        yield "mine", lambda: thing.mine
    if kind == "Response":
        yield "errmsg", lambda: thing.errmsg
    for name, value in SETTABLE.get(kind, {}).items():
        yield name + "=", lambda name=name, value=value: setattr(thing, name, value)
    for function in (len, iter, next):
        if hasattr(type(thing), f"__{function.__name__}__"):
            name = "iter of RowIterator" if function is iter and kind == "RowIterator" else function.__name__
            yield name, lambda function=function: function(thing)
    if hasattr(type(thing), "__getitem__"):
        yield "[0]", lambda: thing[0] if kind != "Users" else thing["u"].cur_idle_connections
        yield "list", lambda: list(thing)


# What says nothing about the connection: constants of the object, and empty handles on the way to
# an object that then raises.
HARMLESS = {"ndx", "pool", "users", "iter of RowIterator"}


def survivors(things):
    found = []
    for name, thing in things.items():
        if thing is None:
            continue
        assert isinstance(repr(thing), str) and isinstance(hash(thing), int) and thing == thing
        for use, function in uses(thing):
            try:
                result = function()
            except ReferenceError:
                continue
            except BaseException as error:
                result = f"{type(error).__name__}: {error}"
            if use in HARMLESS and not isinstance(result, str):
                continue
            found.append(f"{name} {use} -> {result!r}")
    return found


def broken_values():
    broken = []
    for name, thing in VALUES.items():
        try:
            repr(thing), hash(thing), [getattr(thing, n) for n in dir(thing) if n[0] != "_"]
        except BaseException as error:
            if not name.endswith(".backend"):
                broken.append(f"{name}: {error!r}")
    return broken


def report(place, with_shared=False):
    found = survivors(BOUND) + broken_values()
    if with_shared:
        found += survivors(SHARED)
    print(f"{place}: {found}\n", end="")  # one write: several threads report
    sys.stdout.flush()
"#;

/// Hooks that keep, and that report when a client says `SELECT 'report'`.
const HOOKS: &str = r#"
import threading
import time

from keeper import *

keeping = True
reporting = False


def hook(name):
    def run(proxy, argument=None):
        global keeping, reporting
        if keeping:
            keep(name, proxy, argument)
            keeping = name != "disconnect_client"
        elif reporting:
            report(name)
        if name == "read_query" and argument.startswith(b"\x03"):
            if argument == b"\x03SELECT 'report'":
                reporting = True
            elif argument == b"\x03SELECT 'thread'":
                for place in ("during a hook", "outside"):
                    thread = threading.Thread(target=report, args=(place, True))
                    thread.start()
                    thread.join()
            proxy.queries.append(1, argument, True)
            return proxy.PROXY_SEND_QUERY

    return run


for name in ("connect_server", "read_handshake", "read_auth", "read_auth_result", "read_query",
             "read_query_result", "disconnect_client"):
    globals()[name] = hook(name)


def idle():
    while not reporting:
        time.sleep(0.01)
    report("idle thread", True)


threading.Thread(target=idle, daemon=True).start()


def shutdown(proxy):
    report("shutdown")


atexit.register(report, "atexit")
"#;

fn keeper() -> Builder {
    Host::builder().backend(db()).file("keeper.py", KEEPER).script(HOOKS)
}

#[test]
fn in_every_hook_of_another_connection_in_threads_and_at_the_end() {
    let mut host = keeper().start();
    let mut client = host.client();
    client.query("SELECT 'secret' UNION SELECT 'further'").unwrap();
    client.quit();
    host.wait_for_fds(host.idle_fds());
    // The second client's connection has the same place in the memory of the host, with luck.
    let mut client = host.client();
    assert_eq!(client.query("SELECT 'thread'").unwrap().value(), "thread");
    assert_eq!(client.query("SELECT 'report'").unwrap().value(), "report");
    client.quit();
    host.assert_serves();
    host.wait_for_stdout("idle thread: ");
    let stdout = host.stop().stdout;
    let places = [
        "during a hook",
        "outside",
        "read_query_result",
        "disconnect_client",
        "connect_server",
        "read_handshake",
        "read_auth",
        "read_auth_result",
        "read_query",
        "idle thread",
        "shutdown",
        "atexit",
    ];
    for place in places {
        let line = stdout.lines().find(|line| line.starts_with(&format!("{place}: ")));
        let line = line.unwrap_or_else(|| panic!("{place} did not report:\n{stdout}"));
        assert_eq!(line, format!("{place}: []"));
    }
}

#[test]
fn attributes_of_a_connection_that_is_gone() {
    let host = Host::with_script(
        r#"
        kept = []

        def attempt(action):
            try:
                return f"{action()!r}"
            except ReferenceError:
                return "gone"

        def read_query(proxy, packet):
            if b"keep" in packet:
                proxy.connection.mine = "secret"
                kept.append(proxy.connection)
            if b"use" in packet:
                print("get", attempt(lambda: kept[0].mine))
                print("set", attempt(lambda: setattr(kept[0], "mine", "again")))
                print("get", attempt(lambda: kept[0].mine))
                print("delete", attempt(lambda: delattr(kept[0], "mine")))
        "#,
    );
    let mut client = host.client();
    client.query("SELECT 'keep'").unwrap();
    client.quit();
    host.client().query("SELECT 'use'").unwrap();
    host.wait_for_stdout("delete");
    assert_eq!(host.stdout(), "get gone\nset gone\nget gone\ndelete gone\n");
}

#[test]
fn a_server_connection_that_was_switched_away() {
    // Two users at one backend: what one parked, the other never takes.
    let host = Host::with_script(
        r#"
        kept = {}

        def seen(name):
            try:
                return str(kept[name].thread_id)
            except ReferenceError:
                return "gone"

        def read_query(proxy, packet):
            connection = proxy.connection
            if b"park" in packet:
                kept["parked"] = connection.server
                assert seen("parked") == str(connection.server.thread_id)
                connection.backend_ndx = -1
                assert connection.server is None and connection.backend is None
                assert connection.backend_ndx == -1
            elif b"take" in packet:
                connection.backend_ndx = 0
                assert connection.server is not None, "nothing fits"
                kept["taken"] = connection.server
                assert kept["taken"] != kept["parked"]
            elif b"look" not in packet:
                return
            text = f"{seen('parked')} {seen('taken') if 'taken' in kept else '-'}"
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {"fields": [("s", proxy.MYSQL_TYPE_STRING)], "rows": [[text]]},
            }
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut one = host.client();
    let mut two = host.client();
    assert_eq!(one.query("park").unwrap().value(), "gone -");
    assert_eq!(two.query("look").unwrap().value(), "gone -");
    two.query("park").unwrap();
    let seen = two.query("take").unwrap().value();
    let id = two.query("SELECT CONNECTION_ID()").unwrap().value();
    assert_eq!(seen, format!("gone {id}"));
    assert_eq!(one.query("look").unwrap().value(), seen);
    two.quit();
    let gone = || one.query("look").unwrap().value() == "gone gone";
    assert!(testkit::eventually(testkit::wait::PATIENCE, gone));
}

#[test]
fn a_living_connection_in_a_thread_without_a_hook() {
    let host = Host::with_script(
        r#"
        import threading

        def uses(proxy, client, server):
            yield "backend_ndx", lambda: proxy.connection.backend_ndx
            yield "client", lambda: proxy.connection.client
            yield "username", lambda: client.username
            yield "thread_id", lambda: server.thread_id
            yield "get", lambda: proxy.connection.mine
            yield "set", lambda: setattr(proxy.connection, "mine", 2)
            yield "queries", lambda: proxy.queries.append(1, "\x03x")
            yield "len", lambda: len(proxy.queries)
            yield "response", lambda: proxy.response.type
            yield "assign", lambda: setattr(proxy, "response", {"type": 0})
            yield "backends", lambda: len(proxy.globals.backends)

        def attempt(proxy, client, server):
            for name, use in uses(proxy, client, server):
                try:
                    use()
                except ReferenceError:
                    continue
                print("allowed", name)
            print("done")

        def read_query(proxy, packet):
            proxy.connection.mine = 1
            arguments = (proxy, proxy.connection.client, proxy.connection.server)
            thread = threading.Thread(target=attempt, args=arguments)
            thread.start()
            thread.join()
        "#,
    );
    let mut client = host.client();
    client.query("SELECT 1").unwrap();
    host.wait_for_stdout("done\n");
    assert_eq!(host.stdout(), "done\n");
}
