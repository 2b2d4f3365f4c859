//! The members of every object but results: types, what may be set, what is None (`docs/scripting.md#objects`).

use testkit::{Host, MariaDb};

use super::checks::{assert_all_pass, with_checks};
use super::remote::{Remote, answering};
use crate::support::*;

#[test]
fn of_every_object() {
    let host = with_checks(
        r#"
        import array
        import operator
        import socket

        import pyproxy
        from checks import raises, runner

        read_query, read_query_result = runner(globals())
        at_import = proxy
        first = []

        def check_proxy_is_one_object_per_connection(proxy):
            assert proxy.connection is proxy.connection and proxy.queries is proxy.queries
            assert proxy.response is proxy.response
            assert proxy.globals is at_import.globals is proxy.globals
            assert at_import.connection is at_import.queries is at_import.response is None

        def check_constants_are_the_same_everywhere(proxy):
            names = [n for n in dir(proxy) if n.isupper()]
            assert len(names) > 70, names
            for name in names:
                value = getattr(proxy, name)
                assert type(value) is int
                assert value == getattr(pyproxy, name) == getattr(at_import, name), name
            assert (proxy.PROXY_NO_DECISION, proxy.PROXY_SEND_QUERY) == (0, 1)
            assert (proxy.PROXY_SEND_RESULT, proxy.PROXY_IGNORE_RESULT) == (2, 4)
            assert proxy.PROXY_VERSION == 0x00805, hex(proxy.PROXY_VERSION)

        def check_useful_repr_and_docstring(proxy):
            connection, backends = proxy.connection, proxy.globals.backends
            for thing in (proxy, connection, connection.client, connection.server,
                          connection.client.src, proxy.queries, proxy.response, proxy.globals,
                          proxy.globals.config, backends, backends[0], backends[0].pool,
                          backends[0].pool.users, backends[0].pool.users["x"]):
                kind = type(thing)
                assert f"pyproxy.{kind.__name__}" in repr(thing), repr(thing)
                assert kind.__doc__ and getattr(pyproxy, kind.__name__) is kind
                for name in dir(kind):
                    member = getattr(kind, name)
                    assert name[0] == "_" or name.isupper() or member.__doc__, (kind, name)
            assert connection.client.src.name in repr(connection)
            assert connection.client.username in repr(connection.client)

        def check_comparable_and_keys(proxy):
            connection, backends = proxy.connection, proxy.globals.backends
            for get in (lambda: connection.client, lambda: connection.server,
                        lambda: connection.client.src, lambda: backends[0],
                        lambda: backends[0].pool, lambda: backends[0].pool.users["x"],
                        lambda: connection, lambda: proxy):
                one, two = get(), get()
                assert one == two and hash(one) == hash(two) and {one: 1}[two] == 1, one
                assert one != 5 and one != None
            assert connection.client != connection.server
            assert connection.client.src != connection.client.dst

        def check_addresses(proxy):
            address = proxy.connection.client.src
            assert str(address) == address.name == f"{address.address}:{address.port}"
            assert (address.address, address.type) == ("127.0.0.1", socket.AF_INET)
            assert type(address.port) is int
            raises(AttributeError, setattr, address, "port", 5)

        def check_sockets(proxy):
            for side in (proxy.connection.client, proxy.connection.server):
                assert side.username == "u" and side.default_db == "test"
                assert side.auth_plugin_name == "mysql_native_password"
                assert type(side.mysqld_version) is int and side.mysqld_version > 50000
                assert type(side.thread_id) is int
                assert type(side.scramble_buffer) is bytes
                assert len(side.scramble_buffer) == 21, "20 bytes and a NUL"
                assert type(side.scrambled_password) is bytes
                assert len(side.scrambled_password) == 20
                raises(AttributeError, setattr, side, "username", "x")
                raises(AttributeError, getattr, side, "no_such_thing")

        def check_connection(proxy):
            connection = proxy.connection
            assert connection.backend_ndx == 0 and connection.backend == proxy.globals.backends[0]
            for value in ("first", 1.5, None, -2, 1 << 70):
                raises((TypeError, ValueError, OverflowError), setattr, connection, "backend_ndx",
                       value)
            connection.backend_ndx = 3
            assert connection.backend_ndx == 0, "nothing fits: stays as it was"
            raises(TypeError, setattr, connection, "connection_close", "yes")
            connection.connection_close = 1
            assert connection.connection_close is True
            connection.connection_close = False
            connection.own = [1]
            connection.own.append(2)
            assert proxy.connection.own == [1, 2]
            raises(AttributeError, getattr, connection, "never_set")

        def check_queries(proxy):
            queries = proxy.queries
            packets = ("\x03a", b"\x03a", bytearray(b"\x03a"), memoryview(b"\x03a"),
                       array.array("B", b"\x03a"), memoryview(b"\x03-a-")[::2])
            queries.reset()
            for number, packet in enumerate(packets):
                queries.append(number, packet)
            assert [p for _, p, _ in queries] == [b"\x03a"] * 6 and len(queries) == queries.len()
            queries.reset()
            for needed in (True, 1, {"resultset_is_needed": True}):
                queries.append(1, "\x03ž", needed)
            queries.append(1, "\x03", resultset_is_needed=True)
            for not_needed in (False, None, {}, {"backend_ndx": 1}):
                queries.prepend(2, "\x03", not_needed)
            queries.prepend(id=2, packet="\x03")
            assert [(i, n) for i, _, n in queries] == [(2, False)] * 5 + [(1, True)] * 4
            assert list(queries)[5][1] == "\x03ž".encode()
            for wrong in ((), (1,), (1, 5), (1, None), ("x", b"\x03"), (1, b"\x03", "yes"), (1, b""),
                          (1, b"\x03", {"resultset_is_needed": "yes"}), (1.5, b"\x03")):
                raises((TypeError, ValueError), queries.append, *wrong)
                raises((TypeError, ValueError), queries.prepend, *wrong)
            queries.reset()
            assert len(queries) == 0 and list(queries) == []

        def check_response(proxy):
            response = proxy.response
            for name in ("type", "resultset", "affected_rows", "insert_id", "warnings", "packets",
                         "server_status", "errmsg", "errcode", "sqlstate"):
                assert getattr(response, name) is None, "empty before read_query"
            raises(AttributeError, getattr, response, "no_such_field")
            response.errcode = 5
            proxy.response = {"type": 0}
            assert (response.type, response.errcode) == (0, None), "a mapping replaces all"
            for wrong in (5, "type", [("type", 0)], {5: 0}):
                raises(TypeError, setattr, proxy, "response", wrong)
            assert response.type == 0, "untouched by a wrong one"
            del response.type
            assert response.type is None

        def check_backends(proxy):
            backends = proxy.globals.backends
            assert len(backends) == 2 and [b.ndx for b in backends] == [0, 1]
            assert [b.type for b in backends] == [proxy.BACKEND_TYPE_RW, proxy.BACKEND_TYPE_RO]
            assert backends[-1] == backends[1] and list(backends[:1]) == [backends[0]]
            assert list(backends[::-1]) == [backends[1], backends[0]] and backends[1] in backends
            raises(IndexError, lambda: backends[2])
            raises(TypeError, lambda: backends["x"])
            raises(TypeError, operator.setitem, backends, 0, None)

        def check_backend(proxy):
            backend = proxy.globals.backends[1]
            for state in (proxy.BACKEND_STATE_UP, proxy.BACKEND_STATE_DOWN,
                          proxy.BACKEND_STATE_DRAIN, proxy.BACKEND_STATE_MAINT, 0):
                backend.state = state
                assert backend.state == proxy.globals.backends[1].state == state
                assert backend.takes_clients is (state in (proxy.BACKEND_STATE_UP, 0))
            for wrong in (-1, 5, 257, 1 << 40):
                raises(ValueError, setattr, backend, "state", wrong)
            assert backend.uuid is None
            for text in ("a-b", "ž"):
                backend.uuid = text
                assert backend.uuid == proxy.globals.backends[1].uuid == text
            backend.uuid = b"bytes"
            assert backend.uuid == "bytes"
            backend.uuid = None
            assert backend.uuid is None
            raises(TypeError, setattr, backend, "uuid", {})
            assert proxy.globals.backends[0].connected_clients == 1
            assert backend.connected_clients == 0 and type(backend.dst.port) is int
            for name in ("type", "dst", "connected_clients", "takes_clients", "pool", "ndx",
                         "no_such_thing"):
                raises(AttributeError, setattr, backend, name, 1)

        def check_pool(proxy):
            pool = proxy.globals.backends[1].pool
            assert pool.min_idle_connections == pool.max_idle_connections == 0
            pool.min_idle_connections, pool.max_idle_connections = 3, 7
            again = proxy.globals.backends[1].pool
            assert (again.min_idle_connections, again.max_idle_connections) == (3, 7)
            for wrong in (-1, "many", None, 1 << 40):
                raises((TypeError, ValueError, OverflowError), setattr, pool,
                       "min_idle_connections", wrong)
            users = pool.users
            assert list(users) == [] and len(users) == 0 and "" not in users and "u" not in users
            for name in ("u", b"u", "", "nobody"):
                assert users[name].cur_idle_connections == len(users[name]) == 0
            raises(TypeError, lambda: users[5])

        def check_z_adding_backends(proxy):
            backends = proxy.globals.backends
            added = backends.add("127.0.0.1:1", proxy.BACKEND_TYPE_RO)
            assert (added.ndx, added.dst.name, added.type) == (2, "127.0.0.1:1", 2)
            assert backends.add("127.0.0.1:2").type == proxy.BACKEND_TYPE_RW
            assert backends.add(address="127.0.0.1:3", type=proxy.BACKEND_TYPE_RO).ndx == 4
            assert len(backends) == 5 and backends[0].dst.name != "127.0.0.1:1"
            for wrong in ("127.0.0.1:1", "127.0.0.1:99999", ""):
                raises(ValueError, backends.add, wrong)
            raises(ValueError, backends.add, "127.0.0.1:9", 7)
            raises(TypeError, backends.add, 5)
            gone = backends[2]
            backends.remove(gone)
            assert len(backends) == 5 and [b.ndx for b in backends] == [0, 1, 2, 3, 4]
            assert gone.state == backends[2].state == proxy.BACKEND_STATE_REMOVED
            assert not gone.takes_clients and gone.dst.name == "127.0.0.1:1"
            raises(ValueError, backends.remove, gone)
            raises(ValueError, setattr, gone, "state", proxy.BACKEND_STATE_UP)
            raises(ValueError, setattr, backends[3], "state", proxy.BACKEND_STATE_REMOVED)
            for wrong in (2, "127.0.0.1:2", None):
                raises(TypeError, backends.remove, wrong)
            again = backends.add("127.0.0.1:1")
            assert (again.ndx, again.type, again.state) == (2, proxy.BACKEND_TYPE_RW, 0)
            raises(ValueError, backends.add, "127.0.0.1:1")
        "#,
    )
    .readonly(refusing())
    .start();
    assert_all_pass(&mut host.login(&MariaDb::user().database("test")));
}

