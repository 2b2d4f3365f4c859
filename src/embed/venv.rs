//! The virtual environment of `pyproxy-venv`: checked before Python starts, because Python itself would go on with a
//! wrong one and fail later, at some import.

use std::fs;
use std::path::{Path, PathBuf};

/// A Python version as far as it matters to installed packages: (major, minor).
pub type Version = (u8, u8);

/// The program whose name makes Python use the environment in `venv` (PEP 405), or what is wrong with it.
pub fn program(venv: &Path, running: Version) -> Result<PathBuf, String> {
    let metadata = fs::metadata(venv).map_err(|e| e.to_string())?;
    if !metadata.is_dir() {
        return Err("not a directory".to_owned());
    }
    let text = fs::read_to_string(venv.join("pyvenv.cfg"))
        .map_err(|e| format!("not a virtual environment, pyvenv.cfg: {e}"))?;
    match version(&text) {
        Some(version) if version != running => {
            return Err(format!(
                "made for Python {}.{}, but pyproxy runs Python {}.{}",
                version.0, version.1, running.0, running.1
            ));
        }
        _ => {}
    }
    let packages = format!("lib/python{}.{}/site-packages", running.0, running.1);
    fs::read_dir(venv.join(&packages)).map_err(|e| format!("{packages}: {e}"))?;
    Ok(venv.join("bin/python"))
}

/// Reads `version = 3.11.2` (venv) or `version_info = 3.11.2.final.0` (virtualenv, uv).
fn version(pyvenv_cfg: &str) -> Option<Version> {
    pyvenv_cfg.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.trim();
        if key != "version" && key != "version_info" {
            return None;
        }
        parse_version(value.trim())
    })
}

/// Reads the start of a version text.
pub fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(config: &str, packages: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("pyvenv.cfg"), config).expect("written");
        fs::create_dir_all(dir.path().join(packages)).expect("made");
        dir
    }

    #[test]
    fn a_fitting_environment_names_its_program() {
        for line in ["version = 3.11.2", "version_info = 3.11.9.final.0", "home = /usr/bin"] {
            let dir = environment(line, "lib/python3.11/site-packages");
            assert_eq!(program(dir.path(), (3, 11)), Ok(dir.path().join("bin/python")), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let dir = environment("version = 3.8.1", "lib/python3.8/site-packages");
        let error = program(dir.path(), (3, 11)).expect_err("another version");
        assert_eq!(error, "made for Python 3.8, but pyproxy runs Python 3.11");
        let dir = environment("home = /usr/bin", "lib/python3.8/site-packages");
        let error = program(dir.path(), (3, 11)).expect_err("no packages for 3.11");
        assert!(error.starts_with("lib/python3.11/site-packages: "), "{error}");
        let empty = tempfile::tempdir().expect("a temporary directory");
        let error = program(empty.path(), (3, 11)).expect_err("no pyvenv.cfg");
        assert!(error.contains("not a virtual environment"), "{error}");
        assert!(program(&empty.path().join("none"), (3, 11)).is_err());
    }

    #[test]
    fn versions() {
        assert_eq!(parse_version("3.13.0rc1 (main, Oct  1 2024)"), Some((3, 13)));
        assert_eq!(parse_version("three"), None);
    }
}
