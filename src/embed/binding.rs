//! A script and one connection: calling the hooks.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::classes::{Auth, Injection, Proxy};
use super::decision::Decision;
use super::{Outcome, Script, reply, threads};
use crate::boundary::HostCall;
use crate::session::{self, Hook, Session, Shared, Slot};

/// The script version that a connection started with, and the connection's `proxy` object.
///
/// Costs nothing until the first hook is called.
#[derive(Debug)]
pub struct Binding {
    script: Arc<Script>,
    session: Slot<Session>,
    shared: &'static Shared,
    proxy: OnceCell<Py<Proxy>>,
}

impl Binding {
    /// Ties a connection to a script.
    pub fn new(script: Arc<Script>, session: Slot<Session>, shared: &'static Shared) -> Self {
        Self { script, session, shared, proxy: OnceCell::new() }
    }

    /// Whether the script has this hook.
    #[inline]
    pub fn has(&self, hook: Hook) -> bool {
        self.script.has(hook)
    }

    /// A client connected; no backend is chosen yet.
    pub fn connect_server(&mut self, call: &HostCall) -> Outcome {
        self.run(call, Hook::ConnectServer, Argument::None)
    }

    /// The server's handshake arrived.
    pub fn read_handshake(&mut self, call: &HostCall) -> Outcome {
        self.run(call, Hook::ReadHandshake, Argument::None)
    }

    /// The client's login arrived.
    pub fn read_auth(&mut self, call: &HostCall) -> Outcome {
        self.run(call, Hook::ReadAuth, Argument::None)
    }

    /// The server answered the login with `packet`.
    pub fn read_auth_result(&mut self, call: &HostCall, packet: &[u8]) -> Outcome {
        self.run(call, Hook::ReadAuthResult, Argument::Auth(packet))
    }

    /// A command arrived: `packet`, its parts joined.
    pub fn read_query(&mut self, call: &HostCall, packet: &[u8]) -> Outcome {
        self.run(call, Hook::ReadQuery, Argument::Packet(packet))
    }

    /// The result of a queued query is complete.
    pub fn read_query_result(
        &mut self,
        call: &HostCall,
        injection: &Slot<session::Injection>,
    ) -> Outcome {
        self.run(call, Hook::ReadQueryResult, Argument::Injection(injection))
    }

    /// The client is gone.
    pub fn disconnect_client(&mut self, call: &HostCall) -> Outcome {
        self.run(call, Hook::DisconnectClient, Argument::None)
    }

    fn run(&mut self, call: &HostCall, hook: Hook, argument: Argument<'_>) -> Outcome {
        if !self.has(hook) {
            return Outcome::Proceed;
        }
        let asked_at = Instant::now();
        threads::with_python(|py| {
            let begin = Instant::now();
            self.shared.stats.python_wait.add(begin - asked_at);
            let _scope = HookScope::enter(&self.session, call, hook);
            let outcome = self.ask(py, call, hook, argument).unwrap_or_else(|failure| {
                self.log(py, call, hook, &failure);
                Outcome::Failed
            });
            self.count(hook, &outcome, begin.elapsed());
            outcome
        })
        .unwrap_or(Outcome::Proceed)
    }

    fn count(&self, hook: Hook, outcome: &Outcome, time: Duration) {
        let stats = self.shared.stats.hook(hook);
        stats.calls.increment();
        stats.time.add(time);
        if *outcome == Outcome::Failed {
            stats.errors.increment();
        }
    }

    fn ask(
        &self,
        py: Python<'_>,
        call: &HostCall,
        hook: Hook,
        argument: Argument<'_>,
    ) -> Result<Outcome, Failure> {
        let Some(function) = self.script.hook(hook) else { return Ok(Outcome::Proceed) };
        let function = function.bind(py);
        let proxy = self.proxy(py)?;
        let returned = match argument {
            Argument::None => function.call1((proxy,)),
            Argument::Packet(packet) => {
                if let Some(response) = proxy.get().own_response() {
                    response.reset(py);
                }
                function.call1((proxy, PyBytes::new(py, packet)))
            }
            Argument::Auth(packet) => function.call1((proxy, Auth::new(py, packet))),
            Argument::Injection(slot) => function.call1((proxy, Injection::new(slot.clone()))),
        }?;
        match Decision::of(hook, &returned) {
            Some(Decision::None) => Ok(Outcome::Proceed),
            Some(Decision::SendQuery) => Ok(Outcome::SendQuery),
            Some(Decision::IgnoreResult) => Ok(Outcome::IgnoreResult),
            Some(Decision::SendResult) => self.reply(py, call, hook, proxy),
            None => Err(Failure::InvalidReturn(show(&returned))),
        }
    }

    /// The connection's `proxy` object, made when it is first needed.
    fn proxy<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, Proxy>> {
        if let Some(proxy) = self.proxy.get() {
            return Ok(proxy.bind(py));
        }
        let globals = self.script.globals().clone_ref(py);
        let made = Py::new(py, Proxy::of_connection(py, globals, &self.session, self.shared)?)?;
        Ok(self.proxy.get_or_init(|| made).bind(py))
    }

    fn reply(
        &self,
        py: Python<'_>,
        call: &HostCall,
        hook: Hook,
        proxy: &Bound<'_, Proxy>,
    ) -> Result<Outcome, Failure> {
        let limit = self.shared.max_kept_bytes;
        let context =
            self.session.borrow(call).map(|session| reply::Context::of(&session, limit, hook));
        let (Some(response), Some(context)) = (proxy.get().own_response(), context) else {
            return Ok(Outcome::Proceed);
        };
        reply::encode(response.fields(py), context)
            .map(Outcome::SendResult)
            .map_err(Failure::BadResponse)
    }

    /// One entry of the critical level, which names the hook and the connection.
    fn log(&self, py: Python<'_>, call: &HostCall, hook: Hook, failure: &Failure) {
        let (id, client) = self
            .session
            .borrow(call)
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

impl Drop for Binding {
    /// Releases the Python objects. At the end of the process they are left alone: Python may not answer any more.
    fn drop(&mut self) {
        let Some(proxy) = self.proxy.take() else { return };
        let mut proxy = Some(proxy);
        threads::with_python(|py| {
            if let Some(proxy) = proxy.take() {
                Proxy::clear(proxy.bind(py));
                proxy.drop_ref(py);
            }
        });
        std::mem::forget(proxy);
    }
}

/// What a hook gets besides `proxy`.
#[derive(Debug, Clone, Copy)]
enum Argument<'a> {
    None,
    Packet(&'a [u8]),
    Auth(&'a [u8]),
    Injection(&'a Slot<session::Injection>),
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

/// Marks the session as "in this hook" until it is dropped, also when a panic passes.
struct HookScope<'h> {
    session: &'h Slot<Session>,
    call: &'h HostCall,
}

impl<'h> HookScope<'h> {
    fn enter(session: &'h Slot<Session>, call: &'h HostCall, hook: Hook) -> Self {
        if let Some(mut session) = session.borrow_mut(call) {
            session.hook = Some(hook);
        }
        Self { session, call }
    }
}

impl Drop for HookScope<'_> {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.try_borrow_mut(self.call) {
            session.hook = None;
        }
    }
}

/// A value for the log: its repr, cut short, or its type if that raises.
fn show(value: &Bound<'_, PyAny>) -> String {
    const LONGEST: usize = 200;
    match value.repr() {
        Ok(repr) => repr.to_string_lossy().chars().take(LONGEST).collect(),
        Err(_) => format!("an object of {}", value.get_type()),
    }
}
