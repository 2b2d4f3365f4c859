//! Tests against a real interpreter: started once, one script per test.

mod alone;
mod chassis;
mod interrupts;
mod stubs;
mod versions;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use pyo3::Python;

use super::{ConfigValue, PythonConfig, Script, Scripts, start, threads};
use crate::boundary::host_call;
use ::script::{Answer, Asked, Binding, Guest};
use doubles::{AlwaysUp, keep_log, logged};
use engine::{Ask, Client, Clock, Hook, Injection, QueryStats, Session, Shared, Slot, Verdict};
use metrics::top::{Cost, Texts};

/// What connections share. One statement was counted.
fn shared() -> Arc<Shared> {
    let mut shared = Shared::new(Box::new(AlwaysUp(0)), true, 1 << 20);
    let queries = QueryStats::new(10, Clock::new(Instant::now(), SystemTime::now()));
    let texts = || Texts {
        fingerprint: (*b"SELECT ?").into(),
        example: (*b"SELECT 1").into(),
        is_cut: false,
    };
    queries.count(7, &Cost::default(), Instant::now(), texts);
    shared.queries = Some(queries);
    Arc::new(shared)
}

/// The interpreter, started by whichever test comes first.
fn scripts() -> &'static Scripts {
    static SCRIPTS: OnceLock<Scripts> = OnceLock::new();
    SCRIPTS.get_or_init(|| {
        keep_log();
        let dir = tempfile::tempdir().expect("a temporary directory").keep();
        let script = dir.join("first.py");
        std::fs::write(&script, "import decimal, ssl, ctypes, sqlite3\n").expect("written");
        let config = PythonConfig {
            script,
            base_dir: dir,
            script_config: None,
            venv: None,
            reload: false,
            may_wait: true,
        };
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
fn in_callback<R>(f: impl FnOnce() -> R) -> R {
    let mut result = None;
    // SAFETY: INV-1: each test has slots of its own, and there is no host.
    unsafe { host_call(|_| result = Some(f()), |_| ()) };
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
    binding: Binding<Script>,
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
        let binding = Binding::new(script, session.clone(), shared(), None);
        logged(log::Level::Error);
        Self { session, binding }
    }

    /// Calls a hook; `read_query` gets `SELECT 1`.
    fn call(&mut self, hook: Hook) -> Verdict {
        match hook {
            Hook::ReadAuthResult => self.ask(&Ask::Hook(hook), b"\0\0\0"),
            Hook::ReadQuery => self.query(b"\x03SELECT 1"),
            _ => self.ask(&Ask::Hook(hook), b""),
        }
    }

    fn ask(&mut self, ask: &Ask, packet: &[u8]) -> Verdict {
        self.change(|session| session.hook = Some(ask.hook()));
        let Answer::Verdict(verdict) = in_callback(|| self.binding.ask(ask, packet)) else {
            panic!("it waits")
        };
        self.change(|session| session.hook = None);
        verdict
    }

    fn query(&mut self, packet: &[u8]) -> Verdict {
        self.ask(&Ask::Hook(Hook::ReadQuery), packet)
    }

    fn result(&mut self, injection: Injection) -> Verdict {
        let slot = Slot::new(injection);
        let verdict = self.ask(&Ask::Result(slot.clone()), b"");
        slot.take().expect("the injection comes back");
        verdict
    }

    /// Changes what is known of the connection.
    fn change(&self, f: impl FnOnce(&mut Session)) {
        f(&mut self.session.lock().expect("alive"));
    }
}
