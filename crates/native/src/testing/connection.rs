//! One client of a proxy in memory: event in, effects to the two ends, the script asked as often as the engine wants.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use engine::{
    Ask, Awaits, Client, Engine, Event, Hook, HookSet, Session, Short, Side, Slot, Then, Verdict,
};
use pyo3::exceptions::{PyBaseException, PyConnectionError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use script::{Answer, Asked, Binding, Mailbox, Proxy};

use super::address;
use super::answers::command_name;
use super::host::Host;
use super::io::{Io, Packet};
use super::letters::Letters;
use super::payloads;
use super::process::Process;
use super::script::Script;

/// The first client has the port behind this one.
const CLIENT_PORTS: u16 = 50_000;
/// Where the proxy listens.
const PROXY_PORT: u16 = 4045;

/// One client of a proxy in memory. Its methods take the client's payloads and give what it is answered.
#[pyclass(frozen, module = "pyproxy._native")]
#[derive(Debug)]
pub struct Connection {
    process: Py<Process>,
    owner: Py<PyAny>,
    /// What the hooks get, if there is a script.
    proxy: Option<Py<Proxy>>,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) engine: Engine,
    pub(super) io: Io,
    pub(super) script: Option<(Arc<Script>, Binding<Script>)>,
    /// What a hook wants that waits.
    pub(super) letters: Arc<Letters>,
    /// What the engine awaits.
    pub(super) awaits: Awaits,
    pub(super) is_over: bool,
    /// The first exception of a hook that was not taken yet.
    failure: Option<PyErr>,
    /// The hook that was asked last.
    pub(super) hook: Option<Hook>,
    /// How long a hook may wait before the test fails: of the time outside.
    pub(super) patience: Duration,
    /// The command byte of what the servers answer.
    command: u8,
}

/// How far an event is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The client is to speak, or everything is over.
    Answered,
    /// The same, or a hook waits and nothing happens.
    Idle,
}

/// What is handed to the engine.
pub(super) enum Input {
    Event(Event<'static>),
    Packet(Side, Packet),
}

#[pymethods]
impl Connection {
    /// A client of `process`. `owner` has the methods `connect(ndx)`, which gives a connection of a fake server or None;
    /// `enter()` and `leave()`, which are called around each hook; `begin_to_wait(still)` and `end_to_wait(still)`, around what waits for a
    /// hook that waits; and `when_idle(callback)`, for when nothing happens on the thread of such hooks. `patience` is how many
    /// seconds one may take before that is an error.
    #[new]
    #[pyo3(signature = (process, owner, patience, /))]
    fn new(
        py: Python<'_>,
        process: Py<Process>,
        owner: Py<PyAny>,
        patience: f64,
    ) -> PyResult<Self> {
        let patience = Duration::try_from_secs_f64(patience)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let proxy = process.get();
        let id = proxy.shared.stats.connections.increment();
        let port = CLIENT_PORTS.wrapping_add(u16::try_from(id).unwrap_or_default());
        let (src, dst) = (address::local(port), address::local(PROXY_PORT));
        let session = Slot::new(Session::new(id, Client { src, dst, ..Client::default() }));
        let letters = Arc::new(Letters::default());
        let script = proxy.script().map(|script| {
            let shared = Arc::clone(&proxy.shared);
            let mailbox: Arc<dyn Mailbox> = Arc::clone(&letters) as _;
            (Arc::clone(&script), Binding::new(script, session.clone(), shared, Some(mailbox)))
        });
        let hooks = script.as_ref().map_or(HookSet::default(), |(_, binding)| binding.hooks());
        let shared = Arc::clone(&proxy.shared);
        let engine = Engine::new(session, shared, proxy.settings, hooks);
        let io = Io::new(process.clone_ref(py), owner.clone_ref(py));
        let state = State {
            engine,
            io,
            script,
            letters,
            awaits: Awaits::Retry,
            is_over: false,
            failure: None,
            hook: None,
            patience,
            command: 0,
        };
        let binding = state.script.as_ref().map(|(_, binding)| binding);
        let proxy = binding.map(|binding| binding.proxy(py).map(|proxy| proxy.clone().unbind()));
        let proxy = proxy.transpose()?;
        Ok(Self { process, owner, proxy, state: Mutex::new(state) })
    }

    /// The client connects: the greeting, or an ERR.
    fn accept<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.run(py, Until::Answered, |turn| turn.take(Input::Event(Event::Accepted)))
    }

