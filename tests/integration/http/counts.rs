//! Metrics of what happens more seldom: bytes, TLS, pools, reloads, kept results, backends that are gone.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use testkit::mariadb::{PASSWORD, USER};
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, MariaDb, RawServer, eventually};

use super::*;
use crate::support::*;

fn own_loop() -> Builder {
    Host::builder().option("pyproxy-event-loop", "own")
}

/// As many bytes as came in go out, where nothing is changed: but for the greeting's and the login's capabilities, which keep
/// their length.
#[test]
fn bytes_of_both_sides() {
    let site = Site::start(own_loop().backend(db()));
    let mut client = site.host.client();
    let text = "y".repeat(3_000_000);
    assert_eq!(client.query(&format!("SELECT '{text}'")).unwrap().value(), text);
    let bytes = |what: &str, side: &str| {
        site.sample(&format!("pyproxy_{what}_bytes_total{{side=\"{side}\"}}"))
    };
    // What was written last is counted at the end of the turn, which may be behind the answer.
    let is_all = || {
        bytes("read", "client") == bytes("written", "server")
            && bytes("read", "server") == bytes("written", "client")
    };
    assert!(eventually(PATIENCE, is_all), "{}", site.get("/metrics").body);
    for (what, side) in
        [("read", "client"), ("read", "server"), ("written", "client"), ("written", "server")]
    {
        let count = bytes(what, side);
        assert!((3_000_000.0..3_010_000.0).contains(&count), "{what} {side}: {count}");
    }
    assert!(site.sample("pyproxy_event_loop_delay_seconds_count") > 1.0);
}

#[test]
fn the_chassis_does_not_tell_what_it_does_not_know() {
    let site = Site::start(Host::builder().backend(db()).option("pyproxy-event-loop", "chassis"));
    assert_in_step(&mut site.host.client());
    let text = site.get("/metrics").body;
    for name in ["read_bytes", "written_bytes", "event_loop_delay"] {
        assert!(!text.contains(&format!("pyproxy_{name}")), "{name}\n{text}");
    }
}

#[test]
fn tls_by_version() {
    let site = Site::start(own_loop().backend(MariaDb::shared_with_tls().0.address()));
    let mut client = Command::new("mariadb");
    client
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--ssl"])
        .arg("--tls-version=TLSv1.2")
        .arg(format!("--port={}", site.host.address().port()))
        .args([&format!("--user={USER}"), &format!("--password={PASSWORD}")])
        .args(["--execute", "SELECT 1"])
        .stdin(Stdio::null());
    let output = client.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let count = |side: &str, version: &str| {
        site.sample(&format!(
            "pyproxy_tls_handshakes_total{{side=\"{side}\",version=\"{version}\"}}"
        ))
    };
    assert_eq!((count("client", "TLSv1.2"), count("client", "TLSv1.3")), (1.0, 0.0));
    assert_eq!(count("server", "TLSv1.3"), 1.0);
}

const POOLING: &str = r#"
def connect_server(proxy):
    proxy.connection.backend_ndx = 0
    if proxy.connection.server:
        return proxy.PROXY_IGNORE_RESULT

def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT

def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"#;

#[test]
fn the_pool() {
    let site = Site::start(own_loop().backend(db()).script(POOLING));
    let backend = db();
    let of_pool = |name: &str, labels: &str| {
        site.sample(&format!("pyproxy_pool_{name}{{backend=\"{backend}\"{labels}}}"))
    };
    let idle = |count: f64| eventually(PATIENCE, || of_pool("idle_connections", "") == count);
    site.host.client().quit();
    assert!(idle(1.0), "{}", site.host.log());
    assert_eq!(of_pool("requests_total", ",result=\"miss\""), 1.0);
    let mut client = site.host.client();
    assert_eq!(of_pool("requests_total", ",result=\"hit\""), 1.0);
    assert_eq!(of_pool("idle_connections", ""), 0.0);
    // Nobody else may have it in the middle of an answer.
    client.send_command(testkit::client::COM_QUERY, b"SELECT SLEEP(600)").unwrap();
    let asks = || site.sample("pyproxy_commands_total{command=\"query\"}") == 1.0;
    assert!(eventually(PATIENCE, asks));
    client.abort();
    let connections = format!("pyproxy_backend_connections{{backend=\"{backend}\"}}");
    assert!(eventually(PATIENCE, || site.sample(&connections) == 0.0), "{}", site.host.log());
    assert_eq!(of_pool("idle_connections", ""), 0.0);
}

