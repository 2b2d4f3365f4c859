//! `/metrics`: what it says is valid, documented, and what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use testkit::wait::PATIENCE;
use testkit::{Host, Login, MariaDb, RawClient, eventually};

use super::*;
use crate::support::*;

/// Fails if Prometheus' own checker has anything to say.
pub fn assert_checked(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "{said}\n{text}");
}

/// With all options on that have numbers.
fn everything() -> Builder {
    Host::builder()
        .backend(db())
        .option("pyproxy-query-stats", 10)
        .option("pyproxy-slow-query", 3600)
        .option_to_file("pyproxy-slow-log", "slow.log")
}

/// A host that has done all kinds of things, and its client.
fn busy(event_loop: &str) -> (Site, RawClient) {
    let site = Site::start(everything().option("pyproxy-event-loop", event_loop).script(
        r#"
            def read_query(proxy, packet):
                if b"raise" in packet:
                    raise RuntimeError
                if b"queue" in packet:
                    proxy.queries.append(1, packet, resultset_is_needed=True)
                    return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                pass
            "#,
    ));
    let mut client = site.host.client();
    for _ in 0..3 {
        assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
    }
    assert_eq!(client.query("SELECT 'queue'").unwrap().value(), "queue");
    assert_query_fails(&mut client, "SELECT 'raise'", "read_query");
    for wrong in ["SELEKT", "SELEKT 'queue'"] {
        assert_eq!(client.query(wrong).unwrap().err().code, 1064);
    }
    client.simple(14, b"").unwrap();
    (site, client)
}

#[test]
fn it_is_valid_and_says_what_happened() {
    for event_loop in ["own", "chassis"] {
        let (site, _client) = busy(event_loop);
        let answer = site.get("/metrics");
        assert_eq!(answer.status, 200);
        let kind = "content-type: text/plain; version=0.0.4; charset=utf-8";
        assert!(answer.head.contains(kind), "{}", answer.head);
        assert_checked(&answer.body);
        for (name, value) in [
            ("pyproxy_connections", 1.0),
            ("pyproxy_connections_accepted_total", 1.0),
            ("pyproxy_commands_total{command=\"query\"}", 7.0),
            ("pyproxy_commands_total{command=\"ping\"}", 1.0),
            ("pyproxy_commands_total{command=\"other\"}", 0.0),
            ("pyproxy_queued_queries_total", 2.0),
            ("pyproxy_hook_calls_total{hook=\"read_query\"}", 8.0),
            ("pyproxy_hook_calls_total{hook=\"read_query_result\"}", 2.0),
            ("pyproxy_hook_errors_total{hook=\"read_query\"}", 1.0),
            ("pyproxy_panics_total", 0.0),
            ("pyproxy_errors_total{source=\"proxy\",code=\"1105\"}", 1.0),
            ("pyproxy_errors_total{source=\"server\",code=\"1064\"}", 2.0),
            ("pyproxy_kept_bytes", 0.0),
            ("pyproxy_script_version", 1.0),
        ] {
            assert_eq!(site.sample(name), value, "{event_loop}: {name}");
        }
        let backend = db();
        // The failed hook's command did not get to it.
        let answered = format!("pyproxy_command_seconds_count{{backend=\"{backend}\"}}");
        assert_eq!(site.sample(&answered), 7.0);
        let connects = format!("pyproxy_backend_connect_seconds_count{{backend=\"{backend}\"}}");
        assert_eq!(site.sample(&connects), 1.0);
        assert_eq!(site.sample(&format!("pyproxy_backend_clients{{backend=\"{backend}\"}}")), 1.0);
        assert!(site.sample("pyproxy_hook_run_seconds_total{hook=\"read_query\"}") > 0.0);
    }
}

#[test]
fn connections_are_gone_when_they_are_gone() {
    for event_loop in ["own", "chassis"] {
        let (site, client) = busy(event_loop);
        client.quit();
        let gone = eventually(PATIENCE, || site.sample("pyproxy_connections") == 0.0);
        assert!(gone, "{}", site.get("/metrics").body);
        assert_eq!(site.sample("pyproxy_connections_accepted_total"), 1.0);
    }
}

