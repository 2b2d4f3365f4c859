//! The simplest guest runtime: an interpreter, and scripts that are modules of it.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;

use super::shared;
use crate::classes::config::Config;
use crate::classes::globals::Globals;
use crate::guest::Guest;
use crate::hooks::Hooks;

/// A loaded script. All of them share `proxy.globals`.
#[derive(Debug)]
pub struct Script {
    hooks: Hooks,
    /// Its module.
    pub module: Py<PyModule>,
}

impl Guest for Script {
    fn attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
        Python::try_attach(f)
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    fn globals(&self) -> &Py<Globals> {
        globals()
    }

    fn describe(&self, py: Python<'_>, error: &PyErr) -> String {
        let value = error.clone_ref(py).into_value(py);
        let traceback = py.import("traceback").unwrap();
        let lines = traceback.call_method1("format_exception", (value,)).unwrap();
        lines.extract::<Vec<String>>().unwrap().concat()
    }
}

/// The interpreter, started by whichever test comes first.
fn globals() -> &'static Py<Globals> {
    static GLOBALS: OnceLock<Py<Globals>> = OnceLock::new();
    GLOBALS.get_or_init(|| {
        doubles::keep_log();
        Python::initialize();
        Python::attach(|py| {
            crate::prepare(py, 0x0000_0805).unwrap();
            let config = Config::with_options(py, &[]).unwrap().unbind();
            Py::new(py, Globals::new(py, shared(), config).unwrap()).unwrap()
        })
    })
}

/// Runs `f` in the interpreter.
pub fn python<R>(f: impl FnOnce(Python<'_>) -> R) -> R {
    globals();
    Python::attach(f)
}

/// Loads a script with this text.
pub fn load(text: &str) -> Arc<Script> {
    python(|py| {
        let module = module(py, text);
        let hooks = Hooks::of(&module).expect("functions");
        Arc::new(Script { hooks, module: module.unbind() })
    })
}

/// The error for a script whose hooks cannot be used.
pub fn wrong_hooks(text: &str) -> String {
    python(|py| Hooks::of(&module(py, text)).expect_err("an error").to_string())
}

fn module<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyModule> {
    static LOADED: AtomicU32 = AtomicU32::new(0);
    let number = LOADED.fetch_add(1, Ordering::Relaxed);
    let path = tempfile::tempdir().expect("a temporary directory").keep().join("script.py");
    std::fs::write(&path, text).expect("written");
    let c_text = |text: &str| CString::new(text).expect("no NUL");
    let (text, path) = (c_text(text), c_text(&path.display().to_string()));
    let name = c_text(&format!("script_{number}"));
    PyModule::from_code(py, &text, &path, &name).expect("the script loads")
}
