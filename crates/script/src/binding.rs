//! A script and one connection: calling the hooks.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::asked::Asked;
use crate::classes::auth::Auth;
use crate::classes::injection::Injection;
use crate::classes::proxy::Proxy;
use crate::decision;
use crate::escape;
use crate::guest::Guest;
use crate::permission::Permission;
use crate::reply;
use engine::{Ask, Hook, HookSet, Session, Shared, Slot, Verdict};

/// The script version that a connection started with, and the connection's `proxy` object.
///
/// Costs nothing until the first hook is called.
#[derive(Debug)]
pub struct Binding<G: Guest> {
    script: Arc<G>,
    session: Slot<Session>,
    shared: Arc<Shared>,
    proxy: OnceCell<Py<Proxy>>,
}

impl<G: Guest> Binding<G> {
    /// Ties a connection to a script.
    pub fn new(script: Arc<G>, session: Slot<Session>, shared: Arc<Shared>) -> Self {
        Self { script, session, shared, proxy: OnceCell::new() }
    }

    fn count(&self, hook: Hook, verdict: &Verdict, time: Duration) {
        let stats = self.shared.stats.hook(hook);
        stats.calls.increment();
        stats.time.add(time);
        if *verdict == Verdict::Failed {
            stats.errors.increment();
        }
    }

    fn call(&self, py: Python<'_>, ask: &Ask, packet: &[u8]) -> Result<Verdict, Failure> {
        let hook = ask.hook();
        let Some(function) = self.script.hooks().get(hook) else { return Ok(Verdict::Proceed) };
        let function = function.bind(py);
        let proxy = self.proxy(py)?;
        let returned = match ask {
            Ask::Result(slot) => function.call1((proxy, Injection::new(slot.clone()))),
            Ask::Hook(Hook::ReadAuthResult) => {
                function.call1((proxy, Auth::new(py, self.session.clone(), packet)))
            }
            Ask::Hook(Hook::ReadQuery) => {
                if let Some(response) = proxy.get().own_response() {
                    response.reset(py);
                }
                function.call1((proxy, self.command(py, packet)?))
            }
            Ask::Hook(_) => function.call1((proxy,)),
        }?;
        decision::verdict(hook, &returned, || self.reply(py, proxy))?
            .ok_or_else(|| Failure::InvalidReturn(show(&returned)))
    }

    /// A command as scripts see it: a query without its attributes.
    fn command<'py>(&self, py: Python<'py>, packet: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let hidden = self.session.lock().map_or(0, |session| session.attributes.hidden());
        if hidden == 0 {
            return Ok(PyBytes::new(py, packet));
        }
        let (command, rest) = packet.split_at_checked(1).unwrap_or_default();
        let text = rest.get(hidden..).unwrap_or_default();
        PyBytes::new_with(py, command.len() + text.len(), |bytes| {
            bytes[..command.len()].copy_from_slice(command);
            bytes[command.len()..].copy_from_slice(text);
            Ok(())
        })
    }

    /// The connection's `proxy` object, made when it is first needed.
    pub fn proxy<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Proxy>> {
        if let Some(proxy) = self.proxy.get() {
            return Ok(proxy.bind(py));
        }
        let globals = self.script.globals().clone_ref(py);
        let made = Py::new(
            py,
            Proxy::of_connection(py, globals, &self.session, Arc::clone(&self.shared))?,
        )?;
        Ok(self.proxy.get_or_init(|| made).bind(py))
    }

    fn reply(&self, py: Python<'_>, proxy: &Bound<'_, Proxy>) -> Result<Verdict, Failure> {
        let Some(response) = proxy.get().own_response() else { return Ok(Verdict::Proceed) };
        let context = proxy.get().context().map_err(Failure::BadResponse)?;
        reply::encode(response.fields(py), context)
            .map(Verdict::SendResult)
            .map_err(Failure::BadResponse)
    }

    /// One entry of the critical level, which names the hook and the connection.
    fn log(&self, py: Python<'_>, hook: Hook, failure: &Failure) {
        let (id, client) = self
            .session
            .lock()
            .map(|session| (session.id, session.client.src.name.clone()))
            .unwrap_or_default();
        let hook = hook.name();
        match failure {
            Failure::Raised(error) => {
                let traceback = self.script.describe(py, error);
                log::error!("connection {id} ({client}): {hook} failed:\n{traceback}");
            }
            Failure::InvalidReturn(value) => log::error!(
                "connection {id} ({client}): {hook} returned {value}, which it may not return"
            ),
            Failure::BadResponse(error) => {
                let traceback = self.script.describe(py, error);
                log::error!(
                    "connection {id} ({client}): {hook} returned PROXY_SEND_RESULT, but proxy.response cannot be \
                     encoded:\n{traceback}"
                );
            }
        }
    }
}

impl<G: Guest> Asked for Binding<G> {
    fn hooks(&self) -> HookSet {
        self.script.hooks().defined()
    }

    fn ask(&mut self, ask: &Ask, packet: &[u8]) -> Verdict {
        let hook = ask.hook();
        if !self.hooks().has(hook) {
            return Verdict::Proceed;
        }
        let asked_at = Instant::now();
        G::attach(|py| {
            let begin = Instant::now();
            self.shared.stats.python_wait.add(begin - asked_at);
            let _permission = Permission::enter();
            let verdict = self.call(py, ask, packet).unwrap_or_else(|failure| {
                self.log(py, hook, &failure);
                Verdict::Failed
            });
            self.count(hook, &verdict, begin.elapsed());
            verdict
        })
        .unwrap_or(Verdict::Proceed)
    }
}

impl<G: Guest> Drop for Binding<G> {
    /// Releases the Python objects. At the end of the process they are left alone: Python may not answer any more.
    fn drop(&mut self) {
        let Some(proxy) = self.proxy.take() else { return };
        let mut proxy = Some(proxy);
        G::attach(|py| {
            // What the script attached may have finalisers, which are code of the script.
            let _permission = Permission::enter();
            if let Some(proxy) = proxy.take() {
                Proxy::clear(proxy.bind(py));
                proxy.drop_ref(py);
            }
        });
        std::mem::forget(proxy);
    }
}

/// Why a hook call counts as failed.
#[derive(Debug)]
enum Failure {
    Raised(PyErr),
    InvalidReturn(String),
    BadResponse(PyErr),
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// A value for the log: its repr, cut short, or its type if that raises. What a function of another kind gives is named.
fn show(value: &Bound<'_, PyAny>) -> String {
    const LONGEST: usize = 200;
    if is(value, "iscoroutine") {
        // Else Python complains that nobody awaited it.
        let _ = value.call_method0("close");
        return "a coroutine (it is an async def, and hooks are not awaited)".to_owned();
    }
    if is(value, "isgenerator") || is(value, "isasyncgen") {
        return "a generator (there is a yield in it)".to_owned();
    }
    match value.repr() {
        Ok(repr) => escape::one_line(&repr.to_string_lossy()).chars().take(LONGEST).collect(),
        Err(_) => format!("an object of {}", value.get_type()),
    }
}

/// What a predicate of Python's `inspect` says.
fn is(value: &Bound<'_, PyAny>, predicate: &str) -> bool {
    let inspect = value.py().import("inspect");
    let answer = inspect.and_then(|inspect| inspect.call_method1(predicate, (value,)));
    answer.and_then(|answer| answer.is_truthy()).unwrap_or(false)
}
