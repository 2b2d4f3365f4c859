//! Where the lines go that the engine, the objects and scripts log.

use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Metadata, Record};
use pyo3::prelude::*;
use script::log_target::{MESSAGE, SCRIPT};

use super::host::Host;

/// Of Python's `logging`, by the names that the host's log has for them. Message lies between two of them.
const LEVELS: [(&str, u8); 5] =
    [("critical", 50), ("warning", 30), ("message", 25), ("info", 20), ("debug", 10)];

/// What the proxy itself says while none runs: takes a level and a text.
static FAKE: Mutex<Option<Py<PyAny>>> = Mutex::new(None);

struct Logger;

/// Takes the lines of this process. Idempotent.
pub fn install() {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

/// From now on `write` gets what objects without a proxy log.
pub fn of_fakes(write: Py<PyAny>) {
    *FAKE.lock().unwrap_or_else(PoisonError::into_inner) = Some(write);
}

/// The level of this name.
pub fn named(name: &str) -> Option<&'static str> {
    LEVELS.into_iter().map(|(level, _)| level).find(|level| *level == name)
}

impl log::Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            Level::Error => "critical",
            Level::Warn => "warning",
            Level::Info if record.target() == MESSAGE => "message",
            Level::Info => "info",
            Level::Debug | Level::Trace => "debug",
        };
        let is_of_script = [SCRIPT, MESSAGE].contains(&record.target());
        if !is_of_script && record.level() > Level::Warn {
            // How the proxy and its connections fare is of no interest to a test of a script.
            return;
        }
        let text = record.args().to_string();
        if let Some(host) = Host::running() {
            return host.write(level, text);
        }
        Python::attach(|py| {
            let written =
                if is_of_script { to_python(py, level, &text) } else { to_fake(py, level, &text) };
            if let Err(error) = written {
                error.write_unraisable(py, None);
            }
        });
    }

    fn flush(&self) {}
}

fn to_python(py: Python<'_>, level: &str, text: &str) -> PyResult<()> {
    let number = LEVELS.into_iter().find(|(name, _)| *name == level).map(|(_, number)| number);
    let logger = py.import("logging")?.call_method1("getLogger", ("pyproxy",))?;
    logger.call_method1("log", (number, text)).map(drop)
}

fn to_fake(py: Python<'_>, level: &str, text: &str) -> PyResult<()> {
    let fake = FAKE.lock().unwrap_or_else(PoisonError::into_inner);
    let write = fake.as_ref().map(|write| write.clone_ref(py));
    drop(fake);
    write.map_or(Ok(()), |write| write.call1(py, (level, text)).map(drop))
}
