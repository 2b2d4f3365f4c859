//! Scripts that pool, servers that log logins, and an observer that reports counters and pools at any time.

use std::cell::RefCell;
use std::io;

use testkit::client::RawClient;
use testkit::host::builder::Builder;
use testkit::proto::resultset;
use testkit::server::Seen;
use testkit::wait::{PATIENCE, eventually};
use testkit::{Greeting, Host, RawServer, ServerConn};

use crate::support::*;

/// COM_CHANGE_USER.
pub const COM_CHANGE_USER: u8 = 0x11;

/// What pools do: a new client gets an idle connection of any backend if there is one, and every client that leaves
/// parks its own. COM_QUIT would end the server's side, so the script answers it.
pub const POOL: &str = r#"
def connect_server(proxy):
    for backend in proxy.globals.backends:
        if backend.pool.users[""].cur_idle_connections:
            proxy.connection.backend_ndx = backend.ndx
            return proxy.PROXY_IGNORE_RESULT


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT


def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"#;

/// Hooks that do what they are told: what the observer planned for the next call of a hook, or what is in the query
/// itself (`now park`; `in result park` for the hook of the result).
pub const DRIVEN: &str = r#"
plan = {}


def observe(proxy, text):
    if text == "planned":
        return list(plan)
    if text == "forget":
        plan.clear()
    else:
        hook, _, actions = text.partition(" ")
        plan[hook] = actions


def act(proxy, actions):
    for action in actions.split():
        if action == "park":
            proxy.connection.backend_ndx = -1
        elif action.startswith("take"):
            proxy.connection.backend_ndx = int(action[4:])
        elif action == "use":
            return proxy.PROXY_IGNORE_RESULT
        elif action == "raise":
            raise RuntimeError("planned")
        elif action == "refuse":
            proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "planned"}
            return proxy.PROXY_SEND_RESULT


def connect_server(proxy):
    return act(proxy, plan.pop("connect_server", ""))


def read_handshake(proxy):
    return act(proxy, plan.pop("read_handshake", ""))


def read_auth(proxy):
    return act(proxy, plan.pop("read_auth", ""))


def read_auth_result(proxy, auth):
    if auth.packet[0] in (0x00, 0xff):
        return act(proxy, plan.pop("read_auth_result", ""))


def read_query(proxy, packet):
    command, text = packet[0], packet[1:].decode()
    if command == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
    if text.startswith("now "):
        return act(proxy, text[4:])
    if text.startswith("in result "):
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    return act(proxy, inj.query.decode().rpartition("in result ")[2])


def disconnect_client(proxy):
    return act(proxy, plan.pop("disconnect_client", "park"))
"#;

/// Appended to every script: the first connection is the observer's. It has no server and counts nowhere. It reports on
/// the backends; any other text goes to the function `observe` of the script, or is evaluated.
const OBSERVER: &str = r#"

_connect_server = globals().get("connect_server")
_read_query = globals().get("read_query")
_disconnect_client = globals().get("disconnect_client")
_observe = globals().get("observe", lambda proxy, text: eval(text, globals(), {"proxy": proxy}))
_observer = None


def connect_server(proxy):
    global _observer
    if _observer is None:
        _observer = proxy
        proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": _GREETING}
        return proxy.PROXY_SEND_RESULT
    return _connect_server(proxy) if _connect_server else None


def read_query(proxy, packet):
    if proxy is not _observer:
        return _read_query(proxy, packet) if _read_query else None
    if packet[0] == proxy.COM_QUIT:
        return None
    if packet != b"\x03report":
        rows = [[repr(_observe(proxy, packet[1:].decode()))]]
    else:
        rows = [
            [b.connected_clients, b.pool.users[""].cur_idle_connections,
             " ".join(f"{user}:{len(queue)}" for user, queue in b.pool.users.items())]
            for b in proxy.globals.backends
        ]
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": [("f", proxy.MYSQL_TYPE_STRING)] * len(rows[0]), "rows": rows},
    }
    return proxy.PROXY_SEND_RESULT


