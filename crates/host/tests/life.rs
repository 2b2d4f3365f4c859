//! The order of the host's life, its options, files, signals and exit codes.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Host, is_bundled, load_probe, probe_dir, query, run, scripted_server, wait_for};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn with_probe(args: &[&str]) -> std::process::Output {
    let probe = load_probe();
    run(&[&[probe[0].as_str(), probe[1].as_str()][..], args].concat())
}

#[test]
fn entries_come_in_order_and_the_listener_is_cleaned_up() {
    let mut host = Host::start(Some(scripted_server(1)), &["--log-level=message"]);
    let mut client = host.login();
    assert_eq!(query(&mut client, "select 1").len(), 1);
    assert_eq!(host.stop().code(), Some(0));
    let mut trace = host.trace_names();
    // The list of connections is not ordered.
    trace[3..5].sort();
    assert_eq!(
        trace,
        ["apply_config", "listening", "init", "cleanup", "cleanup-listener", "destroy"]
    );
    let log = host.log();
    for line in [
        "(critical) plugin probe 1.2.3 started",
        "(message) Initiating shutdown, requested from signal handler",
        "(message) shutting down normally, exit code is: 0",
    ] {
        assert!(log.contains(line), "{line} in:\n{log}");
    }
}

#[test]
fn a_refusing_plugin_ends_the_host_and_is_destroyed() {
    let mut host = Host::spawn(None, &["--probe-break=apply"]);
    assert_eq!(host.wait().code(), Some(1));
    assert_eq!(host.trace_names(), ["apply_config", "destroy"]);
    assert!(host.log().contains("applying config of plugin probe failed"), "{}", host.log());
}

#[test]
fn a_failing_load_destroys_the_plugins_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    // The first plugin has no options yet, so it cannot be told where to trace: its environment does.
    let output = std::process::Command::new(common::host_path())
        .args(load_probe())
        .arg("--plugins=absent")
        .env("PROBE_TRACE", &trace)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("libabsent.so' failed"), "{}", text(&output.stderr));
    assert!(fs::read_to_string(trace).unwrap().starts_with("destroy "));
}

#[test]
fn a_lost_count_of_clients_fails_the_run() {
    let mut host = Host::start(Some(scripted_server(1)), &["--probe-break=lost-count"]);
    drop(host.login());
    host.wait_for_trace("cleanup");
    let code = host.stop().code();
    if is_bundled() {
        assert_eq!(code, Some(1));
        assert!(host.log().contains("still counts 1 connected clients"), "{}", host.log());
    }
}

#[test]
fn version_lists_plugins_and_destroys_them() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let shown = with_probe(&["--version", &format!("--probe-trace={}", trace.display())]);
    assert_eq!(shown.status.code(), Some(0));
    let shown = text(&shown.stdout);
    assert!(shown.starts_with("mysql-proxy 0.8.5"), "{shown}");
    assert!(shown.contains("-- modules\n  probe: 1.2.3\n"), "{shown}");
    let traced = fs::read_to_string(trace).unwrap();
    assert!(traced.starts_with("destroy ") && traced.lines().count() == 1, "{traced}");
}

#[test]
fn help_switches_show_the_groups() {
    let all = with_probe(&["--help-all"]);
    assert_eq!(all.status.code(), Some(0));
    let all = text(&all.stdout);
    for part in [
        "  --help-probe ",
        "Show options for the probe-module",
        "\nprobe-module\n",
        "--event-threads",
    ] {
        assert!(all.contains(part), "{part} in:\n{all}");
    }
    let one = text(&with_probe(&["--help-probe"]).stdout);
    assert!(one.contains("--probe-backend") && !one.contains("--event-threads"), "{one}");
}

#[test]
fn wrong_starts_exit_with_one_and_a_reason() {
    let cases: [(&[&str], &str); 6] = [
        (&["--bogus"], "Unknown option --bogus (use --help to show all options)"),
        (&["left-over"], "unknown option: left-over"),
        (&["--event-threads=0"], "--event-threads has to be >= 1, is 0"),
        (&["--log-level=loud"], "--log-level=... failed, level 'loud' is unknown"),
        (&["--basedir=relative"], "--basedir option must be an absolute path, but was relative"),
        (&["--defaults-file=/nonexistent"], "cannot stat(/nonexistent)"),
    ];
    for (args, reason) in cases {
        let output = with_probe(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let log = text(&output.stderr);
        assert!(log.contains(reason), "{args:?}: {reason} in:\n{log}");
    }
    let output = run(&["--plugins=absent", "--plugin-dir=/nonexistent"]);
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stderr);
    assert!(log.contains("loading module '/nonexistent/libabsent.so' failed"), "{log}");
    assert!(log.contains("setting --plugin-dir=<dir> might help"), "{log}");
}

