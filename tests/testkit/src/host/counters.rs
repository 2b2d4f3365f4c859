//! Reads the plugin's backends through the script: state and `connected_clients`.
//!
//! The reading connection is answered by the script from the start (a made-up handshake, no
//! server), so that it counts nowhere and works while every backend is down. It is told apart by a
//! flag file that exists only while it connects: read counters when no other client connects.

use std::fs;
use std::path::Path;

use super::Host;
use crate::client::RawClient;
use crate::server::greeting::Greeting;
use crate::wait::{PATIENCE, eventually};

/// Name of the flag file in the host's folder.
pub(super) const FLAG: &str = "counting";

const QUESTION: &str = "SELECT pyproxy_backends";

const HOOKS: &str = r#"

# --- testkit: answers a connection that is made while the flag file exists
import os as _tk_os

_tk_reading = set()
_tk_user = {_name: globals().get(_name) for _name in (
    "connect_server", "read_auth", "read_query", "disconnect_client")}


def _tk_key(proxy):
    return proxy.connection.client.src.name


def _tk_or_user(name, reading):
    def hook(proxy, *rest):
        if _tk_key(proxy) in _tk_reading:
            return reading(proxy)
        if _tk_user[name] is not None:
            return _tk_user[name](proxy, *rest)
    return hook


def _tk_backends(proxy):
    rows = [(b.dst.name, b.state, b.type, b.connected_clients) for b in proxy.globals.backends]
    names = ("address", "state", "type", "connected_clients")
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {
            "fields": [(name, proxy.MYSQL_TYPE_STRING) for name in names],
            "rows": rows,
        },
    }
    return proxy.PROXY_SEND_RESULT


def connect_server(proxy):
    if _tk_os.path.exists(_TK_FLAG):
        _tk_reading.add(_tk_key(proxy))
        proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": [_TK_GREETING]}
        return proxy.PROXY_SEND_RESULT
    _tk_reading.discard(_tk_key(proxy))
    if _tk_user["connect_server"] is not None:
        return _tk_user["connect_server"](proxy)


read_auth = _tk_or_user("read_auth", lambda proxy: None)
read_query = _tk_or_user("read_query", _tk_backends)
disconnect_client = _tk_or_user("disconnect_client", lambda proxy: None)
"#;

/// One backend as the plugin's script sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Address name.
    pub address: String,
    /// `BACKEND_STATE_*` of the host.
    pub state: u32,
    /// `BACKEND_TYPE_*` of the host.
    pub kind: u32,
    /// Number of connections that use it.
    pub connected_clients: u64,
}

/// BACKEND_STATE_UNKNOWN: not tried yet, or again eligible after it was down.
pub const STATE_UNKNOWN: u32 = 0;
/// BACKEND_STATE_UP.
pub const STATE_UP: u32 = 1;
/// BACKEND_STATE_DOWN.
pub const STATE_DOWN: u32 = 2;

/// The hooks as Python source, to be appended to a script.
pub(super) fn script(flag: &Path) -> String {
    let greeting = Greeting::default().payload();
    let bytes: String = greeting.iter().map(|byte| format!("{byte:02x}")).collect();
    let flag = flag.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\n_TK_FLAG = \"{flag}\"\n_TK_GREETING = bytes.fromhex(\"{bytes}\")\n{HOOKS}")
}

impl Host {
    /// The backends as the plugin sees them. Needs `with_counters`.
    ///
    /// # Panics
    /// If the script does not answer.
    pub fn counters(&self) -> Vec<Backend> {
        let flag = self.file(FLAG);
        fs::write(&flag, "").expect("the flag file");
        let login = crate::mariadb::MariaDb::user();
        let client = RawClient::login(self.address(), &login);
        fs::remove_file(&flag).expect("the flag file was there");
        let mut client = client.unwrap_or_else(|error| panic!("counters: {error}"));
        let rows = client.query(QUESTION).expect("an answer").text();
        let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("a number: {text}"));
        rows.iter()
            .map(|row| Backend {
                address: row[0].clone(),
                state: row[1].parse().expect("a state"),
                kind: row[2].parse().expect("a type"),
                connected_clients: number(&row[3]),
            })
            .collect()
    }

    /// `connected_clients` of each backend.
    ///
    /// # Panics
    /// See [`Host::counters`].
    pub fn connected_clients(&self) -> Vec<u64> {
        self.counters().iter().map(|backend| backend.connected_clients).collect()
    }

    /// Waits until `connected_clients` of the backends are these numbers.
    ///
    /// # Panics
    /// If they do not become so.
    pub fn wait_for_clients(&self, expected: &[u64]) {
        let reached = eventually(PATIENCE, || self.connected_clients() == expected);
        assert!(reached, "counters: {:?}, expected {expected:?}", self.counters());
    }
}
