//! `proxy.connection`, its sockets and addresses.

use std::sync::Arc;

use super::*;
use wire::Capabilities;
use wire::connect::{Handshake, Login};
use wire::reply::StatusFlags;

/// Runs statements in `hook`, with `c` as the connection; an assertion in them fails the test.
fn check(hook: &str, prepare: impl FnOnce(&mut Session), statements: &str) -> Connection {
    let body = statements.replace('\n', "\n    ");
    let argument = if hook == "read_query" { ", packet" } else { "" };
    let script = format!("def {hook}(proxy{argument}):\n    c = proxy.connection\n    {body}\n");
    let mut connection = Connection::new(&script);
    connection.change(prepare);
    let hook = Hook::ALL.into_iter().find(|known| known.name() == hook).expect("a hook");
    assert_eq!(connection.call(hook), Verdict::Proceed, "{}", logged(log::Level::Error));
    connection
}

fn handshake(capabilities: Capabilities) -> Handshake {
    Handshake {
        protocol_version: 10,
        server_version: b"8.0.36-log".to_vec(),
        thread_id: 99,
        scramble: b"abcdefgh\x01jklmnopqrst\0".to_vec(),
        capabilities,
        charset: 45,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: Some(b"mysql_native_password".to_vec()),
    }
}

fn login() -> Login {
    Login {
        capabilities: Capabilities::empty(),
        max_packet_size: 0,
        charset: 45,
        username: b"bob\xff".to_vec(),
        auth_response: b"\0\x01".to_vec(),
        database: None,
        auth_plugin: Some(b"caching_sha2_password".to_vec()),
        attributes: Some(b"\x04_pid\x0242\x01x\x02\xc3\xa4\x09cut".to_vec()),
        zstd_level: None,
    }
}

#[test]
fn what_is_not_known_is_none() {
    check(
        "connect_server",
        |_| {},
        "s = c.client\n\
        assert s.attributes is None and s.username is None and s.scrambled_password is None and s.auth_plugin_name is None\n\
        assert s.mysqld_version is None and s.thread_id is None and s.scramble_buffer is None\n\
        assert s.default_db == '' and s.dst is None and c.server is None\n\
        assert c.backend_ndx == -1 and c.backend is None and c.connection_close is False\n\
        assert repr(c) == '<pyproxy.Connection 7 of 10.0.0.1:5555>', repr(c)\n\
        assert repr(s) == '<pyproxy.Socket client 10.0.0.1:5555>', repr(s)\n\
        assert repr(proxy) == f'<pyproxy.Proxy {c!r}>'",
    );
}

#[test]
fn what_is_known_of_the_client() {
    let known = |session: &mut Session| {
        session.client.handshake = Some(Arc::new(handshake(Capabilities::PLUGIN_AUTH)));
        session.client.login = Some(Arc::new(login()));
        session.client.default_db = b"test".to_vec();
    };
    check(
        "read_query",
        known,
        "s = c.client\n\
        assert s.username == 'bob\\udcff' and s.scrambled_password == b'\\0\\x01'\n\
        assert s.auth_plugin_name == 'caching_sha2_password' and s.default_db == 'test'\n\
        assert s.attributes == {'_pid': '42', 'x': 'ä'}, s.attributes\n\
        assert s.mysqld_version == 80036 and s.thread_id == 99\n\
        assert s.scramble_buffer == b'abcdefgh\\x01jklmnopqrst\\0', s.scramble_buffer\n\
        assert c.client == s and hash(c.client) == hash(s) and c.client is not None",
    );
}

#[test]
fn before_the_login_the_servers_method_counts_and_old_servers_scramble_has_20_bytes() {
    let known = |session: &mut Session| {
        session.client.handshake = Some(Arc::new(handshake(Capabilities::empty())));
    };
    check(
        "read_auth",
        known,
        "s = c.client\n\
        assert s.auth_plugin_name == 'mysql_native_password'\n\
        assert s.scramble_buffer == b'abcdefgh\\x01jklmnopqrst' and len(s.scramble_buffer) == 20",
    );
}

#[test]
fn an_address_is_a_value() {
    check(
        "read_query",
        |_| {},
        "a = c.client.src\n\
        assert (a.name, a.address, a.port, a.type) == ('10.0.0.1:5555', '10.0.0.1', 5555, 2)\n\
        assert str(a) == a.name and a == c.client.src and {a: 1}[c.client.src] == 1 and a != 'x'\n\
        assert repr(a) == '<pyproxy.Address 10.0.0.1:5555>'",
    );
}

