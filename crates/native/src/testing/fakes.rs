//! Objects for a hook that a test calls by hand. They need no permission: the test stands for the proxy.

use std::sync::Arc;
use std::time::Instant;

use engine::{
    BackendKind, BackendState, Backends, Client, Hook, Injection, Query, Server, Session, Shared,
    Slot,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use script::{Auth, Config, Globals, Permission, Proxy};
use wire::Capabilities;
use wire::connect::Login;
use wire::reply::StatusFlags;

use super::backends::List;
use super::server::{ServerEnd, ServerLink};
use super::{address, log};

/// What a usual client agrees on with a server.
const CAPABILITIES: Capabilities = Capabilities::from_bits_retain(0xa685);
const FIRST_PORT: u16 = 3306;
const MAX_KEPT_BYTES: usize = 256 << 20;

/// The `proxy` of a client that is logged in on backend 0 and sent this command, in this hook. `log` takes level and text of
/// what is logged.
#[pyfunction]
#[pyo3(signature = (user, database, backends, read_only, hook, command, log, /))]
#[expect(clippy::too_many_arguments, reason = "Python gives them names")]
fn fake_proxy(
    py: Python<'_>,
    user: &str,
    database: &str,
    backends: u16,
    read_only: u16,
    hook: &str,
    command: Option<Bound<'_, PyBytes>>,
    log: Py<PyAny>,
) -> PyResult<Py<Proxy>> {
    let hook = Hook::ALL.into_iter().find(|known| known.name() == hook);
    let hook = hook.ok_or_else(|| PyValueError::new_err("there is no such hook"))?;
    log::of_fakes(log);
    let list = List::default();
    for ndx in 0..backends.saturating_add(read_only) {
        let kind = if ndx < backends { BackendKind::ReadWrite } else { BackendKind::ReadOnly };
        let address = address::local(FIRST_PORT.wrapping_add(ndx)).name;
        list.add(&address, kind).map_err(|error| PyValueError::new_err(error.to_string()))?;
    }
    let shared = Arc::new(Shared::new(Box::new(list), true, MAX_KEPT_BYTES));
    let session = session(user, database, hook, &shared);
    if let (Some(command), Some(mut session)) = (&command, session.lock()) {
        session.command = command.as_bytes().first().copied();
    }
    let config = Config::with_options(py, &[])?.unbind();
    let globals = Py::new(py, Globals::new(py, Arc::clone(&shared), config)?)?;
    Permission::waive(session.identity());
    Permission::waive(Arc::as_ptr(&shared).addr());
    let proxy = Py::new(py, Proxy::of_connection(py, globals, &session, Arc::clone(&shared))?)?;
    proxy.get().begin_command(py, command.map(Bound::unbind));
    // What needs no permission has to stay where it is.
    std::mem::forget((session, shared));
    Ok(proxy)
}

fn session(user: &str, database: &str, hook: Hook, shared: &Shared) -> Slot<Session> {
    let database = Some(database.as_bytes().to_vec()).filter(|database| !database.is_empty());
    let login = Arc::new(Login {
        capabilities: CAPABILITIES,
        max_packet_size: 1 << 24,
        charset: 45,
        username: user.as_bytes().to_vec(),
        auth_response: vec![0; 20],
        database: database.clone(),
        auth_plugin: Some(b"mysql_native_password".to_vec()),
        attributes: None,
        zstd_level: None,
    });
    let client = Client {
        src: address::local(50_001),
        dst: address::local(4045),
        login: Some(Arc::clone(&login)),
        default_db: database.unwrap_or_default(),
        ..Client::default()
    };
    let mut session = Session::new(1, client);
    (session.hook, session.command, session.login_accepted) = (Some(hook), Some(3), true);
    if let Some(dst) = shared.backends.address(0) {
        let now = Instant::now();
        let link = ServerLink::new(ServerEnd::alone(address::local(40_001), dst));
        let mut server = Server::new(Box::new(link), 0, now);
        server.connected();
        server.logged_in(Some(login), StatusFlags::AUTOCOMMIT, true, now);
        server.count(&*shared.backends);
        shared.backends.set_state(0, BackendState::Up);
        session.server = Some(server);
    }
    Slot::new(session)
}

/// The `inj` of a query and the payloads of its complete answer.
#[pyfunction]
#[pyo3(signature = (id, query, answer, resultset_is_needed, /))]
fn fake_injection(
    id: i64,
    query: &[u8],
    answer: Vec<Bound<'_, PyBytes>>,
    resultset_is_needed: bool,
) -> PyResult<script::Injection> {
    let wrong = |error: String| PyValueError::new_err(error);
    let query = Query::new(id, query.to_vec(), resultset_is_needed, Instant::now())
        .map_err(|error| wrong(error.to_string()))?;
    let answer = answer.iter().map(|payload| payload.as_bytes());
    let injection = Injection::answered(query, answer, Capabilities::empty())
        .map_err(|error| wrong(error.to_string()))?;
    Permission::waive(Arc::as_ptr(&injection.packets).addr());
    std::mem::forget(Arc::clone(&injection.packets));
    let slot = Slot::new(injection);
    Permission::waive(slot.identity());
    std::mem::forget(slot.clone());
    Ok(script::Injection::new(slot))
}

/// The `auth` of an answer to a login.
#[pyfunction]
#[pyo3(signature = (packet, /))]
fn fake_auth(py: Python<'_>, packet: &[u8]) -> Auth {
    let session = Slot::new(Session::new(0, Client::default()));
    Permission::waive(session.identity());
    std::mem::forget(session.clone());
    Auth::new(py, session, packet)
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(fake_proxy, module)?)?;
    module.add_function(wrap_pyfunction!(fake_injection, module)?)?;
    module.add_function(wrap_pyfunction!(fake_auth, module)?)
}
