//! Why Python could not be started.

use std::path::PathBuf;

/// An error of [`start`](super::start). The host does not start then.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// An interpreter runs in this process already; it was configured by somebody else.
    #[error("Python runs in this process already: another plugin must have started it")]
    AlreadyRunning,
    /// libpython cannot be given global scope.
    #[error("cannot make libpython ({}) visible to extension modules: {reason}", library.display())]
    Promote {
        /// The file of libpython, as the loader knows it.
        library: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// The virtual environment cannot be used.
    #[error("pyproxy-venv={}: {reason}", path.display())]
    Venv {
        /// The value of the option.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// CPython refused its configuration.
    #[error("Python does not start: {0}")]
    Start(String),
    /// Our own Python code failed.
    #[error("Python cannot be prepared for scripts:\n{0}")]
    Prepare(String),
    /// The file with the script's settings cannot be used; the text names option and value.
    #[error("{0}")]
    Settings(String),
    /// The script file cannot be read.
    #[error("pyproxy-python-script={}: {reason}", path.display())]
    Unreadable {
        /// The value of the option.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The script, or its `init(proxy)`, raised.
    #[error("pyproxy-python-script={}: the script does not load\n{traceback}", path.display())]
    Script {
        /// The value of the option.
        path: PathBuf,
        /// Python's traceback.
        traceback: String,
    },
}
