//! The functions of a script that are hooks, looked up once.

use engine::{Hook, HookSet};
use pyo3::exceptions::{PyNameError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::similar::similar;

/// The hooks that one version of a script has.
#[derive(Debug, Default)]
pub struct Hooks {
    functions: Vec<(Hook, Py<PyAny>)>,
    defined: HookSet,
    /// Those that are coroutine functions.
    waiting: HookSet,
}

impl Hooks {
    /// The hooks in the module of a script.
    pub fn of(module: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut functions = Vec::new();
        let mut waiting = HookSet::default();
        for hook in Hook::ALL {
            if let Some(function) = function(module, hook.name(), parameters(hook))? {
                if is_async(&function) {
                    if hook == Hook::DisconnectClient {
                        return Err(PyTypeError::new_err(
                            "disconnect_client cannot wait, there is no client any more: make it a def, which may call \
                             pyproxy.spawn",
                        ));
                    }
                    waiting = waiting.with(hook);
                }
                functions.push((hook, function.unbind()));
            }
        }
        let mut defined: HookSet = functions.iter().map(|(hook, _)| *hook).collect();
        if waiting != HookSet::default() {
            defined = defined.with_waiting();
        }
        check_names(module)?;
        Ok(Self { functions, defined, waiting })
    }

    /// Which there are.
    #[inline]
    pub fn defined(&self) -> HookSet {
        self.defined
    }

    /// Whether this one is a coroutine function.
    #[inline]
    pub fn is_async(&self, hook: Hook) -> bool {
        self.waiting.has(hook)
    }

    /// One of these, if there are any.
    pub fn first_async(&self) -> Option<Hook> {
        Hook::ALL.into_iter().find(|hook| self.is_async(*hook))
    }

    /// Their names, for the log.
    pub fn names(&self) -> String {
        match self.functions.iter().map(|(hook, _)| hook.name()).collect::<Vec<_>>().as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        }
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

/// Whether calling it gives a coroutine.
pub fn is_async(function: &Bound<'_, PyAny>) -> bool {
    let inspect = function.py().import("inspect");
    let is = |function: &Bound<'_, PyAny>| {
        let inspect = inspect.as_ref().ok()?;
        inspect.call_method1("iscoroutinefunction", (function,)).ok()?.is_truthy().ok()
    };
    let of_object = || function.getattr("__call__").ok().and_then(|call| is(&call));
    is(function) == Some(true) || of_object() == Some(true)
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

/// Functions that are called but are no hooks of a connection.
const OF_SCRIPT: [&str; 2] = ["init", "shutdown"];
/// So short that a function of a name like it may well be something else.
const SHORT: usize = 4;

/// Refuses a function of the script whose name nearly is one of the hooks that it lacks: nobody would call it.
fn check_names(module: &Bound<'_, PyAny>) -> PyResult<()> {
    let names = Hook::ALL.iter().map(|hook| hook.name()).chain(OF_SCRIPT);
    let missing: Vec<_> = names.filter(|name| !module.hasattr(*name).unwrap_or_default()).collect();
    let members = module.getattr_opt("__dict__")?.map(Bound::cast_into::<PyDict>);
    let Some(Ok(members)) = members else { return Ok(()) };
    let of_script = module.getattr_opt("__name__")?;
    for (name, member) in members {
        let Ok(name) = name.extract::<String>() else { continue };
        let Some(meant) = similar(&name, missing.iter().copied()) else { continue };
        if name.starts_with('_') || !is_function_of(&member, of_script.as_ref()) {
            continue;
        }
        let text = format!("the script's function {name} is no hook: did you mean {meant}?");
        if meant.len() > SHORT {
            return Err(PyNameError::new_err(text));
        }
        log::warn!("{text}");
    }
    Ok(())
}

/// Whether `member` is a function that was written in this module, and not imported.
fn is_function_of(member: &Bound<'_, PyAny>, module: Option<&Bound<'_, PyAny>>) -> bool {
    let home = member.getattr_opt("__module__").ok().flatten();
    let is_own = home.is_some_and(|home| module.is_some_and(|name| home.eq(name).unwrap_or(false)));
    is_own && member.is_callable() && !member.is_instance_of::<PyType>()
}
