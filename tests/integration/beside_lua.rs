//! Beside the original's own plugins: `plugins=admin,proxy,pyproxy`. These need the original
//! host, which alone has them: they are ignored unless asked for with `--include-ignored`.

use testkit::host::builder::Builder;
use testkit::host::counters::{STATE_DOWN, STATE_UP};
use testkit::wait::PATIENCE;
use testkit::{Host, Login, MariaDb, RawClient, Relay, eventually, ports};

use crate::support::*;

/// The admin plugin answers these queries from its own Lua script; this one is enough here.
const ADMIN_SCRIPT: &str = r#"
function read_query(packet)
  local rows = {}
  for i = 1, #proxy.global.backends do
    local backend = proxy.global.backends[i]
    rows[i] = { packet:find("state") and tostring(backend.state) or backend.dst.name }
  end
  proxy.response = {
    type = proxy.MYSQLD_PACKET_OK,
    resultset = { fields = { { name = "address", type = proxy.MYSQL_TYPE_STRING } }, rows = rows }
  }
  return proxy.PROXY_SEND_RESULT
end
"#;

struct Ports {
    admin: u16,
    lua: u16,
}

fn with_admin(builder: Builder, port: u16) -> Builder {
    builder
        .option("admin-address", format!("127.0.0.1:{port}"))
        .option("admin-username", "admin")
        .option("admin-password", "admin")
        .file("admin.lua", ADMIN_SCRIPT)
        .option_to_file("admin-lua-script", "admin.lua")
}

fn three(lua_backend: std::net::SocketAddr) -> (Builder, Ports) {
    let ports = Ports { admin: ports::free_port(), lua: ports::free_port() };
    let builder = Host::builder()
        .plugins(&["admin", "proxy", "pyproxy"])
        .option("proxy-address", format!("127.0.0.1:{}", ports.lua))
        .option("proxy-backend-addresses", lua_backend);
    (with_admin(builder, ports.admin), ports)
}

fn at(port: u16) -> std::net::SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn admin_sees(port: u16) -> Vec<Vec<String>> {
    admin_sees_of(port, "*")
}

