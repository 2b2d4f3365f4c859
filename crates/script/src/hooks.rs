//! The functions of a script that are hooks, looked up once.

use engine::{Hook, HookSet};
use pyo3::prelude::*;

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
            if let Some(function) = function(module, hook.name())? {
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

    /// Releases the functions.
    pub fn release(self, py: Python<'_>) {
        for (_, function) in self.functions {
            function.drop_ref(py);
        }
    }
}

/// The function of this name in a script; something else of that name is not used.
pub fn function<'py>(
    module: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(found) = module.getattr_opt(name)? else { return Ok(None) };
    if !found.is_callable() {
        log::warn!("the script's {name} is not a function: it is ignored");
        return Ok(None);
    }
    Ok(Some(found))
}
