//! Backends and pools as scripts see and change them (`docs/scripting.md#objects`).

use testkit::{Host, Login, Unreachable};

use super::support::*;
use crate::support::*;

/// Without hooks of its own: the observer evaluates Python.
fn watched(builder: testkit::host::builder::Builder) -> Pooling {
    Pooling::start(builder, PARKING)
}

/// Every client leaves its server connection to the pool, and nobody takes one.
const PARKING: &str = "def disconnect_client(proxy):\n    proxy.connection.backend_ndx = -1\n";

#[test]
fn users_is_a_mapping_of_those_who_have_idle_connections() {
    let server = numbered_server("a");
    let pooling = watched(Host::builder().backend(server.address()));
    let see = |expression: &str| {
        pooling.observe(&expression.replace("users", "proxy.globals.backends[0].pool.users"))
    };
    for (expression, value) in [
        ("'' in users", "False"),
        ("'ann' in users", "False"),
        ("users['ann'].cur_idle_connections", "0"),
        ("len(users['ann'])", "0"),
        ("len(users)", "0"),
        ("list(users)", "[]"),
    ] {
        assert_eq!(see(expression), value, "{expression}");
    }
    let names = ["ann", "ann", "bob"];
    // All at a time, or they would use each other's.
    let clients: Vec<_> = names.map(|name| pooling.host.login(&Login::new(name, "x"))).into();
    drop(clients);
    pooling.wait_for(&[(0, "ann:2 bob:1")]);
    for (expression, value) in [
        ("'' in users", "True"),
        ("'ann' in users, b'bob' in users", "(True, True)"),
        ("'carol' in users", "False"),
        ("users['carol'].cur_idle_connections", "0"),
        ("users['ann'].cur_idle_connections, len(users['bob'])", "(2, 1)"),
        ("users[''].cur_idle_connections, len(users[''])", "(3, 3)"),
        ("len(users), list(users), users.keys()", "(2, ['ann', 'bob'], ['ann', 'bob'])"),
        ("[len(queue) for queue in users.values()]", "[2, 1]"),
        ("{name: len(queue) for name, queue in users.items()}", "{'ann': 2, 'bob': 1}"),
        // Looking does not create anything.
        ("users['carol'] and 0 or list(users)", "['ann', 'bob']"),
    ] {
        assert_eq!(see(expression), value, "{expression}");
    }
}

#[test]
fn idle_limits_and_uuid_are_settable() {
    let server = numbered_server("a");
    let pooling = watched(Host::builder().backend(server.address()));
    let backend = "proxy.globals.backends[0]";
    for (place, name, first, second) in [
        (".pool", "min_idle_connections", "0", "3"),
        (".pool", "max_idle_connections", "0", "7"),
        ("", "uuid", "None", "'some id'"),
    ] {
        assert_eq!(pooling.observe(&format!("{backend}{place}.{name}")), first, "{name}");
        pooling.observe(&format!("setattr({backend}{place}, '{name}', {second})"));
        assert_eq!(pooling.observe(&format!("{backend}{place}.{name}")), second, "{name}");
    }
}

/// As in the Lua plugin: what is above the limit can be taken by anybody, the rest is for clients that are known.
#[test]
fn a_client_without_name_leaves_each_user_the_minimum() {
    let server = numbered_server("a");
    let script = format!(
        "{POOL}\ndef observe(proxy, text):\n    \
                          proxy.globals.backends[0].pool.min_idle_connections = int(text)\n"
    );
    let pooling = Pooling::start(Host::builder().backend(server.address()), &script);
    pooling.host.client().quit();
    pooling.wait_for(&[(0, "u:1")]);
    pooling.observe("1");
    let mut fresh = pooling.host.client();
    assert_eq!(fresh.query("SELECT 1").unwrap().value(), "a1");
    fresh.quit();
    pooling.wait_for(&[(0, "u:2")]);
    let mut oldest = pooling.host.client();
    assert_eq!(oldest.query("SELECT 1").unwrap().value(), "a0");
    pooling.wait_for(&[(1, "u:1")]);
}