/// An ini file that loads the probe, in `dir`.
fn ini(dir: &Path, mode: u32, lines: &str) -> String {
    let path = dir.join("conf");
    let content = format!(
        "[mysql-proxy]\nplugins = , probe ,\nplugin-dir = {}\n{lines}",
        probe_dir().display()
    );
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    format!("--defaults-file={}", path.display())
}

#[test]
fn the_ini_file_configures_host_and_plugin() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let lines = format!("event-threads = 0\nprobe-trace = {}  \n", trace.display());
    let file = ini(dir.path(), 0o660, &lines);
    let shown = run(&[&file, "--version"]);
    assert!(text(&shown.stdout).contains("  probe: 1.2.3"), "{}", text(&shown.stderr));
    assert!(fs::read_to_string(trace).unwrap().starts_with("destroy "));
    let refused = run(&[&file, "--event-threads=2"]);
    assert_eq!(refused.status.code(), Some(1));
    let log = text(&refused.stderr);
    assert!(
        log.contains("--event-threads has to be >= 1, is 0"),
        "the file wins over the command line: {log}"
    );
}

#[test]
fn an_ini_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = run(&[&ini(dir.path(), 0o664, ""), "--version"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("aren't secure (0660 or stricter required)"));
}

#[test]
fn log_and_pid_file_are_found_under_basedir_and_the_log_is_reopened() {
    let dir = tempfile::tempdir().unwrap();
    let base = format!("--basedir={}", dir.path().display());
    let args = [&*base, "--log-file=log", "--pid-file=pid", "--log-level=message"];
    let mut host = Host::start(None, &args);
    assert_eq!(fs::read_to_string(dir.path().join("pid")).unwrap(), host.pid().to_string());
    let mode = fs::metadata(dir.path().join("pid")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let log = dir.path().join("log");
    fs::rename(&log, dir.path().join("log.1")).unwrap();
    host.signal(libc::SIGHUP);
    wait_for("the new log", || {
        fs::read_to_string(&log).ok().filter(|text| text.contains("re-opened"))
    });
    let old = fs::read_to_string(dir.path().join("log.1")).unwrap();
    assert!(
        old.contains("plugin probe 1.2.3 started") && old.contains("closing log file"),
        "{old}"
    );
    assert_eq!(host.stop().code(), Some(0));
}

#[test]
fn keepalive_restarts_a_killed_worker_and_passes_its_exit_code_on() {
    let mut host = Host::start(Some(scripted_server(1)), &["--keepalive"]);
    let first = host.wait_for_trace("listening");
    assert_ne!(first, host.pid(), "the worker is a child");
    // SAFETY: a plain system call; the process is the worker of this test's host.
    unsafe { libc::kill(first, libc::SIGKILL) };
    let second = wait_for("a second worker", || {
        host.trace()
            .into_iter()
            .find(|(name, pid)| name == "listening" && *pid != first)
            .map(|(_, pid)| pid)
    });
    host.login();
    // SAFETY: as above.
    unsafe { libc::kill(second, libc::SIGTERM) };
    assert_eq!(host.wait().code(), Some(0));
    let destroyed: Vec<_> =
        host.trace().into_iter().filter(|(name, _)| name == "destroy").collect();
    assert_eq!(destroyed, [("destroy".to_owned(), second), ("destroy".to_owned(), host.pid())]);
}

#[test]
fn a_daemon_leaves_its_starter_and_applies_only_in_the_background() {
    let mut host = Host::start(None, &["--daemon"]);
    assert_eq!(host.wait().code(), Some(0), "the starter");
    let daemon = host.wait_for_trace("listening");
    assert_ne!(daemon, host.pid());
    // SAFETY: plain system calls; the process is the daemon of this test's host.
    unsafe {
        assert_ne!(libc::getsid(daemon), libc::getsid(0));
        libc::kill(daemon, libc::SIGTERM);
    }
    host.wait_for_trace("destroy");
    assert!(host.trace().iter().all(|(_, pid)| *pid == daemon));
}
