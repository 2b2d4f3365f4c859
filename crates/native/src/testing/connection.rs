//! One client of a proxy in memory: event in, effects to the two ends, the script asked as often as the engine wants.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use engine::{
    Ask, Awaits, Client, Engine, Event, Hook, HookSet, Session, Short, Side, Slot, Then, Verdict,
};
use pyo3::exceptions::{PyBaseException, PyConnectionError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use script::{Answer, Asked, Binding, FromScript, Mailbox, Proxy};

use super::address;
use super::answers::command_name;
use super::host::Host;
use super::io::{ForScript, Io, Packet};
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
struct State {
    engine: Engine,
    io: Io,
    script: Option<(Arc<Script>, Binding<Script>)>,
    /// What a hook wants that waits.
    letters: Arc<Letters>,
    /// What the engine awaits.
    awaits: Awaits,
    is_over: bool,
    /// The first exception of a hook that was not taken yet.
    failure: Option<PyErr>,
    /// The command byte of what the servers answer.
    command: u8,
}

/// What is handed to the engine.
enum Input {
    Event(Event<'static>),
    Packet(Side, Packet),
}

#[pymethods]
impl Connection {
    /// A client of `process`. `owner` has the methods `connect(ndx)`, which gives a connection of a fake server or None,
    /// and `enter()` and `leave()`, which are called around each hook.
    #[new]
    #[pyo3(signature = (process, owner, /))]
    fn new(py: Python<'_>, process: Py<Process>, owner: Py<PyAny>) -> PyResult<Self> {
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
            command: 0,
        };
        let binding = state.script.as_ref().map(|(_, binding)| binding);
        let proxy = binding.map(|binding| binding.proxy(py).map(|proxy| proxy.clone().unbind()));
        let proxy = proxy.transpose()?;
        Ok(Self { process, owner, proxy, state: Mutex::new(state) })
    }

    /// The client connects: the greeting, or an ERR.
    fn accept<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.run(py, |turn| turn.take(Input::Event(Event::Accepted)))
    }

    /// The client sends a payload. Raises ConnectionError if the connection is closed.
    #[pyo3(signature = (payload, /))]
    fn send<'py>(&self, py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyList>> {
        self.run(py, |turn| turn.send(payload))
    }

    /// The client hangs up, or was hung up on.
    fn disconnect(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |turn| if turn.state.is_over { Ok(()) } else { turn.end() }).map(drop)
    }

    /// What is awaited of the client: "login", "login_rounds", "command", "file", or "nothing": before it connected, and in
    /// the middle of an exchange; "closed" behind the end.
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
        event: impl FnOnce(&mut Turn<'_, 'py>) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyList>> {
        let mut state = self.lock()?;
        let host = &self.process.get().host;
        host.enter();
        let mut turn = Turn { py, owner: self.owner.bind(py), host, state: &mut state };
        let done = event(&mut turn);
        Host::leave();
        done?;
        let sent = state.io.client.take_sent();
        PyList::new(py, sent.iter().map(|payload| PyBytes::new(py, payload)))
    }
}

/// One event of a connection in progress.
struct Turn<'t, 'py> {
    py: Python<'py>,
    owner: &'t Bound<'py, PyAny>,
    host: &'t Host,
    state: &'t mut State,
}

impl Turn<'_, '_> {
    fn send(&mut self, payload: &[u8]) -> PyResult<()> {
        match self.state.awaits {
            _ if self.state.is_over => Err(PyConnectionError::new_err("the connection is closed")),
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
    fn take(&mut self, input: Input) -> PyResult<()> {
        let mut then = self.hand_over(input);
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
                Awaits::Abort | Awaits::Close | Awaits::Secured(_) => return self.end(),
                Awaits::Verdict => self.wait()?,
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
    fn hand_over(&mut self, input: Input) -> Then {
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

    /// The script waits; its surroundings stay what they are.
    fn begin_to_wait(&mut self) -> Then {
        let State { engine, io, .. } = &mut *self.state;
        Then::Await(match io.at_hand.clone() {
            Some(packet) => packet.show(|packet| engine.verdict_is_pending(Some(packet), io)),
            None => engine.verdict_is_pending(None, io),
        })
    }

    /// Waits for what the waiting script wants next.
    fn wait(&mut self) -> PyResult<Then> {
        self.tell_script();
        let letters = Arc::clone(&self.state.letters);
        let message = self.py.detach(|| letters.take());
        let event = match message {
            FromScript::Verdict(verdict) => {
                self.owner.call_method0("leave")?;
                self.note_failure(&verdict);
                Event::Verdict(verdict, None)
            }
            FromScript::Query(id, query) => Event::Query { id, query },
            FromScript::Abandoned(id) => Event::Abandoned(id),
            FromScript::Moved => Event::Moved,
        };
        Ok(self.hand_over(Input::Event(event)))
    }

    fn tell_script(&mut self) {
        for message in std::mem::take(&mut self.state.io.for_script) {
            let Some((_, binding)) = self.state.script.as_mut() else { continue };
            match message {
                ForScript::Resume(id, outcome) => binding.resume(id, outcome),
                ForScript::Cancel => binding.cancel(),
            }
        }
    }

    /// A hook ended: what it raised is kept for the test.
    fn note_failure(&mut self, verdict: &Verdict) {
        let Some((script, _)) = &self.state.script else { return };
        let raised = script.take_failure();
        if *verdict == Verdict::Failed && self.state.failure.is_none() {
            // What it may not return is in the log only.
            self.state.failure =
                raised.or_else(|| self.host.last_error().map(PyTypeError::new_err));
        }
    }

    /// The connection is over: the script is told, and everything is let go of.
    fn end(&mut self) -> PyResult<()> {
        let then = self.hand_over(Input::Event(Event::Closed));
        if let Then::Ask(ask) = then {
            debug_assert_eq!(ask.hook(), Hook::DisconnectClient);
            self.ask(&ask)?;
        }
        self.state.io.deliver(self.py)?;
        self.state.engine.let_go();
        self.state.script = None;
        self.state.is_over = true;
        Ok(())
    }
}
