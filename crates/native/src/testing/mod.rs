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

use std::sync::Arc;

use pyo3::prelude::*;

/// Of the host that the plugin is made for, 0.8.5: `major << 16 | minor << 8 | patch`.
const HOST_VERSION: u32 = 0x0000_0805;

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
    module.add_class::<connection::Connection>()?;
    module.add_class::<process::Permit>()?;
    module.add_class::<process::Process>()?;
    module.add_class::<server::Line>()?;
    answers::add_to(module)?;
    fakes::add_to(module)
}