    /// The client sends a payload. Raises ConnectionError if the connection is closed.
    #[pyo3(signature = (payload, /))]
    fn send<'py>(&self, py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyList>> {
        self.run(py, Until::Answered, |turn| turn.send(payload))
    }

    /// The client sends a command, whose answer need not be there: a hook may wait for something that does not happen by itself.
    #[pyo3(signature = (payload, /))]
    fn begin<'py>(&self, py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyList>> {
        self.run(py, Until::Idle, |turn| turn.send(payload))
    }

    /// Goes on with a command that a hook waits in, until that waits again; with `answered`, until the answer is there.
    #[pyo3(signature = (answered, /))]
    fn go_on<'py>(&self, py: Python<'py>, answered: bool) -> PyResult<Bound<'py, PyList>> {
        let until = if answered { Until::Answered } else { Until::Idle };
        self.run(py, until, |turn| turn.go_on())
    }

    /// The client hangs up, or was hung up on.
    fn disconnect(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, Until::Answered, |turn| turn.disconnect()).map(drop)
    }

    /// What is awaited of the client: "login", "login_rounds", "command", "file", or "nothing": before it connected, and in
    /// the middle of an exchange; "closed" behind the end. "script" if nothing is awaited of it because a hook waits.
    #[getter]
    fn awaits(&self) -> &'static str {
        let Ok(state) = self.lock() else { return "nothing" };
        match state.awaits {
            _ if state.is_over => "closed",
            Awaits::Login => "login",
            Awaits::LoginData => "login_rounds",
            Awaits::Command => "command",
            Awaits::File => "file",
            Awaits::MoreCommand => "more of a command",
            Awaits::Verdict => "script",
            _ => "nothing",
        }
    }

    /// Takes the first exception that a hook raised since the last call.
    fn take_failure<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBaseException>>> {
        Ok(self.lock()?.failure.take().map(|failure| failure.into_value(py).into_bound(py)))
    }

    /// The `proxy` of this client; None if there is no script, or the connection is over.
    #[getter]
    fn proxy(&self, py: Python<'_>) -> Option<Py<Proxy>> {
        self.proxy.as_ref().filter(|_| self.is_open()).map(|proxy| proxy.clone_ref(py))
    }
}

impl Connection {
    /// Whether it is not over: in the middle of an exchange, above all.
    fn is_open(&self) -> bool {
        self.lock().map_or(true, |state| !state.is_over)
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Ok(state),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(PyRuntimeError::new_err("the connection is in the middle of an exchange"))
            }
        }
    }

    /// Lets something happen, and gives what the client got.
    fn run<'py>(
        &self,
        py: Python<'py>,
        until: Until,
        event: impl FnOnce(&mut Turn<'_, 'py>) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut state = self.lock()?;
        let host = &self.process.get().host;
        host.enter();
        let mut turn = Turn { py, owner: self.owner.bind(py), host, state: &mut state, until };
        let done = event(&mut turn);
        host.leave();
        done?;
        let sent = state.io.client.take_sent();
        PyList::new(py, sent.iter().map(|payload| PyBytes::new(py, payload)))
    }
}

/// One event of a connection in progress.
pub(super) struct Turn<'t, 'py> {
    pub(super) py: Python<'py>,
    pub(super) owner: &'t Bound<'py, PyAny>,
    pub(super) host: &'t Arc<Host>,
    pub(super) state: &'t mut State,
    pub(super) until: Until,
}

impl Turn<'_, '_> {
    fn send(&mut self, payload: &[u8]) -> PyResult<()> {
        match self.state.awaits {
            _ if self.state.is_over => Err(PyConnectionError::new_err("the connection is closed")),
            Awaits::Verdict => Err(PyRuntimeError::new_err(
                "a hook waits: what the client sends now is read behind the answer to its command",
            )),
            Awaits::Command => {
                self.state.command = payload.first().copied().unwrap_or_default();
                self.state.io.client.start_exchange(payload);
                self.take(Input::Packet(Side::Client, Packet::command(payload)))
            }
            _ => {
                for packet in payloads::packets(payload) {
                    let id = self.state.io.client.take_id();
                    self.take(Input::Packet(Side::Client, Packet::single(id, packet.to_vec())))?;
                }
                Ok(())
            }
        }
    }

    /// Hands something over, and goes on until the client is to speak, or everything is over.
    pub(super) fn take(&mut self, input: Input) -> PyResult<()> {
        let then = self.hand_over(input);
        self.follow(then)
    }

