//! Where the things under test are: plugin, host, the host's own plugins.
//!
//! | environment | names | default |
//! |---|---|---|
//! | `PYPROXY_HOST` | the host program | the bundled host, built from `crates/host` |
//! | `PYPROXY_PLUGIN` | `libpyproxy.so` | the one built next to the running test program |
//! | `PYPROXY_HOST_PLUGIN_DIR` | folder of the host's own plugins | `../lib/mysql-proxy/plugins` of the host |
//! | `PYPROXY_TEST_EVENT_LOOP` | the value of `pyproxy-event-loop` in tests that do not set it | `own` |
//! | `PYPROXY_HOST_WRAPPER` | command that runs the host, such as valgrind, in words | none: the host runs as it is |

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const BUNDLED_HOST: &str = "mysql-proxy";
const PLUGIN: &str = "libpyproxy.so";
const WRAPPER: &str = "PYPROXY_HOST_WRAPPER";

/// Whether the host is one given by `PYPROXY_HOST`, taken to be the original program.
pub fn host_is_original() -> bool {
    env::var_os("PYPROXY_HOST").is_some()
}

/// The loop that serves clients in tests that do not say which.
pub fn event_loop() -> String {
    env::var("PYPROXY_TEST_EVENT_LOOP").unwrap_or_else(|_| "own".into())
}

/// The host program; the bundled one is built first, once per process.
pub fn host_program() -> &'static Path {
    static HOST: OnceLock<PathBuf> = OnceLock::new();
    HOST.get_or_init(|| match env::var_os("PYPROXY_HOST") {
        Some(path) => existing(PathBuf::from(path), "PYPROXY_HOST"),
        None => build_bundled_host(),
    })
}

/// A command that runs the host: alone, or as the last argument of the words in
/// `PYPROXY_HOST_WRAPPER` (separated by blanks).
///
/// The wrapper must become the host by `exec`, so that process id and signals are the host's.
pub fn host_command() -> Command {
    let wrapper = env::var(WRAPPER).unwrap_or_default();
    let mut words = wrapper.split_whitespace();
    let Some(program) = words.next() else { return Command::new(host_program()) };
    let mut command = Command::new(program);
    command.args(words).arg(host_program());
    command
}

/// Whether the host runs in a wrapper, which is taken to make it many times slower.
pub fn host_is_wrapped() -> bool {
    env::var(WRAPPER).is_ok_and(|wrapper| !wrapper.trim().is_empty())
}

/// The plugin library under test.
pub fn plugin_library() -> PathBuf {
    if let Some(path) = env::var_os("PYPROXY_PLUGIN") {
        return existing(PathBuf::from(path), "PYPROXY_PLUGIN");
    }
    // `cargo test` leaves a fresh library in `deps` and may leave an older one beside it.
    let profile = profile_dir();
    [profile.join("deps").join(PLUGIN), profile.join(PLUGIN)]
        .into_iter()
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .max()
        .map(|(_, path)| path)
        .unwrap_or_else(|| panic!("no {PLUGIN} in {}", profile.display()))
}

/// The folder with the host's own plugins (`libadmin.so`, `libproxy.so`), if it has any.
pub fn host_plugin_dir() -> Option<PathBuf> {
    if let Some(path) = env::var_os("PYPROXY_HOST_PLUGIN_DIR") {
        return Some(existing(PathBuf::from(path), "PYPROXY_HOST_PLUGIN_DIR"));
    }
    let prefix = host_program().parent()?.parent()?;
    let folder = prefix.join("lib/mysql-proxy/plugins");
    folder.is_dir().then_some(folder)
}

/// The target folder, for things that are worth keeping between runs.
pub fn cache_dir() -> PathBuf {
    profile_dir().parent().expect("a profile folder has a parent").join("testkit")
}

/// The folder of the build profile in use, for example `target/debug`.
pub fn profile_dir() -> PathBuf {
    let program = env::current_exe().expect("the test program has a path");
    let folder = program.parent().expect("a program is in a folder");
    if folder.ends_with("deps") {
        return folder.parent().expect("deps has a parent").into();
    }
    folder.into()
}

fn build_bundled_host() -> PathBuf {
    let profile = profile_dir();
    let target = profile.parent().expect("a profile folder has a parent");
    let name = profile.file_name().and_then(|name| name.to_str()).unwrap_or("debug");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "-p", "host", "--bin", BUNDLED_HOST, "--target-dir"]);
    command.arg(target).arg("--profile").arg(if name == "debug" { "dev" } else { name });
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = command.status().expect("cargo starts");
    assert!(status.success(), "the bundled host does not build; PYPROXY_HOST names another host");
    existing(profile.join(BUNDLED_HOST), "the bundled host")
}

fn existing(path: PathBuf, what: &str) -> PathBuf {
    assert!(path.exists(), "{what}: {} does not exist", path.display());
    path
}
