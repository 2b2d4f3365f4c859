//! Our own Python code around a script: see `bootstrap.py`.

use std::path::Path;

use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{ffi, intern};

use super::log_bridge;

/// The module made of `bootstrap.py`.
#[derive(Debug)]
pub struct Bootstrap(Py<PyModule>);

impl Bootstrap {
    /// Compiles and runs the code. On the main thread, which Python's `threading` takes as its own here.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let code = ffi::c_str!(include_str!("bootstrap.py"));
        let module = PyModule::from_code(py, code, c"<pyproxy bootstrap>", c"_pyproxy_bootstrap")?;
        Ok(Self(module.unbind()))
    }

    /// Paths, streams and logging for `script`.
    pub fn prepare(&self, py: Python<'_>, script: &Path, base_dir: &Path) -> PyResult<()> {
        let library = base_dir.join("lib/mysql-proxy/python");
        let library = library.is_dir().then_some(library.as_os_str());
        let arguments =
            (script.as_os_str(), library, log_bridge::python_level(), log_bridge::writer(py)?);
        self.0.bind(py).call_method1(intern!(py, "prepare"), arguments)?;
        Ok(())
    }

    /// The builtin `proxy`, and the names that the library's modules had before.
    pub fn publish(&self, py: Python<'_>, proxy: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.bind(py).call_method1(intern!(py, "publish"), (proxy,))?;
        Ok(())
    }

    /// Reads the ini file with the script's settings. The error is one line.
    pub fn use_settings(&self, py: Python<'_>, file: &Path) -> Result<(), String> {
        self.0
            .bind(py)
            .call_method1(intern!(py, "use_settings"), (file.as_os_str(),))
            .map(drop)
            .map_err(|error| self.describe(py, &error))
    }

    /// Whether sections of that file are misspelt, once the script is loaded.
    pub fn check_settings(&self, py: Python<'_>) -> PyResult<()> {
        self.0.bind(py).call_method0(intern!(py, "check_settings"))?;
        Ok(())
    }

    /// Runs the script in a fresh module and gives that to `use_it`. If either fails, `sys.modules` forgets the script, and
    /// settings are what they were.
    pub fn load<'py, R>(
        &self,
        py: Python<'py>,
        script: &Path,
        use_it: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<R>,
    ) -> PyResult<R> {
        let bootstrap = self.0.bind(py);
        let script = script.as_os_str();
        let before = bootstrap.call_method0(intern!(py, "before"))?;
        let loaded = bootstrap
            .call_method1(intern!(py, "load"), (script,))
            .and_then(|module| use_it(&module));
        if loaded.is_err()
            && let Err(error) = bootstrap.call_method1(intern!(py, "forget"), (script, before))
        {
            // The caller learns of the first error.
            error.write_unraisable(py, Some(bootstrap.as_any()));
        }
        loaded
    }

    /// `atexit` handlers and buffered output.
    pub fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.0.bind(py).call_method0(intern!(py, "finish"))?;
        Ok(())
    }

    /// Where the Python code of a thread is; of one that runs none, nothing.
    pub fn stack(&self, py: Python<'_>, ident: std::ffi::c_ulong) -> PyResult<String> {
        self.0.bind(py).call_method1(intern!(py, "stack"), (ident,))?.extract()
    }

    /// The traceback of `error`. Always gives some text, whatever the exception does when it is looked at.
    pub fn describe(&self, py: Python<'_>, error: &PyErr) -> String {
        // Turning the error into its value is what ties the traceback to it.
        let value = error.clone_ref(py).into_value(py);
        let text = self
            .0
            .bind(py)
            .call_method1(intern!(py, "describe"), (value,))
            .and_then(|text| Ok(text.cast::<PyString>()?.to_string_lossy().into_owned()));
        text.unwrap_or_else(|_| {
            let kind = error.get_type(py);
            let name = kind.name().map(|name| name.to_string_lossy().into_owned());
            name.unwrap_or_else(|_| "an exception that cannot be shown".to_owned())
        })
    }
}
