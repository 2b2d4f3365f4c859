//! CPython as a guest of the host: the interpreter, its threads, the script files, the library and the log.
//!
//! [`start`] brings Python up and loads the script; [`Scripts`] ties connections to it. The objects that a script sees and the
//! calling of its hooks are the crate `script`'s; here is what that needs of an interpreter ([`::script::Guest`]).
//!
//! Locks are taken in the order host mutex, GIL, ours; none of ours is held while Python code may run.

mod bootstrap;
mod chassis;
mod deadline;
mod error;
mod interpreter;
mod library;
mod log_bridge;
mod promote;
mod reload;
mod script;
mod scripts;
mod threads;
mod venv;
mod watchdog;

#[cfg(test)]
mod tests;

pub use ::script::ConfigValue;
pub use error::EmbedError;
pub use script::Script;
pub use scripts::Scripts;
pub use watchdog::Limits;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;

use self::bootstrap::Bootstrap;
use self::reload::Watch;
use self::script::Environment;
use ::script::{Config, EventLoop, Globals, Proxy};
use engine::Shared;

/// How to start Python.
#[derive(Debug, Clone)]
pub struct PythonConfig {
    /// The script.
    pub script: PathBuf,
    /// The host's base directory; modules in its `lib/mysql-proxy/python` can be imported.
    pub base_dir: PathBuf,
    /// The ini file with the script's settings.
    pub script_config: Option<PathBuf>,
    /// A virtual environment whose packages can be imported.
    pub venv: Option<PathBuf>,
    /// Load the script again when its file changes.
    pub reload: bool,
    /// The driver lets hooks wait.
    pub may_wait: bool,
}

/// Starts the interpreter and loads the script. Once per process, on its main thread, after the host's last fork.
///
/// `options` become attributes of `proxy.globals.config`. `host_version` is `major << 16 | minor << 8 | patch`.
pub fn start(
    config: PythonConfig,
    options: Vec<(&'static str, ConfigValue)>,
    shared: Arc<Shared>,
    host_version: u32,
) -> Result<Scripts, EmbedError> {
    let script = readable(&config.script)?;
    EventLoop::offer::<Script>();
    interpreter::start(config.venv.as_deref())?;
    let started = threads::with_python(|py| {
        let environment = environment(py, &config, &script, &options, shared, host_version)
            .map_err(EmbedError::Prepare)?;
        let settings = config.script_config.as_deref();
        let watch =
            config.reload.then(|| Watch::new([script.as_path()].into_iter().chain(settings)));
        if let Some(file) = settings {
            environment.bootstrap.use_settings(py, file).map_err(EmbedError::Settings)?;
        }
        let environment = Arc::new(environment);
        let first = Script::load(py, &environment, &script)
            .map_err(|traceback| EmbedError::Script { path: script.clone(), traceback })?;
        Ok(Scripts::new(script.clone(), environment, first, watch))
    });
    started.unwrap_or_else(|| Err(EmbedError::Start("it cannot be attached to".to_owned())))
}

/// The absolute path of the script, if it can be read: Python's own error would be a traceback through our code.
fn readable(script: &Path) -> Result<PathBuf, EmbedError> {
    std::fs::File::open(script)
        .and_then(|file| file.metadata())
        .and_then(|metadata| {
            if metadata.is_dir() {
                return Err(std::io::ErrorKind::IsADirectory.into());
            }
            std::path::absolute(script)
        })
        .map_err(|reason| EmbedError::Unreadable { path: script.to_owned(), reason })
}

/// Everything that is the same for all versions of the script. The error is a traceback.
fn environment(
    py: Python<'_>,
    config: &PythonConfig,
    script: &Path,
    options: &[(&'static str, ConfigValue)],
    shared: Arc<Shared>,
    host_version: u32,
) -> Result<Environment, String> {
    let made = ::script::prepare(py, host_version).and_then(|()| Bootstrap::new(py));
    let bootstrap = made.map_err(|error| error.to_string())?;
    let furnished = (|| {
        bootstrap.prepare(py, script, &config.base_dir)?;
        let config = Config::with_options(py, options)?.unbind();
        let globals = Py::new(py, Globals::new(py, Arc::clone(&shared), config)?)?;
        let proxy = Py::new(py, Proxy::of_process(globals.clone_ref(py)))?;
        library::install(py, shared, host_version)?;
        bootstrap.publish(py, proxy.bind(py).as_any())?;
        Ok((globals, proxy))
    })();
    match furnished {
        Ok((globals, proxy)) => {
            Ok(Environment { bootstrap, globals, proxy, may_wait: config.may_wait })
        }
        // A module beside the script may stand in the way of what we import.
        Err(error) => Err(bootstrap.describe(py, &error)),
    }
}
