//! Starting CPython inside the host.
//!
//! Once per process, after the host's last fork, on its main thread: a thread that Python knew before a fork is gone
//! afterwards (`docs/internals/python.md#start`). Never finalised.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pyo3::ffi;

use super::promote::promote_libpython;
use super::{EmbedError, venv};

/// The interpreter this library was built for, if the build knows. Naming it as the program makes Python find its
/// own standard library, whatever `python3` comes first on the PATH.
const BUILD_PYTHON: &str = env!("PYPROXY_BUILD_PYTHON");

/// Starts CPython and detaches this thread from it.
pub fn start(venv: Option<&Path>) -> Result<(), EmbedError> {
    // SAFETY: may be asked at any time.
    if unsafe { ffi::Py_IsInitialized() } != 0 {
        return Err(EmbedError::AlreadyRunning);
    }
    let program = match venv {
        None => (!BUILD_PYTHON.is_empty()).then(|| PathBuf::from(BUILD_PYTHON)),
        Some(path) => venv::program(path, running_version())
            .map(Some)
            .map_err(|reason| EmbedError::Venv { path: path.to_owned(), reason })?,
    };
    let library = promote_libpython()?;
    Config::new(program.as_deref())?.initialize()?;
    // SAFETY: INV-7: initialising attached this thread; from here on it attaches like every other one.
    unsafe { ffi::PyEval_SaveThread() };
    log::info!("Python {} from {}", version_text(), library.display());
    Ok(())
}

/// Version, build and compiler of the loaded libpython. Needs no running interpreter.
fn version_text() -> String {
    // SAFETY: gives a static C string, at any time.
    unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy().replace('\n', " ")
}

fn running_version() -> venv::Version {
    venv::parse_version(&version_text()).expect("Python's version text begins with its version")
}

/// CPython's configuration, cleared when dropped.
struct Config(Box<ffi::PyConfig>);

impl Config {
    /// What the host needs: signals and the command line stay its own. The environment (PYTHONPATH and so on) counts.
    fn new(program: Option<&Path>) -> Result<Self, EmbedError> {
        let mut config = Box::new(MaybeUninit::<ffi::PyConfig>::zeroed());
        // SAFETY: the pointer is valid for a write, and the function sets every member; zero is a valid value of
        // each.
        let mut config = unsafe {
            ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
            Self(config.assume_init())
        };
        config.0.install_signal_handlers = 0;
        config.0.parse_argv = 0;
        if let Some(program) = program {
            config.set_program(program)?;
        }
        Ok(config)
    }

    fn set_program(&mut self, program: &Path) -> Result<(), EmbedError> {
        let program = CString::new(program.as_os_str().as_bytes())
            .map_err(|_| EmbedError::Start("the path of Python contains a NUL".to_owned()))?;
        let raw = &raw mut *self.0;
        // SAFETY: the configuration is initialised and its member lies inside it; the text is a C string that is
        // copied.
        check(&unsafe {
            ffi::PyConfig_SetBytesString(raw, &raw mut (*raw).program_name, program.as_ptr())
        })
    }

    fn initialize(self) -> Result<(), EmbedError> {
        // SAFETY: the configuration is initialised, and no interpreter runs yet.
        check(&unsafe { ffi::Py_InitializeFromConfig(&raw const *self.0) })
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: the configuration is initialised, and this is its last use.
        unsafe { ffi::PyConfig_Clear(&raw mut *self.0) };
    }
}

fn check(status: &ffi::PyStatus) -> Result<(), EmbedError> {
    // SAFETY: a status that CPython returned.
    if unsafe { ffi::PyStatus_Exception(*status) } == 0 {
        return Ok(());
    }
    if status.err_msg.is_null() {
        return Err(EmbedError::Start("it asked to exit".to_owned()));
    }
    // SAFETY: the message of an error status is a static C string.
    let message = unsafe { CStr::from_ptr(status.err_msg) };
    Err(EmbedError::Start(message.to_string_lossy().into_owned()))
}