#[test]
fn reloads() {
    let site = Site::start(
        own_loop()
            .backend(db())
            .option("pyproxy-reload", "true")
            .script("def read_query(proxy, packet): pass"),
    );
    let replace = |source: &str| {
        let (new, script) = (site.host.file("new.py"), site.host.file("hooks.py"));
        std::fs::write(&new, source).unwrap();
        std::fs::rename(&new, &script).unwrap();
        // The plugin looks at the file once a second, when a client comes.
        sleep(Duration::from_millis(1100));
    };
    let wait_for = |name: &str, value: f64| {
        let came = eventually(PATIENCE, || {
            site.host.client().quit();
            site.sample(name) == value
        });
        assert!(came, "{name}: {}\n{}", site.sample(name), site.host.log());
    };
    replace("def read_query(proxy, packet): return None");
    wait_for("pyproxy_script_version", 2.0);
    replace("no python");
    wait_for("pyproxy_script_reloads_total{result=\"failed\"}", 1.0);
    assert_eq!(site.sample("pyproxy_script_version"), 2.0);
    assert_eq!(site.sample("pyproxy_script_reloads_total{result=\"loaded\"}"), 1.0);
    let loaded_at = site.sample("pyproxy_script_loaded_time_seconds");
    assert!(loaded_at > site.sample("pyproxy_start_time_seconds"), "{loaded_at}");
}

#[test]
fn kept_results() {
    let site = Site::start(own_loop().backend(db()).script(
        r#"
        import asyncio
        import os

        here = os.path.dirname(__file__)

        async def read_query(proxy, packet):
            result = await proxy.query(proxy.command.sql)
            print("kept", flush=True)
            while not os.path.exists(here + "/go"):
                await asyncio.sleep(0.01)
            return result
        "#,
    ));
    let mut client = site.host.client();
    let before = site.sample("pyproxy_kept_bytes");
    let query = b"SELECT REPEAT('x', 2000000)";
    client.send_command(testkit::client::COM_QUERY, query).unwrap();
    site.host.wait_for_stdout("kept\n");
    let kept = site.sample("pyproxy_kept_bytes");
    assert!((2_000_000.0..4_000_000.0).contains(&(kept - before)), "{before} {kept}");
    std::fs::write(site.host.file("go"), "").unwrap();
    assert_eq!(client.read_answer(1).unwrap().value().len(), 2_000_000);
    let freed = eventually(PATIENCE, || site.sample("pyproxy_kept_bytes") == before);
    assert!(freed, "{}", site.sample("pyproxy_kept_bytes"));
}

#[test]
fn a_backend_that_is_gone() {
    let gone = refusing();
    let site = Site::start(own_loop().backend(gone));
    let error = assert_err_and_close(&mut site.host.connect(), 0);
    assert_eq!(error.code, 1105);
    let failures = format!("pyproxy_backend_connect_failures_total{{backend=\"{gone}\"}}");
    assert_eq!(site.sample(&failures), 1.0);
    assert_eq!(site.sample("pyproxy_errors_total{source=\"proxy\",code=\"1105\"}"), 1.0);
    assert_eq!(
        site.sample(&format!("pyproxy_backend_connect_seconds_count{{backend=\"{gone}\"}}")),
        0.0
    );
}

/// A server may make up any number.
#[test]
fn errors_of_a_server_that_makes_them_up() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        let mut code = 0_u16;
        loop {
            let packet = conn.read()?;
            let [low, high] = code.to_le_bytes();
            let err =
                [&[0xff, low, high][..], b"#42S02evil\n# TYPE evil counter\nevil 1\n"].concat();
            conn.write(packet.id.wrapping_add(1), &err)?;
            code += 1;
        }
    });
    let site = Site::start(own_loop().backend(server.address()));
    let mut client = site.host.client();
    for _ in 0..400 {
        client.query("SELECT 1").unwrap().err();
    }
    assert_eq!(site.sample("pyproxy_errors_total{source=\"server\",code=\"255\"}"), 1.0);
    assert_eq!(site.sample("pyproxy_errors_total{source=\"server\",code=\"other\"}"), 144.0);
    assert!(!site.get("/metrics").body.contains("evil"));
}
