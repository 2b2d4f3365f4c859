//! The dynamic symbols of the built library: what it needs and what it shows.
//!
//! The host loads the plugin with all symbols bound at once, so one symbol that a host build lacks
//! would keep it from loading, without a useful message. So it may need only what these libraries
//! define: libc and its companions, libgcc, GLib, libpython, OpenSSL. Host functions are looked up at run
//! time. And it may show only `plugin_init`: any other name could clash with one of the host's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beginnings of the file names of libraries whose symbols the plugin may need.
const ALLOWED: &[&str] = &[
    "ld-linux",
    "libc.so",
    "libm.so",
    "libdl.so",
    "libpthread.so",
    "libgcc_s.so",
    "libglib-2.0.so",
    "libgmodule-2.0.so",
    "libpython3",
    "libssl.so",
    "libcrypto.so",
];

fn run(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("{program} (from binutils): {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Names of dynamic symbols, without their versions.
fn symbols(file: &Path, which: &str) -> BTreeSet<String> {
    run("nm", &["-D", which, "--format=posix"], file)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .collect()
}

/// The libraries that the loader finds for this one, by file name.
fn needed(file: &Path) -> BTreeMap<String, PathBuf> {
    run("ldd", &[], file)
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .map(|path| (path.file_name().expect("a file").to_string_lossy().into_owned(), path))
        .collect()
}

#[test]
fn only_plugin_init_is_shown() {
    let shown = symbols(&testkit::artifacts::plugin_library(), "--defined-only");
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), ["plugin_init"]);
}

#[test]
fn only_symbols_of_known_libraries_are_needed() {
    let plugin = testkit::artifacts::plugin_library();
    let libraries = needed(&plugin);
    let defined: BTreeSet<String> = libraries
        .iter()
        .filter(|(name, _)| ALLOWED.iter().any(|allowed| name.starts_with(allowed)))
        .flat_map(|(_, path)| symbols(path, "--defined-only"))
        .collect();
    assert!(defined.contains("malloc") && defined.contains("g_malloc"), "{libraries:?}");
    // Weak symbols (`w`) may be missing; the loader leaves them null.
    let unknown: Vec<String> = run("nm", &["-D", "--undefined-only", "--format=posix"], &plugin)
        .lines()
        .filter(|line| line.split_whitespace().nth(1) != Some("w"))
        .filter_map(|line| line.split([' ', '@']).next())
        .filter(|name| !defined.contains(*name))
        .map(str::to_owned)
        .collect();
    assert!(unknown.is_empty(), "needed, but in no known library: {unknown:?}");
}

#[test]
fn no_library_of_the_host_is_needed() {
    let libraries = needed(&testkit::artifacts::plugin_library());
    let host: Vec<_> = libraries
        .keys()
        .filter(|name| {
            name.contains("chassis") || name.contains("libevent") || name.contains("lua")
        })
        .collect();
    assert!(host.is_empty(), "linked to the host's libraries: {host:?}");
}
