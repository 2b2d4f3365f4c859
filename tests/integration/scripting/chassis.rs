//! `pyproxy.chassis` and the statistics, as scripts and the admin plugin see them.

use testkit::wait::PATIENCE;
use testkit::{Host, Login, RawClient, eventually, ports};

use crate::support::*;

/// Answers `SELECT 'stats'` with every number as a row.
const COUNTING: &str = r#"
from pyproxy import chassis

def read_query(proxy, packet):
    if b"stats" in packet:
        fields = [("name", proxy.MYSQL_TYPE_STRING), ("number", proxy.MYSQL_TYPE_LONGLONG)]
        rows = sorted(chassis.get_stats().items())
        proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": rows}}
        return proxy.PROXY_SEND_RESULT
    if b"raise" in packet:
        raise ValueError("on purpose")
    if b"queue" in packet:
        proxy.queries.append(1, packet)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    pass
"#;

fn number(rows: &[Vec<String>], name: &str) -> u64 {
    let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name}"));
    row[1].parse().unwrap()
}

#[test]
fn a_script_sees_the_numbers() {
    let host = Host::with_script(COUNTING);
    let mut client = host.client();
    client.query("SELECT 1").unwrap();
    client.query("SELECT 'queue'").unwrap();
    client.query("SELECT 'raise'").unwrap();
    let rows = client.query("SELECT 'stats'").unwrap().text();
    for (name, wanted) in [
        ("connections", 1),
        ("queries", 4),
        ("queued_queries", 1),
        ("malformed_packets", 0),
        ("panics", 0),
        // The call that asks is not over yet.
        ("read_query.calls", 3),
        ("read_query.errors", 1),
        ("read_query_result.calls", 1),
        ("read_query_result.errors", 0),
        ("read_auth.calls", 0),
    ] {
        assert_eq!(number(&rows, name), wanted, "{name}");
    }
    assert!(number(&rows, "read_query.micros") > 0);
    number(&rows, "python_wait_micros");
}

#[test]
fn a_script_stops_the_host_on_purpose() {
    let mut host = Host::with_script(
        r#"
        from pyproxy import chassis

        def read_query(proxy, packet):
            if b"stop" in packet:
                chassis.set_shutdown()

        def shutdown(proxy):
            print("shutdown", flush=True)
        "#,
    );
    assert_in_step(&mut host.client());
    host.client().query("SELECT 'stop'").unwrap();
    assert!(eventually(PATIENCE, || !host.is_alive()), "it goes on:\n{}", host.log());
    assert_eq!(host.stdout(), "shutdown\n");
    assert!(host.log().contains("hooks.py:"), "who asked:\n{}", host.log());
}

#[test]
fn messages_have_the_level_they_are_written_at() {
    let host = Host::with_script(
        r#"
        import chassis

        for level in ("error", "critical", "warning", "message", "info", "debug"):
            chassis.log(level, "written at " + level)
        "#,
    );
    for (written, shown) in [
        ("error", "critical"),
        ("critical", "critical"),
        ("warning", "warning"),
        ("message", "message"),
        ("info", "info"),
        ("debug", "debug"),
    ] {
        let log = host.log();
        let line = log.lines().find(|line| line.ends_with(&format!("written at {written}")));
        let line = line.unwrap_or_else(|| panic!("{written} is missing:\n{log}"));
        assert!(line.contains(&format!("({shown}) pyproxy: (")), "{line}");
    }
}

#[test]
#[ignore = "needs the original mysql-proxy: PYPROXY_HOST=/path cargo test -- --include-ignored"]
fn the_admin_plugin_sees_the_numbers() {
    const ADMIN_SCRIPT: &str = r#"
local chassis = require("chassis")
function read_query(packet)
  local rows = {}
  for name, number in pairs(chassis.get_stats("pyproxy")) do
    rows[#rows + 1] = { name, tostring(number) }
  end
  proxy.response = {
    type = proxy.MYSQLD_PACKET_OK,
    resultset = {
      fields = {
        { name = "name", type = proxy.MYSQL_TYPE_STRING },
        { name = "number", type = proxy.MYSQL_TYPE_STRING }
      },
      rows = rows
    }
  }
  return proxy.PROXY_SEND_RESULT
end
"#;
    let port = ports::free_port();
    let host = Host::builder()
        .backend(db())
        .plugins(&["admin", "pyproxy"])
        .option("admin-address", format!("127.0.0.1:{port}"))
        .option("admin-username", "admin")
        .option("admin-password", "admin")
        .file("admin.lua", ADMIN_SCRIPT)
        .option_to_file("admin-lua-script", "admin.lua")
        .script(COUNTING)
        .start();
    host.client().query("SELECT 'queue'").unwrap();
    let admin = ([127, 0, 0, 1], port).into();
    let rows = RawClient::login(admin, &Login::new("admin", "admin"))
        .unwrap()
        .query("SELECT stats")
        .unwrap()
        .text();
    assert_eq!(number(&rows, "read_query.calls"), 1, "{rows:?}");
    assert_eq!(number(&rows, "queued_queries"), 1, "{rows:?}");
    assert_eq!(rows.len(), 40, "{rows:?}");
}