#[test]
fn openmetrics_for_who_asks_for_it() {
    let (site, _client) = busy("own");
    let prometheus =
        "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n";
    let answer = site.get_with("/metrics", prometheus);
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(answer.head.contains(kind), "{}", answer.head);
    assert!(answer.body.ends_with("\n# EOF\n"), "{}", answer.body);
    assert!(answer.body.contains("# TYPE pyproxy_commands counter\n"), "{}", answer.body);
}

#[test]
fn refusals_have_their_reasons() {
    let site = Site::start(
        Host::builder()
            .backend(db())
            .option("pyproxy-event-loop", "own")
            .option("pyproxy-max-connections-per-address", 2)
            .option("pyproxy-max-connections-per-user", 1),
    );
    let first = site.host.client();
    let mut second = site.host.connect();
    second.read_handshake().unwrap();
    assert_eq!(assert_err_and_close(&mut site.host.connect(), 0).code, 1040);
    let refused =
        |reason| site.sample(&format!("pyproxy_connections_refused_total{{reason=\"{reason}\"}}"));
    assert_eq!(refused("max_connections_per_address"), 1.0);
    assert_eq!(refused("max_connections"), 0.0);
    drop(second);
    let login = |user: &Login| {
        let client = RawClient::login(site.host.address(), user);
        client.err().is_some_and(|e| e.to_string().starts_with("1226 "))
    };
    assert!(eventually(PATIENCE, || login(&MariaDb::user())));
    assert!(refused("max_connections_per_user") >= 1.0);
    first.quit();
}

/// Nothing that a hook holds is needed for a scrape.
#[test]
fn a_hook_that_holds_everything_does_not_hold_it_up() {
    let site = Site::start(
        Host::builder().backend(db()).option("pyproxy-hook-warn", 0).script(
            r#"
        import ctypes
        import os

        # The function is called with Python's lock held.
        usleep = ctypes.PyDLL(None).usleep

        def read_query(proxy, packet):
            if b"hold" in packet:
                print("held", flush=True)
                while not os.path.exists("{flag}"):
                    usleep(20_000)
        "#
            .replace("{flag}", &flag().display().to_string())
            .as_str(),
        ),
    );
    let mut client = site.host.client();
    let mut other = site.host.client();
    client.send_command(testkit::client::COM_QUERY, b"SELECT 'hold'").unwrap();
    site.host.wait_for_stdout("held\n");
    other.send_command(testkit::client::COM_QUERY, b"SELECT 2").unwrap();
    for _ in 0..20 {
        assert_eq!(site.get("/metrics").status, 200);
        assert_eq!(site.get("/health/ready").status, 200);
    }
    std::fs::write(flag(), "").unwrap();
    assert_eq!(client.read_answer(1).unwrap().value(), "hold");
    std::fs::remove_file(flag()).unwrap();
}

fn flag() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("pyproxy-http-flag-{}", std::process::id()))
}

/// Name, type and labels, as a reader of the page and as Prometheus see them.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

fn documented() -> Families {
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `pyproxy_"));
    let families = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = format!("pyproxy_{}", cells[0].trim_end_matches('`'));
        let labels = cells[2].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (name, (cells[1].to_owned(), labels))
    });
    families.collect()
}

fn live(text: &str) -> Families {
    let mut families = Families::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            families.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if !line.starts_with('#') {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let own = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end).filter(|name| families.contains_key(*name)))
                .unwrap_or(name);
            let names = labels.split("=\"").filter_map(|part| part.rsplit(['{', ',', '"']).next());
            let names = names.filter(|name| !name.is_empty() && *name != "}" && *name != "le");
            families.get_mut(own).unwrap().1.extend(names.map(str::to_owned));
        }
    }
    families
}

#[test]
fn the_page_about_metrics_has_all_of_them_and_no_other() {
    let (site, _client) = busy("own");
    assert_eq!(live(&site.get("/metrics").body), documented());
}
