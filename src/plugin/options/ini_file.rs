//! The keys of our options in mysql-proxy's ini file.
//!
//! mysql-proxy asks its ini file for the options that exist: a misspelt key is never looked at, and of a key that is there twice
//! the last value counts (`docs/internals/life.md#the-ini-file`). So the file is read here once more, for its keys only. What
//! is a group, a key and a comment is as GLib's `GKeyFile` has it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use script::proposal;

/// The only group that mysql-proxy reads.
const GROUP: &str = "mysql-proxy";
/// mysql-proxy's option with the path of the file. It must be on the command line.
const OPTION: &[u8] = b"--defaults-file";
/// How the names of our options begin.
const PREFIXES: [&str; 2] = ["pyproxy", "no-pyproxy"];

/// A key of the ini file that would be passed over without a word.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IniError {
    /// Nobody has an option of this name.
    #[error("{}: there is no option {key}{proposal}", file.display())]
    Unknown {
        /// The ini file.
        file: PathBuf,
        /// The key.
        key: String,
        /// The option that may be meant.
        proposal: String,
    },
    /// Values would be lost.
    #[error(
        "{}: {key} is there twice, and mysql-proxy takes the last one only; a list has commas",
        file.display()
    )]
    Repeated {
        /// The ini file.
        file: PathBuf,
        /// The key.
        key: String,
    },
}

/// The ini file that the command line of this process names, as an absolute path. To be asked before mysql-proxy becomes a
/// daemon and changes its directory. Its own memory of the command line is out of reach; the kernel has another.
pub fn of_command_line() -> Option<PathBuf> {
    let command_line = std::fs::read("/proc/self/cmdline").ok()?;
    let path = named_in(command_line.split(|byte| *byte == 0))?;
    std::path::absolute(path).ok()
}

/// `--defaults-file=PATH` or `--defaults-file PATH`; the last one counts.
fn named_in<'a>(arguments: impl Iterator<Item = &'a [u8]>) -> Option<PathBuf> {
    let mut named = None;
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix(OPTION) {
            Some([]) => named = arguments.next(),
            Some([b'=', path @ ..]) => named = Some(path),
            _ => {}
        }
    }
    named.map(|path| PathBuf::from(OsString::from_vec(path.to_vec())))
}

/// Looks for keys of ours in `file` that are not among `names`, or are there twice. A file that cannot be read is for
/// mysql-proxy to complain about.
pub fn check(file: &Path, names: &[&str]) -> Result<(), IniError> {
    let Ok(text) = std::fs::read(file) else { return Ok(()) };
    let mut seen = Vec::new();
    for key in our_keys(&String::from_utf8_lossy(&text)) {
        if !names.contains(&key) {
            let proposal = proposal(key, names.iter().copied());
            return Err(IniError::Unknown { file: file.to_owned(), key: key.to_owned(), proposal });
        }
        if seen.contains(&key) {
            return Err(IniError::Repeated { file: file.to_owned(), key: key.to_owned() });
        }
        seen.push(key);
    }
    Ok(())
}

/// The keys of the group that look like ours, in order.
fn our_keys(text: &str) -> Vec<&str> {
    let mut in_group = false;
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(group) = line.strip_prefix('[') {
            in_group = group.split(']').next() == Some(GROUP);
        } else if let Some((key, _)) = line.split_once('=')
            && in_group
            && !line.starts_with('#')
            && is_ours(key.trim_end())
        {
            keys.push(key.trim_end());
        }
    }
    keys
}

fn is_ours(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["pyproxy-address", "pyproxy-backend-addresses", "no-pyproxy"];

    fn checked(text: &str) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        check(file.path(), &NAMES)
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "FILE"))
    }

    #[test]
    fn the_command_line_names_the_file() {
        for (arguments, want) in [
            ("mysql-proxy\0--defaults-file=/a b\0", Some("/a b")),
            ("mysql-proxy\0--daemon\0--defaults-file\0/a\0--x=y\0", Some("/a")),
            ("mysql-proxy\0--defaults-file=/a\0--defaults-file=/b\0", Some("/b")),
            ("mysql-proxy\0--defaults-file-x=/a\0", None),
            ("--defaults-file=/a\0", None),
            ("mysql-proxy\0--defaults-file", None),
        ] {
            let found = named_in(arguments.as_bytes().split(|byte| *byte == 0));
            assert_eq!(found.as_deref(), want.map(Path::new), "{arguments:?}");
        }
    }

    #[test]
    fn keys_that_nobody_reads_are_named() {
        for (key, error) in [
            (
                "pyproxy-adress",
                "FILE: there is no option pyproxy-adress (did you mean pyproxy-address?)",
            ),
            (
                "pyproxy_address",
                "FILE: there is no option pyproxy_address (did you mean pyproxy-address?)",
            ),
            (
                "PyProxy-Address",
                "FILE: there is no option PyProxy-Address (did you mean pyproxy-address?)",
            ),
            ("pyproxy-colour", "FILE: there is no option pyproxy-colour"),
            ("no-pyproxy-at-all", "FILE: there is no option no-pyproxy-at-all"),
        ] {
            let found = checked(&format!("[mysql-proxy]\n {key} = 1\n"));
            assert_eq!(found, Err(error.to_owned()));
        }
        let twice =
            checked("[mysql-proxy]\npyproxy-address=1\n[x]\n[mysql-proxy]\npyproxy-address = 2");
        assert!(twice.expect_err("twice").contains("pyproxy-address is there twice"));
    }

    #[test]
    fn everything_else_is_none_of_our_business() {
        let text = "# pyproxy-adress = 1\n[other]\npyproxy-adress = 1\n[mysql-proxy]\n\
                    #pyproxy-adress = 1\nproxy-adress = 1\nproxy-adress = 1\npyproxy-address = pyproxy-x=1\n\
                    plugins = admin,pyproxy\nno-pyproxy = false\n";
        assert_eq!(checked(text), Ok(()));
        assert_eq!(check(Path::new("/no/such/file"), &NAMES), Ok(()));
    }
}