fn admin_sees_of(port: u16, what: &str) -> Vec<Vec<String>> {
    let login = Login::new("admin", "admin");
    let mut client = RawClient::login(at(port), &login).unwrap();
    client.query(&format!("SELECT {what} FROM backends")).unwrap().text()
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn each_plugin_serves_with_its_own_backends() {
    let (for_lua, for_python) = (Relay::start(db()), Relay::start(db()));
    let (builder, ports) = three(for_lua.address());
    let host = builder
        .backend(for_python.address())
        .script(
            r#"
            def read_query(proxy, packet):
                if b"who" in packet:
                    names = ",".join(backend.dst.name for backend in proxy.globals.backends)
                    proxy.response = {
                        "type": proxy.MYSQLD_PACKET_OK,
                        "resultset": {
                            "fields": [("who", proxy.MYSQL_TYPE_STRING)],
                            "rows": [[names]],
                        },
                    }
                    return proxy.PROXY_SEND_RESULT
            "#,
        )
        .start();
    assert!(eventually(PATIENCE, || ports::is_listening(ports.lua)));
    for _ in 0..3 {
        let mut lua = RawClient::login(at(ports.lua), &MariaDb::user()).unwrap();
        assert_eq!(lua.query("SELECT 'who'").unwrap().value(), "who", "served by the Lua plugin");
        let mut python = host.client();
        let names = python.query("SELECT 'who'").unwrap().value();
        assert_eq!(names, for_python.address().to_string());
        assert_in_step(&mut python);
        assert_in_step(&mut lua);
    }
    assert_eq!((for_lua.passed().len(), for_python.passed().len()), (3, 3));
    assert_eq!(admin_sees(ports.admin), [[for_lua.address().to_string()]]);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn admin_shows_the_backends_when_there_is_no_lua_proxy() {
    let port = ports::free_port();
    let builder = Host::builder().plugins(&["admin", "pyproxy"]).backend(db());
    let host = with_admin(builder, port).start();
    assert_in_step(&mut host.client());
    assert_eq!(admin_sees(port), [[db().to_string()]]);
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn short_options_of_the_lua_plugin_keep_working() {
    let ports = Ports { admin: ports::free_port(), lua: ports::free_port() };
    let builder = Host::builder()
        .plugins(&["admin", "proxy", "pyproxy"])
        .backend(refusing())
        .arguments(&["-P", &at(ports.lua).to_string(), "-b", &db().to_string()])
        .arguments(&["-r", &refusing().to_string(), "-s", "/dev/null"]);
    let _host = with_admin(builder, ports.admin).start();
    assert!(eventually(PATIENCE, || ports::is_listening(ports.lua)));
    assert_in_step(&mut RawClient::login(at(ports.lua), &MariaDb::user()).unwrap());
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn traffic_on_both_plugins_with_four_event_threads() {
    let (builder, ports) = three(db());
    let host = builder.backend(db()).event_threads(4).with_counters().start();
    assert!(eventually(PATIENCE, || ports::is_listening(ports.lua)));
    std::thread::scope(|scope| {
        for address in [at(ports.lua), host.address()].repeat(8) {
            scope.spawn(move || {
                for _ in 0..20 {
                    let mut client = RawClient::login(address, &MariaDb::user()).unwrap();
                    assert_in_step(&mut client);
                    client.quit();
                }
            });
        }
    });
    host.wait_for_clients(&[0]);
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn under_load_nothing_mixes() {
    let (for_lua, for_python) = (server_saying("lua"), server_saying("python"));
    let (builder, ports) = three(for_lua.address());
    let host = builder
        .backend(for_python.address())
        .event_threads(2)
        .script(
            r#"
            def connect_server(proxy):
                # Pooled connections are taken again: none of the other plugin's is among them.
                proxy.connection.backend_ndx = 0
                if proxy.connection.server is not None:
                    return proxy.PROXY_IGNORE_RESULT

            def disconnect_client(proxy):
                proxy.connection.backend_ndx = -1
            "#,
        )
        .start();
    assert!(eventually(PATIENCE, || ports::is_listening(ports.lua)));
    std::thread::scope(|scope| {
        for (address, expected) in [(at(ports.lua), "lua"), (host.address(), "python")].repeat(4) {
            scope.spawn(move || {
                for _ in 0..20 {
                    let mut client = RawClient::login(address, &MariaDb::user()).unwrap();
                    for _ in 0..5 {
                        assert_eq!(client.query("who").unwrap().value(), expected);
                    }
                    client.quit();
                }
            });
        }
    });
    let count = |server: &testkit::RawServer| server.seen().len();
    assert_eq!(count(&for_lua), 80, "one connection for each client of the Lua plugin");
    assert!(count(&for_python) <= 80, "{}", count(&for_python));
    assert_eq!(admin_sees(ports.admin), [[for_lua.address().to_string()]]);
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn what_a_script_does_to_its_backends_is_not_seen_by_the_other_plugin() {
    let (for_lua, for_python) = (Relay::start(db()), Relay::start(db()));
    let (builder, ports) = three(for_lua.address());
    let host = builder
        .backend(for_python.address())
        .script(&format!(
            r#"
            def read_query(proxy, packet):
                if b"change" in packet:
                    proxy.globals.backends[0].state = proxy.BACKEND_STATE_DOWN
                    proxy.globals.backends.add("{}")
            "#,
            refusing()
        ))
        .start();
    assert!(eventually(PATIENCE, || ports::is_listening(ports.lua)));
    host.client().query("SELECT 'change'").unwrap();
    assert_eq!(admin_sees(ports.admin), [[for_lua.address().to_string()]]);
    for _ in 0..3 {
        assert_in_step(&mut RawClient::login(at(ports.lua), &MariaDb::user()).unwrap());
    }
    assert_eq!((for_lua.passed().len(), for_python.passed().len()), (3, 1));
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn admin_sees_what_the_script_does_to_the_backends_without_a_lua_proxy() {
    let port = ports::free_port();
    let (second, third) = (refusing(), refusing());
    let builder =
        Host::builder().plugins(&["admin", "pyproxy"]).backend(db()).readonly(second).script(
            &format!(
                "def read_query(proxy, packet): proxy.globals.backends.add('{third}') if b'add' in \
             packet else None\n"
            ),
        );
    let host = with_admin(builder, port).start();
    host.client().query("SELECT 'add'").unwrap();
    let expected = [db(), second, third].map(|address| vec![address.to_string()]);
    assert_eq!(admin_sees(port), expected);
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn admin_sees_backends_that_nobody_may_use_as_down() {
    let (port, relay) = (ports::free_port(), Relay::start(db()));
    let builder = Host::builder().plugins(&["admin", "pyproxy"]).backend(db());
    let builder = builder.backend(relay.address()).script(
        r#"
        def read_query(proxy, packet):
            word, _, state = packet[1:].decode().partition(" ")
            if word == "MARK":
                first, second = proxy.globals.backends
                first.state = getattr(proxy, "BACKEND_STATE_" + state)
                second.state = proxy.BACKEND_STATE_DOWN
                proxy.response.type = proxy.MYSQLD_PACKET_OK
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let host = with_admin(builder, port).option("pyproxy-event-loop", "chassis").start();
    let mut client = host.client();
    let states = |states: [u32; 2]| states.map(|state| vec![state.to_string()]);
    for (wanted, state) in [("UP", STATE_UP), ("DRAIN", STATE_DOWN), ("MAINT", STATE_DOWN)] {
        client.query(&format!("MARK {wanted}")).unwrap();
        assert_eq!(admin_sees_of(port, "state"), states([state, STATE_DOWN]), "{wanted}");
    }
    // The other one is tried again in its time.
    let is_tried = || RawClient::login(host.address(), &MariaDb::user()).is_ok();
    assert!(eventually(PATIENCE, is_tried), "{}", host.log());
    assert_eq!(admin_sees_of(port, "state"), states([STATE_DOWN, STATE_UP]));
}