#[test]
fn tls_is_what_the_handshake_agreed_on() {
    check("read_query", |_| {}, "assert c.client.tls is None");
    let tls = |session: &mut Session| {
        session.client.tls = Some(Arc::new(engine::TlsInfo {
            version: "TLSv1.3".to_owned(),
            cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
            peer_subject: Some("CN=bob".to_owned()),
        }));
    };
    check(
        "read_query",
        tls,
        "t = c.client.tls\n\
        assert (t.version, t.cipher, t.peer_subject) == ('TLSv1.3', 'TLS_AES_256_GCM_SHA384', 'CN=bob')\n\
        assert t == c.client.tls and {t: 1}[c.client.tls] == 1 and t != 'x'\n\
        assert repr(t) == '<pyproxy.Tls TLSv1.3 TLS_AES_256_GCM_SHA384 peer=\"CN=bob\">', repr(t)",
    );
}

#[test]
fn connection_close_and_backend_ndx_change_the_session() {
    let connection = check(
        "read_query",
        |session| session.choice = Some(3),
        "assert c.backend_ndx == 3\n\
        assert c.backend.ndx == 3 and c.backend == c.backend and c.backend.pool == c.backend.pool\n\
        c.backend_ndx = -1\n\
        assert c.backend_ndx == -1\n\
        c.connection_close = 1\n\
        assert c.connection_close is True",
    );
    connection.change(|session| {
        assert!(session.close_after_result);
        assert_eq!(session.choice, None);
    });
}

#[test]
fn wrong_values_and_moments_raise() {
    check(
        "read_query",
        |_| {},
        "for value, error in ((-2, ValueError), ('1', TypeError), (None, TypeError), (2**70, OverflowError)):\n\
        \x20   try: c.backend_ndx = value\n\
        \x20   except error: pass\n\
        \x20   else: raise AssertionError(value)\n\
        for value in (1.5, 'yes', None):\n\
        \x20   try: c.connection_close = value\n\
        \x20   except TypeError: pass\n\
        \x20   else: raise AssertionError(value)",
    );
    check(
        "read_handshake",
        |_| {},
        "try: c.backend_ndx = -1\n\
        except RuntimeError as e: assert 'login' in str(e)\n\
        else: raise AssertionError()",
    );
    // Whether there is such a backend is seen behind the hook.
    let chooses = "c.backend_ndx = 3\nassert c.backend_ndx == 3\nc.backend_ndx = -1\nassert c.backend_ndx == -1";
    check("read_auth", |_| {}, chooses);
}

#[test]
fn attributes_live_with_the_connection() {
    let script = "import weakref\n\
        refs = []\n\
        class State: pass\n\
        def read_auth(proxy):\n\
        \x20   proxy.connection.count = 1\n\
        \x20   proxy.mine = State()\n\
        \x20   proxy.mine.cycle = proxy\n\
        \x20   proxy.connection.also = proxy.mine\n\
        \x20   refs.append(weakref.ref(proxy.mine))\n\
        \x20   refs.append(weakref.ref(proxy.connection))\n\
        def read_query(proxy, packet):\n\
        \x20   proxy.connection.count += 1\n\
        \x20   assert proxy.connection.count == 2 and vars(proxy.connection)['count'] == 2\n\
        \x20   try: proxy.connection.unknown\n\
        \x20   except AttributeError: pass\n\
        \x20   else: raise AssertionError()\n\
        \x20   assert not hasattr(proxy.connection, 'unknown')\n\
        def disconnect_client(proxy):\n\
        \x20   assert [r() for r in refs] == [None, None], [r() for r in refs]\n";
    let script = load(script);
    let mut first = Connection::of(Arc::clone(&script));
    for hook in [Hook::ReadAuth, Hook::ReadQuery] {
        assert_eq!(first.call(hook), Verdict::Proceed, "{}", logged(log::Level::Error));
    }
    drop(first);
    let mut second = Connection::of(script);
    let outcome = second.call(Hook::DisconnectClient);
    assert_eq!(outcome, Verdict::Proceed, "nothing is left: {}", logged(log::Level::Error));
}

#[test]
fn what_is_given_cannot_be_deleted_or_replaced() {
    check(
        "read_query",
        |_| {},
        "import types\n\
        for owner, name in ((proxy, 'connection'), (proxy, 'queries'), (proxy, 'response'), (proxy, 'globals'),\n\
        \x20                   (c, 'client'), (c, 'server'), (c, 'backend_ndx'), (c.client, 'src'), (c.client, 'new')):\n\
        \x20   try: delattr(owner, name)\n\
        \x20   except (AttributeError, TypeError): pass\n\
        \x20   else: raise AssertionError(name)\n\
        for owner, name in ((proxy, 'connection'), (proxy, 'queries'), (proxy, 'globals'), (c, 'client'), (c.client, 'src')):\n\
        \x20   try: setattr(owner, name, None)\n\
        \x20   except AttributeError: pass\n\
        \x20   else: raise AssertionError(name)\n\
        try: type(c)()\n\
        except TypeError: pass\n\
        else: raise AssertionError()",
    );
}
