//! A host whose script does what the test says, hook by hook: many cases in one process.
//!
//! A control connection sends the bodies of hooks as Python source. They hold for all other
//! connections until they are forgotten; a hook without a body returns None.

use testkit::client::answer::Answer;
use testkit::client::handshake::Handshake;
use testkit::host::builder::Builder;
use testkit::{Host, MariaDb, Packet, RawClient};

use crate::support::*;

/// The seven hooks.
pub const HOOKS: [&str; 7] = [
    "connect_server",
    "read_handshake",
    "read_auth",
    "read_auth_result",
    "read_query",
    "read_query_result",
    "disconnect_client",
];

/// Body of `read_query` that has `read_query_result` called with the whole result.
pub const QUEUE: &str = "if argument[0] == proxy.COM_QUERY:\n    \
    proxy.queries.append(7, argument, True)\n    return proxy.PROXY_SEND_QUERY";

/// The script. A body sees `proxy`, `argument` (None where the hook has none) and `kept`, a dict
/// that lives as long as the process.
const SCRIPT: &str = r#"
import textwrap

bodies = {}
kept = {}


def obey(text):
    hook, _, body = text.partition("\n")
    if hook == "forget":
        bodies.clear()
        return
    scope = {"kept": kept, "module": globals()}
    exec("def body(proxy, argument):\n" + textwrap.indent(body, "    "), scope)
    bodies[hook] = scope["body"]


def hook(name):
    def run(proxy, argument=None):
        if name == "read_query" and argument.startswith(b"\x03plan "):
            proxy.connection.controls = True
            obey(argument[6:].decode())
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
        if name in bodies and not getattr(proxy.connection, "controls", False):
            return bodies[name](proxy, argument)

    return run


connect_server = hook("connect_server")
read_handshake = hook("read_handshake")
read_auth = hook("read_auth")
read_auth_result = hook("read_auth_result")
read_query = hook("read_query")
read_query_result = hook("read_query_result")
disconnect_client = hook("disconnect_client")
"#;

/// The host and its control connection.
#[derive(Debug)]
pub struct Remote {
    /// The host.
    pub host: Host,
    control: RawClient,
}

impl Remote {
    /// In front of the shared server.
    pub fn start() -> Self {
        Self::of(Host::builder().backend(db()))
    }

    /// A host that is otherwise as described.
    pub fn of(builder: Builder) -> Self {
        let host = builder.script(SCRIPT).start();
        let control = host.client();
        Self { host, control }
    }

    /// Gives `hook` a body.
    pub fn plan(&mut self, hook: &str, body: &str) {
        let answer = self.control.query(&format!("plan {hook}\n{body}")).unwrap();
        assert_eq!(answer.packets.len(), 1);
        assert!(!answer.packets[0].is_err(), "{hook}: {:?}\n{}", answer.outcomes, self.host.log());
    }

    /// Takes all bodies away.
    pub fn forget(&mut self) {
        self.plan("forget", "");
    }

    /// What a new client meets: login, one query.
    pub fn visit(&self, sql: &str) -> Visit {
        let mut client = self.host.connect();
        let peer = client.local_address().to_string();
        let first = client.read_packet().unwrap();
        if first.is_err() {
            client.expect_closed();
            return Visit { peer, end: End::Refused(first) };
        }
        let handshake = Handshake::parse(&first.payload).unwrap();
        client.send_packet(1, &MariaDb::user().payload(&handshake)).unwrap();
        let reply = client.read_packet().unwrap();
        if reply.is_err() {
            client.expect_closed();
            return Visit { peer, end: End::Refused(reply) };
        }
        assert_eq!((reply.id, reply.kind()), (2, Some(0)), "{reply:?}");
        let answer = client.query(sql).unwrap();
        Visit { peer, end: End::Served(answer, client) }
    }
}

/// How a visit went.
#[derive(Debug)]
pub struct Visit {
    /// The client's address.
    pub peer: String,
    /// How far it came.
    pub end: End,
}

/// How far a client came.
#[derive(Debug)]
pub enum End {
    /// An ERR in place of the handshake, or to the login, and the connection closed.
    Refused(Packet),
    /// An answer to the query.
    Served(Answer, RawClient),
}

impl Visit {
    /// The answer, and the client, if it came that far.
    pub fn served(self) -> (Answer, RawClient) {
        match self.end {
            End::Served(answer, client) => (answer, client),
            End::Refused(packet) => panic!("refused: {packet:?}"),
        }
    }

    /// The ERR packet that ended it before it could send a query.
    pub fn refused(self) -> Packet {
        match self.end {
            End::Refused(packet) => packet,
            End::Served(answer, _) => panic!("served: {:?}", answer.outcomes),
        }
    }
}

/// Body of a hook that answers with the text of a Python expression.
pub fn answering(expression: &str) -> String {
    format!(
        "proxy.response = {{\"type\": proxy.MYSQLD_PACKET_OK, \"resultset\": {{\n    \
         \"fields\": [(\"text\", proxy.MYSQL_TYPE_STRING)], \"rows\": [[str({expression})]]}}}}\n\
         return proxy.PROXY_SEND_RESULT"
    )
}
