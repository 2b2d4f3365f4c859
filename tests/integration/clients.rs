//! Clients that are not written in Rust: PyMySQL and the `mariadb` command line.

use std::path::Path;
use std::process::{Command, Output};

use testkit::mariadb::{DATABASE, PASSWORD, USER};
use testkit::{Host, python};

use crate::support::*;

const SCRIPT: &str = r#"
    def read_query(proxy, packet):
        if packet[0] == proxy.COM_QUERY and b"rewritten" in packet:
            proxy.queries.append(1, packet.replace(b"rewritten", b"changed"), True)
            return proxy.PROXY_SEND_QUERY
    "#;

fn assert_success(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// Runs the PyMySQL tests, which end with the number of tests that passed.
fn pymysql(host: &Host, expect_rewriting: bool) {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/pymysql_suite.py");
    let output = Command::new(python::interpreter())
        .arg(suite)
        .args(["127.0.0.1", &host.address().port().to_string(), USER, PASSWORD, DATABASE])
        .args(expect_rewriting.then_some("--rewriting"))
        .output()
        .unwrap();
    let stdout = assert_success(&output);
    let passed = stdout.lines().last().and_then(|line| line.strip_prefix("passed "));
    let passed: u32 = passed.and_then(|number| number.parse().ok()).unwrap_or(0);
    assert!(passed >= 10, "{stdout}");
}

#[test]
fn pymysql_without_script() {
    pymysql(&Host::plain(db()), false);
}

#[test]
fn pymysql_through_a_script() {
    pymysql(&Host::with_script(SCRIPT), true);
}

fn mariadb(host: &Host, arguments: &[&str]) -> Output {
    Command::new("mariadb")
        .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--skip-ssl"])
        .arg(format!("--port={}", host.address().port()))
        .args([&format!("--user={USER}"), &format!("--password={PASSWORD}")])
        .args(["--batch", "--skip-column-names"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn mariadb_command_line() {
    let host = Host::plain(db());
    let several = "SELECT 1, 'two', NULL; SELECT DATABASE(); SHOW DATABASES LIKE 'test'";
    let output = mariadb(&host, &[DATABASE, "--execute", several]);
    assert_eq!(assert_success(&output), "1\ttwo\tNULL\ntest\ntest\n");
}

#[test]
fn mariadb_command_line_reads_a_large_result() {
    let host = Host::plain(db());
    for option in ["--quick", "--reconnect"] {
        let sql = "SELECT seq FROM test.seq_1_to_100000";
        let output = mariadb(&host, &[option, "--execute", sql]);
        assert_eq!(assert_success(&output).lines().count(), 100_000);
    }
}

#[test]
fn mariadb_command_line_loads_a_local_file() {
    let host = Host::plain(db());
    let file = host.file("local.txt");
    std::fs::write(&file, "1\tone\n2\ttwo\n3\tthree\n").unwrap();
    let sql = format!(
        "CREATE TABLE test.cli_load (a INT, b TEXT); \
         LOAD DATA LOCAL INFILE '{}' INTO TABLE test.cli_load; \
         SELECT COUNT(*), SUM(a) FROM test.cli_load",
        file.display()
    );
    let output = mariadb(&host, &["--local-infile=1", "--execute", &sql]);
    assert_eq!(assert_success(&output), "3\t6\n");
}

#[test]
fn mariadb_command_line_shows_errors() {
    let host = Host::plain(db());
    let output = mariadb(&host, &["--execute", "SELECT nosuch"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("ERROR 1054 (42S22)"), "{stderr}");
}

#[test]
fn mariadb_command_line_shows_the_failure_of_a_script() {
    let host = Host::with_script("def read_query(proxy, packet): raise RuntimeError('hidden')");
    let output = mariadb(&host, &["--execute", "SELECT 1"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let expected = "ERROR 1105 (HY000)";
    assert!(stderr.contains(expected), "{stderr}");
    assert!(stderr.contains("pyproxy: read_query failed, see the proxy log"), "{stderr}");
}

#[test]
fn mariadb_command_line_through_a_script() {
    let host = Host::with_script(SCRIPT);
    let output = mariadb(&host, &["--execute", "SELECT 'rewritten'; SELECT 'as it is'"]);
    assert_eq!(assert_success(&output), "changed\nas it is\n");
}