def disconnect_client(proxy):
    if proxy is not _observer and _disconnect_client:
        return _disconnect_client(proxy)
"#;

/// A backend as the observer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `connected_clients`.
    pub clients: u64,
    /// Idle connections of all users.
    pub idle: usize,
    /// `user:count` for each user with idle connections, sorted by name.
    pub users: String,
}

impl Report {
    /// One that must be seen; `users` as in [`Report::users`].
    pub fn new(clients: u64, users: &str) -> Self {
        let count = |word: &str| word.rsplit_once(':').expect("user:count").1.parse::<usize>();
        let idle = users.split_whitespace().map(|word| count(word).expect("a number")).sum();
        Self { clients, idle, users: users.into() }
    }
}

/// A host whose pool is watched.
#[derive(Debug)]
pub struct Pooling {
    /// The host.
    pub host: Host,
    observer: RefCell<RawClient>,
}

impl Pooling {
    /// Starts a host with this script and connects the observer.
    pub fn start(builder: Builder, script: &str) -> Self {
        let greeting = format!("\n_GREETING = {}\n", python_greeting());
        let host = builder.script(&(script.to_owned() + &greeting + OBSERVER)).start();
        let observer = RefCell::new(host.client());
        Self { host, observer }
    }

    /// With the script [`POOL`] in front of one backend.
    pub fn before(address: std::net::SocketAddr) -> Self {
        Self::start(Host::builder().backend(address), POOL)
    }

    /// What the backends are like now.
    pub fn report(&self) -> Vec<Report> {
        let answer = self.observer.borrow_mut().query("report").expect("a report");
        let report = |row: &Vec<String>| Report {
            clients: row[0].parse().expect("a number of clients"),
            idle: row[1].parse().expect("a number of connections"),
            users: row[2].clone(),
        };
        answer.text().iter().map(report).collect()
    }

    /// Calls the script's `observe(proxy, text)` in a hook of the observer, or evaluates the text there if there is no such
    /// function; returns the `repr` of what that gives.
    pub fn observe(&self, text: &str) -> String {
        self.observer.borrow_mut().query(text).expect("the observer's answer").value()
    }

    /// Waits until the backends are so: (`connected_clients`, `user:count` of idle ones).
    #[track_caller]
    pub fn wait_for(&self, expected: &[(u64, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(clients, users)| Report::new(*clients, users)).collect();
        let reached = eventually(PATIENCE, || self.report() == expected);
        assert!(reached, "pools: {:?}\nexpected {expected:?}", self.report());
    }

    /// Waits until `connected_clients` of the backends are these, whatever is idle.
    #[track_caller]
    pub fn wait_for_clients(&self, expected: &[u64]) {
        let clients = || self.report().iter().map(|report| report.clients).collect::<Vec<_>>();
        let reached = eventually(PATIENCE, || clients() == expected);
        assert!(reached, "counters: {:?}\nexpected {expected:?}", clients());
    }
}

/// Serves a logged-in connection: COM_CHANGE_USER is accepted at once, anything else gets `answer`.
pub fn serve_pooled(
    conn: &mut ServerConn,
    answer: impl Fn(&[u8]) -> Vec<Vec<u8>>,
) -> io::Result<()> {
    conn.serve(|command| match command.first() {
        Some(&COM_CHANGE_USER) => vec![testkit::proto::ok_err::plain_ok()],
        _ => answer(command),
    })
}

/// A scripted server that lets everybody in and answers every query with `name` and the number of the connection:
/// `a0`, `a1`.
pub fn numbered_server(name: &'static str) -> RawServer {
    RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        let value = format!("{name}{}", conn.number());
        serve_pooled(conn, |_| resultset::one_cell("v", &value))
    })
}

/// The texts of the queries that reached a connection.
pub fn queries(seen: &Seen) -> Vec<String> {
    let texts = seen.commands().into_iter().filter_map(|command| command.strip_prefix(&[0x03]));
    texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// The id of the server connection that a client uses.
pub fn server_id(client: &mut RawClient) -> String {
    client.query("SELECT CONNECTION_ID()").expect("an answer").value()
}
