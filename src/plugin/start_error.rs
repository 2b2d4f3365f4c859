//! Why the plugin does not start: one line for the log, with the option and its value.

use std::io;

use super::options::OptionError;
use super::options::ini_file::IniError;
use crate::embed::EmbedError;

/// Why the plugin does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option has a wrong value.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The ini file has what is none.
    #[error(transparent)]
    IniFile(#[from] IniError),
    /// Clients cannot be awaited there.
    #[error("pyproxy-address={address}: {source}")]
    Listen { address: String, source: io::Error },
    /// The HTTP endpoint cannot be there.
    #[error("pyproxy-http-address={address}: {source}")]
    Http { address: String, source: io::Error },
    /// The process before cannot be asked, or the next one not be answered.
    #[error("pyproxy-takeover={path}: {source}")]
    Takeover { path: String, source: io::Error },
    /// The slow log cannot be written there.
    #[error("pyproxy-slow-log={path}: {source}")]
    SlowLog { path: String, source: io::Error },
    /// Backends cannot be checked.
    #[error("backends cannot be checked: {0}")]
    Checks(io::Error),
    /// The host refuses a backend.
    #[error("{option}={address}: the host refuses this backend")]
    Backend { option: &'static str, address: String },
    /// Children of the script cannot be told apart.
    #[error("children of the script cannot be told apart: {0}")]
    Fork(io::Error),
    /// Hooks cannot be watched.
    #[error("hooks cannot be watched: {0}")]
    Watchdog(io::Error),
    /// Python or the script does not start.
    #[error(transparent)]
    Python(#[from] EmbedError),
    /// The plugin is there twice.
    #[error("the plugin is listed twice in plugins=")]
    Twice,
    /// The host gave no memory.
    #[error("the host gave no memory")]
    NoMemory,
    /// A check of the options is asked for, with other plugins.
    #[error("pyproxy-check-config: plugins= has others, too; this is for plugins=pyproxy alone")]
    NotAlone,
    /// Something went wrong before.
    #[error("an internal error came before the start, see above")]
    Panicked,
}
