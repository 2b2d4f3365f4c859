//! The virtual environment with Python clients (PyMySQL) and an extension module (markupsafe).
//!
//! `PYPROXY_TEST_VENV` names it; `scripts/test.sh` makes it. Nothing is installed from here.

use std::env;
use std::path::PathBuf;

/// The virtual environment for tests.
///
/// # Panics
/// If `PYPROXY_TEST_VENV` is not set, with how to make one.
pub fn venv() -> PathBuf {
    let path = env::var_os("PYPROXY_TEST_VENV").map(PathBuf::from).unwrap_or_else(|| {
        panic!(
            "PYPROXY_TEST_VENV is not set: make one with `/usr/bin/python3 -m venv DIR && \
             DIR/bin/pip install pymysql markupsafe` and name DIR in it"
        )
    });
    assert!(path.join("bin/python3").exists(), "{}: no virtual environment", path.display());
    path
}

/// The Python program of [`venv`].
pub fn interpreter() -> PathBuf {
    venv().join("bin/python3")
}