    pub(super) fn follow(&mut self, mut then: Then) -> PyResult<()> {
        loop {
            self.state.io.deliver(self.py)?;
            if let Some(side) = self.state.io.ended.take() {
                then = self.hand_over(Input::Event(Event::Ended(side)));
                continue;
            }
            let awaits = match then {
                Then::Ask(ask) => {
                    then = self.ask(&ask)?;
                    continue;
                }
                Then::Await(awaits) => awaits,
            };
            self.state.awaits = awaits;
            then = match awaits {
                // There is no TLS here, and nobody asks for it.
                Awaits::Abort | Awaits::Close | Awaits::Secured(_) | Awaits::Place => {
                    return self.end();
                }
                Awaits::Verdict => match self.wait()? {
                    Some(then) => then,
                    None => return Ok(()),
                },
                Awaits::Connect | Awaits::Retry => self.hand_over(Input::Event(Event::Accepted)),
                Awaits::Login
                | Awaits::LoginData
                | Awaits::Command
                | Awaits::MoreCommand
                | Awaits::File => return Ok(()),
                Awaits::Greeting
                | Awaits::LoginAnswer
                | Awaits::Answer { .. }
                | Awaits::MoreAnswer
                | Awaits::FileAnswer => match self.read_server()? {
                    Some(then) => then,
                    None => self.hand_over(Input::Event(Event::Ended(Side::Server))),
                },
            };
        }
    }

    /// Hands over an event, with the packet that it is about.
    pub(super) fn hand_over(&mut self, input: Input) -> Then {
        let State { engine, io, .. } = &mut *self.state;
        match input {
            Input::Event(event) => {
                io.at_hand = None;
                engine.handle(event, io)
            }
            Input::Packet(side, packet) => {
                let packet = Arc::new(packet);
                io.at_hand = Some(Arc::clone(&packet));
                packet.show(|packet| {
                    let event = match side {
                        Side::Client => Event::Client(packet),
                        Side::Server => Event::Server(packet),
                    };
                    engine.handle(event, io)
                })
            }
        }
    }

    /// Hands over the next packet of the server. `None` if it hung up.
    fn read_server(&mut self) -> PyResult<Option<Then>> {
        let State { engine, io, .. } = &mut *self.state;
        let Some(server) = io.server.clone() else { return Ok(None) };
        let Some((id, payload)) = server.read() else {
            return if server.has_hung_up() { Ok(None) } else { Err(self.no_end()) };
        };
        let packet = Packet::single(id, payload);
        Ok(Some(match packet.show(|packet| engine.short(&packet)) {
            Some(Short::Pass(id)) => {
                packet.show(|packet| io.client.send_packet(id, packet.payload));
                Then::Await(Awaits::MoreAnswer)
            }
            Some(Short::Drop) => Then::Await(Awaits::MoreAnswer),
            None => self.hand_over(Input::Packet(Side::Server, packet)),
        }))
    }

    fn no_end(&self) -> PyErr {
        let name = command_name(self.state.command);
        PyRuntimeError::new_err(format!(
            "the fake server's answer to {name} has no end: a client would wait for ever"
        ))
    }

    /// Asks the script, in its surroundings.
    fn ask(&mut self, ask: &Ask) -> PyResult<Then> {
        let at_hand = self.state.io.at_hand.clone();
        self.state.hook = Some(ask.hook());
        let verdict = match &mut self.state.script {
            None => Verdict::Proceed,
            Some((_, binding)) => {
                self.owner.call_method0("enter")?;
                let answer = match &at_hand {
                    Some(packet) => packet.show(|packet| binding.ask(ask, &packet.joined())),
                    None => binding.ask(ask, &[]),
                };
                let Answer::Verdict(verdict) = answer else { return Ok(self.begin_to_wait()) };
                self.owner.call_method0("leave")?;
                self.note_failure(&verdict);
                verdict
            }
        };
        let State { engine, io, .. } = &mut *self.state;
        Ok(match at_hand {
            Some(packet) => {
                packet.show(|packet| engine.handle(Event::Verdict(verdict, Some(packet)), io))
            }
            None => engine.handle(Event::Verdict(verdict, None), io),
        })
    }

    /// A hook ended: what it raised is kept for the test.
    pub(super) fn note_failure(&mut self, verdict: &Verdict) {
        let Some((script, _)) = &self.state.script else { return };
        let failure = script.take_failure();
        if *verdict == Verdict::Failed && self.state.failure.is_none() {
            self.state.failure = failure;
        }
    }

    /// The connection is over: the script is told, and everything is let go of.
    pub(super) fn end(&mut self) -> PyResult<()> {
        let then = self.hand_over(Input::Event(Event::Closed));
        if let Then::Ask(ask) = then {
            debug_assert_eq!(ask.hook(), Hook::DisconnectClient);
            self.ask(&ask)?;
        }
        self.state.io.deliver(self.py)?;
        self.close();
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.state.engine.let_go();
        self.state.script = None;
        self.state.is_over = true;
    }
}
