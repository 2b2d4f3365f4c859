//! What other crates this workspace uses: their licences, and where they come from.
//!
//! What is built into the libraries and the host must be free to go together with the GPLv2 of mysql-proxy and with our
//! MIT. What only builds and tests use may be under some more licences. `cargo tree` tells both.

use std::path::Path;
use std::process::Command;

/// Licences of what is built in.
const BUILT_IN: &[&str] = &[
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Zlib",
    "Unicode-3.0",
    "Apache-2.0 WITH LLVM-exception",
];
/// What is built in with another licence, by name. The `openssl` crate binds the distribution's OpenSSL, which has the
/// same licence. What we distribute contains no GPL code: the user brings plugin and host together.
const BUILT_IN_BY_NAME: &[(&str, &str)] = &[("openssl", "Apache-2.0")];
/// Licences of what builds and tests use besides: clang-sys and libloading of bindgen have these.
const TOOLS: &[&str] = &["Apache-2.0", "ISC"];

/// A dependency.
#[derive(Debug)]
struct Dependency {
    /// What its Cargo.toml says: an SPDX expression.
    license: String,
    /// Its name, its version, and where it comes from, unless that is crates.io.
    package: String,
}

/// All dependencies of the packages that `arguments` choose, with all features, on this platform.
fn dependencies(arguments: &[&str]) -> Vec<Dependency> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--all-features", "--prefix", "none", "--format", "{l}|{p}"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let parts = text.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    let all: Vec<_> = parts
        .map(|(license, package)| Dependency { license: license.into(), package: package.into() })
        .collect();
    assert!(all.len() > 10, "{all:?}");
    all
}

/// Whether the licences of `allowed` are enough. Reads what is in use, alternatives in parentheses or without, and
/// refuses what is more complicated.
fn is_allowed(license: &str, allowed: &[&str]) -> bool {
    license.split(" AND ").all(|part| {
        let part = part.trim_start_matches('(').trim_end_matches(')');
        part.split(" OR ").flat_map(|one| one.split('/')).any(|one| allowed.contains(&one))
    })
}

fn is_allowed_by_name(dependency: &Dependency) -> bool {
    let name = dependency.package.split(' ').next().unwrap_or_default();
    BUILT_IN_BY_NAME.contains(&(name, &dependency.license))
}

fn assert_allowed(dependencies: &[Dependency], allowed: &[&str]) {
    let refused: Vec<_> = dependencies
        .iter()
        .filter(|one| !is_allowed(&one.license, allowed) && !is_allowed_by_name(one))
        .collect();
    assert!(refused.is_empty(), "licences that nobody allowed: {refused:#?}");
}

#[test]
fn what_is_built_in_goes_together_with_the_host() {
    let edges =
        ["--edges", "normal", "-p", "pyproxy", "-p", "native", "-p", "host", "-p", "transport"];
    assert_allowed(&dependencies(&edges), BUILT_IN);
}

#[test]
fn what_builds_and_tests_use_is_free_software() {
    assert_allowed(&dependencies(&["--workspace"]), &[BUILT_IN, TOOLS].concat());
}

#[test]
fn everything_comes_from_crates_io_or_from_here() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).to_string_lossy();
    for one in dependencies(&["--workspace"]) {
        let from = one.package.split_once('(').map(|(_, rest)| rest.trim_end_matches(')'));
        let known = from.is_none_or(|from| from == "proc-macro" || from.starts_with(&*here));
        assert!(known, "{}", one.package);
    }
}

#[test]
fn licences_are_read() {
    for good in ["MIT", "Unlicense OR MIT", "Apache-2.0/MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"]
    {
        assert!(is_allowed(good, BUILT_IN), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "Apache-2.0", "MIT AND GPL-3.0", "(Apache-2.0 OR ISC) AND MIT", "MITX"]
    {
        assert!(!is_allowed(bad, BUILT_IN), "{bad}");
    }
}