#[test]
fn state_is_settable_and_steers() {
    let (first, second) = (numbered_server("first"), numbered_server("second"));
    let builder = Host::builder().backend(first.address()).backend(second.address());
    let pooling = watched(builder);
    let set = |ndx: usize, state: &str| {
        pooling.observe(&format!(
            "setattr(proxy.globals.backends[{ndx}], 'state', proxy.BACKEND_STATE_{state})"
        ));
    };
    let served_by = || pooling.host.client().query("SELECT 1").unwrap().value();
    assert!(served_by().starts_with("first"));
    set(0, "DOWN");
    assert!(served_by().starts_with("second"));
    set(1, "DOWN");
    assert_err_and_close(&mut pooling.host.connect(), 0);
    set(0, "UP");
    assert!(served_by().starts_with("first"));
    set(0, "DOWN");
    set(1, "UNKNOWN");
    assert!(served_by().starts_with("second"));
}

#[test]
fn backends_can_be_added() {
    let (first, second) = (numbered_server("first"), numbered_server("second"));
    let pooling = watched(Host::builder().backend(first.address()));
    let mut busy = pooling.host.client();
    let add = format!("proxy.globals.backends.add('{}')", second.address());
    assert!(pooling.observe(&add).starts_with("<pyproxy.Backend 1 "));
    assert_eq!(pooling.report().len(), 2);
    assert_eq!(
        pooling.observe("len(proxy.globals.backends), proxy.globals.backends[1].ndx"),
        "(2, 1)"
    );
    assert_eq!(
        pooling.observe("[b.type == proxy.BACKEND_TYPE_RW for b in proxy.globals.backends]"),
        "[True, True]"
    );
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "second0", "the shorter queue");
    pooling.wait_for(&[(1, ""), (1, "")]);
    drop(client);
    pooling.wait_for(&[(1, ""), (0, "u:1")]);
    assert_eq!(busy.query("SELECT 1").unwrap().value(), "first0");
}

#[test]
fn a_backend_that_exists_or_makes_no_sense_is_not_added() {
    let server = numbered_server("a");
    let script = r#"
def observe(proxy, text):
    try:
        return proxy.globals.backends.add(text)
    except ValueError as error:
        return "ValueError"
"#;
    let pooling = Pooling::start(Host::builder().backend(server.address()), script);
    let known = server.address().to_string();
    for address in [known.as_str(), "127.0.0.1:99999", "no.such.host.invalid:3306"] {
        assert_eq!(pooling.observe(address), "'ValueError'", "{address}");
    }
    assert_eq!(pooling.report().len(), 1);
}

#[test]
fn read_only_backends_are_for_scripts_only() {
    let (writable, readable) = (numbered_server("rw"), numbered_server("ro"));
    let builder = Host::builder().backend(writable.address()).readonly(readable.address());
    let pooling = Pooling::start(builder, DRIVEN);
    // Never by the length of the queue.
    let clients: Vec<_> = (0..3).map(|_| pooling.host.client()).collect();
    assert_eq!(pooling.report(), [Report::new(3, ""), Report::new(0, "")]);
    drop(clients);
    pooling.wait_for(&[(0, "u:3"), (0, "")]);
    pooling.observe("connect_server take1");
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "ro0");
    pooling.wait_for(&[(0, "u:3"), (1, "")]);
    // Reads there, writes here.
    assert!(client.query("now take0").unwrap().value().starts_with("rw"));
    pooling.wait_for(&[(1, "u:2"), (0, "u:1")]);
    assert_eq!(client.query("now take1").unwrap().value(), "ro0");
    pooling.wait_for(&[(0, "u:3"), (1, "")]);
}

#[test]
fn added_read_only_backends_too() {
    let (writable, readable) = (numbered_server("rw"), numbered_server("ro"));
    let pooling = watched(Host::builder().backend(writable.address()));
    let add = "proxy.globals.backends.add(address, type=proxy.BACKEND_TYPE_RO).type";
    let add = add.replace("address", &format!("'{}'", readable.address()));
    assert_eq!(pooling.observe(&add), "2");
    let _clients: Vec<_> = (0..3).map(|_| pooling.host.client()).collect();
    assert_eq!(pooling.report(), [Report::new(3, ""), Report::new(0, "")]);
}

#[test]
fn a_connect_that_fails_counts_nowhere() {
    let silent = Unreachable::new();
    let server = numbered_server("a");
    let builder = Host::builder().backend(silent.address()).backend(refusing());
    let builder = builder.backend(server.address()).option("pyproxy-connect-timeout", "0.3");
    let pooling = watched(builder);
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "a0");
    let clients: Vec<_> = pooling.report().iter().map(|report| report.clients).collect();
    assert_eq!(clients, [0, 0, 1]);
}
