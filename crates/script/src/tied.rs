//! A script and one connection: calling the hooks, and reading what they return.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::classes::auth::Auth;
use crate::classes::injection::Injection;
use crate::classes::proxy::Proxy;
use crate::decision;
use crate::failure::Failure;
use crate::guest::Guest;
use crate::permission::Permission;
use crate::running::Running;
use crate::waiting::Tie;
use engine::{Ask, Hook, Session, Shared, Slot, Verdict};

/// The script version that a connection started with, and the connection's `proxy` object.
#[derive(Debug)]
pub struct Tied<G: Guest> {
    script: Arc<G>,
    session: Slot<Session>,
    shared: Arc<Shared>,
    /// The connection's number.
    id: u64,
    proxy: OnceLock<Py<Proxy>>,
}

impl<G: Guest> Tied<G> {
    /// Ties a connection to a script.
    pub fn new(script: Arc<G>, session: Slot<Session>, shared: Arc<Shared>) -> Self {
        let id = session.lock().map(|session| session.id).unwrap_or_default();
        Self { script, session, shared, id, proxy: OnceLock::new() }
    }

    /// From now on a hook runs, until this is dropped.
    pub fn enter<'py>(&self, py: Python<'py>, hook: Hook) -> Running<'py> {
        Running::enter(py, hook, self.id)
    }

    /// The script.
    pub fn script(&self) -> &G {
        &self.script
    }

    /// The connection.
    pub fn session(&self) -> &Slot<Session> {
        &self.session
    }

    /// What all connections share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A call of `hook` ended.
    pub fn count(&self, hook: Hook, verdict: &Verdict, ran: Duration) {
        let stats = self.shared.stats.hook(hook);
        stats.calls.increment();
        stats.time.add(ran);
        if *verdict == Verdict::Failed {
            stats.errors.increment();
        }
    }

    /// Calls the hook.
    #[inline]
    pub fn call<'py>(
        &self,
        py: Python<'py>,
        ask: &Ask,
        packet: &[u8],
    ) -> Result<Bound<'py, PyAny>, Failure> {
        let hook = ask.hook();
        let Some(function) = self.script.hooks().get(hook) else {
            return Ok(py.None().into_bound(py));
        };
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
                let command = self.command(py, packet)?;
                proxy.get().begin_command(py, Some(command.clone().unbind()));
                function.call1((proxy, command))
            }
            Ask::Hook(_) => function.call1((proxy,)),
        };
        Ok(returned?)
    }

    /// What a hook returned, as a verdict.
    #[inline]
    pub fn conclude(
        &self,
        py: Python<'_>,
        ask: &Ask,
        returned: &Bound<'_, PyAny>,
    ) -> Result<Verdict, Failure> {
        let verdict = decision::verdict(ask, self.proxy(py)?, returned)?;
        if self.is_command_over(ask.hook(), &verdict) {
            self.command_over(py);
        }
        Ok(verdict)
    }

    /// Whether the script will not be asked again about the client's command.
    fn is_command_over(&self, hook: Hook, verdict: &Verdict) -> bool {
        match hook {
            Hook::ReadQuery => *verdict != Verdict::SendQuery,
            Hook::ReadQueryResult => {
                self.session.lock().is_none_or(|session| session.queries.is_empty())
            }
            _ => false,
        }
    }

    fn command_over(&self, py: Python<'_>) {
        if let Some(proxy) = self.proxy.get() {
            proxy.get().command_over(py);
        }
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
    #[inline]
    pub fn proxy<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Proxy>> {
        match self.proxy.get() {
            Some(proxy) => Ok(proxy.bind(py)),
            None => self.make_proxy(py),
        }
    }

    #[cold]
    fn make_proxy<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Proxy>> {
        let globals = self.script.globals().clone_ref(py);
        let shared = Arc::clone(&self.shared);
        let made = Py::new(py, Proxy::of_connection(py, globals, &self.session, shared)?)?;
        Ok(self.proxy.get_or_init(|| made).bind(py))
    }

    /// One entry of the critical level, which names the hook and the connection.
    pub fn log(&self, py: Python<'_>, hook: Hook, failure: &Failure) {
        let client = self.session.lock().map(|session| session.client.src.name.clone());
        let (id, client) = (self.id, client.unwrap_or_default());
        let hook = hook.name();
        let reason = failure.describe(py, |error| self.script.describe(py, error));
        let text = format!("connection {id} ({client}): {hook} {reason}");
        log::error!("{text}");
        self.script.failed(failure, &text);
        self.command_over(py);
    }
}

impl<G: Guest> Tie for Tied<G> {
    fn call<'py>(
        &self,
        py: Python<'py>,
        ask: &Ask,
        packet: &[u8],
    ) -> Result<Bound<'py, PyAny>, Failure> {
        self.call(py, ask, packet)
    }

    fn conclude(
        &self,
        py: Python<'_>,
        ask: &Ask,
        returned: &Bound<'_, PyAny>,
    ) -> Result<Verdict, Failure> {
        self.conclude(py, ask, returned)
    }

    fn enter<'py>(&self, py: Python<'py>, ask: &Ask) -> Running<'py> {
        self.enter(py, ask.hook())
    }

    fn log(&self, py: Python<'_>, ask: &Ask, failure: &Failure) {
        self.log(py, ask.hook(), failure);
    }

    fn count(&self, ask: &Ask, verdict: &Verdict, ran: Duration, waited: Duration) {
        self.count(ask.hook(), verdict, ran);
        self.shared.stats.hook(ask.hook()).waiting.add(waited);
    }

    fn attached(&self, step: &mut dyn FnMut(Python<'_>)) {
        G::attach(step);
    }
}

impl<G: Guest> Drop for Tied<G> {
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
