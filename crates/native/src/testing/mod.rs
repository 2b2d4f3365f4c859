//! The testing driver: a proxy in memory, on the rules and with the objects of the plugin, for `pyproxy.testing`.
//!
//! [`connection`] is the driver. It asks the [`engine`] what is to be done and holds no rule itself; fake servers, and what a
//! client says, are Python's. [`fakes`] are objects for hooks that a test calls by hand.

mod address;
mod answers;
mod backends;
mod client;
mod connection;
mod fakes;
mod host;
mod io;
mod letters;
mod log;
mod payloads;
mod process;
mod script;
mod server;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use ::script::EventLoop;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

/// Of the host that the plugin is made for, 0.8.5: `major << 16 | minor << 8 | patch`.
const HOST_VERSION: u32 = 0x0000_0805;

/// How long what runs on the event loop may delay the end of the interpreter.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A thread that still runs Python when the interpreter is finalised would crash it.
fn stop_event_loop(arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>) {
    if let Some(event_loop) = EventLoop::running() {
        event_loop.stop(arguments.py(), Some(LAST_WORDS));
    }
}

/// Adds the classes and functions; makes the modules `plugin`, with what `pyproxy` has inside the proxy, and `chassis`.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    log::install();
    ::script::prepare(py, HOST_VERSION)?;
    let plugin = PyModule::new(py, "pyproxy._native._plugin")?;
    ::script::add_to(&plugin, HOST_VERSION)?;
    let chassis = ::script::chassis::module(py, Arc::new(host::Running))?;
    let modules = py.import("sys")?.getattr("modules")?;
    modules.set_item("pyproxy._native._plugin", plugin)?;
    modules.set_item("pyproxy._native._chassis", chassis)?;
    let stop = PyCFunction::new_closure(py, None, None, stop_event_loop)?;
    py.import("atexit")?.call_method1("register", (stop,))?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<process::Permit>()?;
    module.add_class::<process::Process>()?;
    module.add_class::<server::Line>()?;
    answers::add_to(module)?;
    fakes::add_to(module)
}
