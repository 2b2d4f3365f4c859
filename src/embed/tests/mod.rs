//! Tests against a real interpreter: started once, one script per test.

mod alone;
mod binary;
mod chassis;
mod connections;
mod counting;
mod hooks;
mod lifetime;
mod queries;
mod responses;
mod results;
mod stubs;
mod versions;

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use pyo3::Python;

use super::{Binding, ConfigValue, Outcome, PythonConfig, Script, Scripts, start, threads};
use crate::boundary::{HostCall, HostCell, host_call};
use crate::chassis::Backends;
use engine::{Client, Hook, Injection, Pool, Session, Shared, Slot, Stats};

thread_local! {
    static LOG: RefCell<Vec<(log::Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what each thread logged.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOG.with_borrow_mut(|log| log.push((record.level(), record.args().to_string())));
    }

    fn flush(&self) {}
}

/// What this thread logged at `level` since the last call, in one text.
fn logged(level: log::Level) -> String {
    let entries = LOG.with_borrow_mut(std::mem::take);
    let texts = entries.into_iter().filter(|(entry, _)| *entry == level).map(|(_, text)| text);
    texts.collect::<Vec<_>>().join("\n---\n")
}

/// What connections share, with a list of backends that must not be looked at: there is no host.
fn shared() -> Arc<Shared> {
    // SAFETY: all-zero is a valid value of these plain structs; only `priv_` and `backends` are read.
    let (chas, private) = unsafe {
        (
            Box::leak(Box::new(std::mem::zeroed::<chassis_sys::chassis>())),
            Box::leak(Box::new(std::mem::zeroed::<chassis_sys::chassis_private>())),
        )
    };
    private.backends = std::ptr::dangling_mut();
    chas.priv_ = private;
    // SAFETY: INV-6 as far as a test goes: the objects are leaked, and nothing calls the host.
    let backends = unsafe { Backends::global(chas) }.expect("not NULL");
    Box::leak(Box::new(Shared {
        backends,
        pool: HostCell::new(Pool::default()),
        pool_change_user: true,
        max_kept_bytes: 1 << 20,
        stats: Stats::default(),
    }))
}

/// The interpreter, started by whichever test comes first.
fn scripts() -> &'static Scripts {
    static SCRIPTS: OnceLock<Scripts> = OnceLock::new();
    SCRIPTS.get_or_init(|| {
        log::set_logger(&Logger).expect("no other logger");
        log::set_max_level(log::LevelFilter::Debug);
        let dir = tempfile::tempdir().expect("a temporary directory").keep();
        let script = dir.join("first.py");
        std::fs::write(&script, "import decimal, ssl, ctypes, sqlite3\n").expect("written");
        let config =
            PythonConfig { script, base_dir: dir, script_config: None, venv: None, reload: false };
        let options = vec![
            ("address", ConfigValue::Text(":4045".to_owned())),
            ("backend_addresses", ConfigValue::TextList(vec!["a:1".to_owned(), "b:2".to_owned()])),
            ("profiling", ConfigValue::Bool(true)),
            ("connect_timeout", ConfigValue::Seconds(1.5)),
            ("python_script", ConfigValue::Path("/x/y.py".into())),
            ("venv", ConfigValue::None),
        ];
        start(config, options, shared(), 0x0000_0805).expect("Python starts")
    })
}

/// Runs `f` in the interpreter.
pub fn python<R>(f: impl FnOnce(Python<'_>) -> R) -> R {
    scripts();
    threads::with_python(f).expect("Python runs")
}

/// Runs `f` inside a callback of the host. An assertion that fails in `f` fails the test.
fn in_callback<R>(f: impl FnOnce(&HostCall) -> R) -> R {
    let mut result = None;
    // SAFETY: INV-1: each test has slots of its own, and there is no host.
    unsafe { host_call(|call| result = Some(f(call)), |_| ()) };
    result.expect("no panic in the callback")
}

/// Loads a script with this text.
fn load(text: &str) -> Result<Arc<Script>, String> {
    let dir = tempfile::tempdir().expect("a temporary directory").keep();
    load_file(&dir.join("script.py"), text)
}

fn load_file(path: &Path, text: &str) -> Result<Arc<Script>, String> {
    std::fs::write(path, text).expect("written");
    let environment = scripts().environment();
    threads::with_python(|py| Script::load(py, environment, path))
        .expect("Python runs")
        .map(Arc::new)
}

/// A client connection with a script.
struct Connection {
    session: Slot<Session>,
    binding: Binding,
    shared: Arc<Shared>,
}

impl Connection {
    fn new(script: &str) -> Self {
        Self::of(load(script).expect("the script loads"))
    }

    fn of(script: Arc<Script>) -> Self {
        let mut client = Client::default();
        client.src.name = "10.0.0.1:5555".to_owned();
        client.src.address = Some("10.0.0.1".to_owned());
        client.src.port = Some(5555);
        client.src.family = 2;
        let session = Slot::new(Session::new(7, client));
        let shared = shared();
        let binding = Binding::new(script, session.clone(), shared);
        logged(log::Level::Error);
        Self { session, binding, shared }
    }

    /// Calls a hook; `read_query` gets `SELECT 1`.
    fn call(&mut self, hook: Hook) -> Outcome {
        in_callback(|call| match hook {
            Hook::ConnectServer => self.binding.connect_server(call),
            Hook::ReadHandshake => self.binding.read_handshake(call),
            Hook::ReadAuth => self.binding.read_auth(call),
            Hook::ReadAuthResult => self.binding.read_auth_result(call, b"\0\0\0"),
            Hook::ReadQuery => self.binding.read_query(call, b"\x03SELECT 1"),
            Hook::ReadQueryResult => self.binding.read_query_result(call, &results::ok()),
            Hook::DisconnectClient => self.binding.disconnect_client(call),
        })
    }

    fn query(&mut self, packet: &[u8]) -> Outcome {
        in_callback(|call| self.binding.read_query(call, packet))
    }

    fn result(&mut self, injection: Injection) -> Outcome {
        let slot = Slot::new(injection);
        let outcome = in_callback(|call| self.binding.read_query_result(call, &slot));
        in_callback(|call| slot.take(call)).expect("the injection comes back");
        outcome
    }

    /// Changes what is known of the connection.
    fn change(&self, f: impl FnOnce(&mut Session)) {
        in_callback(|call| f(&mut self.session.borrow_mut(call).expect("alive")));
    }
}
