//! The functions of a script that are hooks, looked up once.

use engine::{Hook, HookSet};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The hooks that one version of a script has.
#[derive(Debug, Default)]
pub struct Hooks {
    functions: Vec<(Hook, Py<PyAny>)>,
    defined: HookSet,
}

impl Hooks {
    /// The hooks in the module of a script.
    pub fn of(module: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut functions = Vec::new();
        for hook in Hook::ALL {
            if let Some(function) = function(module, hook.name(), parameters(hook))? {
                functions.push((hook, function.unbind()));
            }
        }
        let defined = functions.iter().map(|(hook, _)| *hook).collect();
        Ok(Self { functions, defined })
    }

    /// Which there are.
    #[inline]
    pub fn defined(&self) -> HookSet {
        self.defined
    }

    /// The function to call.
    pub fn get(&self, hook: Hook) -> Option<&Py<PyAny>> {
        self.functions.iter().find(|(name, _)| *name == hook).map(|(_, function)| function)
    }

    /// Lets go of the functions.
    pub fn release(self, py: Python<'_>) {
        for (_, function) in self.functions {
            function.drop_ref(py);
        }
    }
}

/// What a hook is called with.
fn parameters(hook: Hook) -> &'static [&'static str] {
    match hook {
        Hook::ReadAuthResult => &["proxy", "auth"],
        Hook::ReadQuery => &["proxy", "packet"],
        Hook::ReadQueryResult => &["proxy", "inj"],
        _ => &["proxy"],
    }
}

/// The function of this name in a script, which takes these parameters; something else of that name is not used.
pub fn function<'py>(
    module: &Bound<'py, PyAny>,
    name: &str,
    parameters: &[&str],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(found) = module.getattr_opt(name)? else { return Ok(None) };
    if !found.is_callable() {
        log::warn!("the script's {name} is not a function: it is ignored");
        return Ok(None);
    }
    takes(&found, name, parameters)?;
    Ok(Some(found))
}

/// Whether a function can be called with these parameters. One whose parameters Python does not know may do anything.
fn takes(function: &Bound<'_, PyAny>, name: &str, parameters: &[&str]) -> PyResult<()> {
    let py = function.py();
    let Ok(signature) = py.import("inspect")?.call_method1("signature", (function,)) else {
        return Ok(());
    };
    let arguments = PyTuple::new(py, parameters)?;
    if signature.call_method1("bind", arguments).is_ok() {
        return Ok(());
    }
    Err(PyTypeError::new_err(format!(
        "the proxy calls {name}({}), but the script has {name}{signature}",
        parameters.join(", ")
    )))
}
