//! The scripts in `examples/` do what their first lines say.
//!
//! Each runs by its path, as a user starts it, and is looked at from outside: what it prints, and
//! what a client gets. None may log a warning or worse.

mod answers;
mod catalogue;
mod commands;
mod connections;
mod query_log;
mod results;
mod rewrite_and_answer;
mod statements;
mod waiting;

use std::path::{Path, PathBuf};

use testkit::Host;
use testkit::host::builder::Builder;

use crate::support::*;

/// The folder with the examples.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// A host to be started with an example, named by its file, in front of the shared server.
fn example(file: &str) -> Builder {
    let path = folder().join(file);
    assert!(path.is_file(), "{} is no file", path.display());
    Host::builder().backend(db()).option("pyproxy-python-script", path.display())
}

/// A running host with an example.
fn run(file: &str) -> Host {
    example(file).start()
}

/// A host to be started with an example that waits, which only one of the loops lets it do.
fn waits(file: &str) -> Builder {
    example(file).option("pyproxy-event-loop", "own")
}

/// Stops the host, asserts that nothing critical and no warning was logged, and gives the lines
/// that the script printed.
fn printed(host: Host) -> Vec<String> {
    assert_eq!(host.criticals(), Vec::<String>::new());
    let ended = host.stop();
    let complaints = ["(warning)", "Traceback"];
    let is_expected = |line: &&str| line.contains("TLS: servers are not verified");
    let mut lines = ended.log.lines().filter(|line| !is_expected(line));
    let complaint = lines.find(|line| complaints.iter().any(|word| line.contains(word)));
    assert_eq!(complaint, None, "{}", ended.log);
    ended.stdout.lines().map(str::to_owned).collect()
}