#[test]
fn what_is_not_known_yet_is_none() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    let mut remote = Remote::start();
    let sides = "kept.setdefault('seen', []).append([None if side is None else [\n    \
                 getattr(side, name) is None for name in ('username', 'scrambled_password',\n    \
                 'auth_plugin_name', 'mysqld_version', 'thread_id', 'scramble_buffer', 'src',\n    \
                 'dst', 'default_db')] for side in (proxy.connection.client, proxy.connection.server)])";
    for hook in ["connect_server", "read_handshake", "read_auth", "read_auth_result"] {
        remote.plan(hook, sides);
    }
    assert_in_step(&mut remote.host.client());
    remote.forget();
    let seen = "[[side and ''.join('.x'[n] for n in side) for side in both] \
                           for both in kept['seen']]";
    remote.plan("read_query", &answering(seen));
    let seen = remote.host.client().query("ask").unwrap().value();
    assert_eq!(
        seen,
        "[['xxxxxx...', None], ['xxxxxx...', 'xx.......'], ['.........', 'xx.......'], \
         ['.........', '.........']]"
    );
}

#[test]
fn what_is_shared_and_what_is_not() {
    let host = Host::with_script(
        r#"
        import os

        count = 0
        config = proxy.globals.config
        config.rwsplit = {"limit": 5}
        proxy.globals.seen = []

        def read_query(proxy, packet):
            global count
            if b"look" not in packet:
                return
            count += 1
            mine = getattr(proxy.connection, "mine", 0) + 1
            proxy.connection.mine = mine
            proxy.globals.seen.append(packet[-1:].decode())
            proxy.globals.config.rwsplit["limit"] += 1
            text = f"{count} {mine} {''.join(proxy.globals.seen)} {config.rwsplit['limit']}"
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {"fields": [("t", proxy.MYSQL_TYPE_STRING)], "rows": [[text]]},
            }
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let (mut one, mut two) = (host.client(), host.client());
    assert_eq!(one.query("look a").unwrap().value(), "1 1 a 6");
    assert_eq!(two.query("look b").unwrap().value(), "2 1 ab 7");
    assert_eq!(one.query("look c").unwrap().value(), "3 2 abc 8");
    one.quit();
    assert_eq!(host.client().query("look d").unwrap().value(), "4 1 abcd 9");
}

#[test]
fn the_effective_options() {
    let host = Host::builder()
        .backend(refusing())
        .readonly(refusing())
        .option("pyproxy-read-only-backend-addresses", refusing())
        .option("pyproxy-connect-timeout", "0.25")
        .option("pyproxy-on-script-error", "forward")
        .option("pyproxy-pool-no-change-user", "true")
        .option("pyproxy-skip-profiling", "true")
        .script(
            r#"
            c = proxy.globals.config
            assert c is proxy.globals.config
            print(c.address, len(c.backend_addresses), len(c.read_only_backend_addresses))
            print(c.python_script == __file__, c.profiling, c.pool_change_user, c.start_proxy)
            print(c.connect_timeout, c.read_timeout, c.write_timeout, c.on_script_error)
            print(c.reload, c.venv, c.script_config)
            "#,
        )
        .start();
    let address = host.address();
    assert_eq!(
        host.stop().stdout,
        format!(
            "{address} 1 2\nTrue False False True\n0.25 28800.0 28800.0 forward\nFalse None None\n"
        )
    );
}
