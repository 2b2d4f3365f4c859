//! What a hook of a script decided.

use crate::{Injection, Reply, Slot};

/// The decision of one hook call, checked against what that hook may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// `None`: go on as if there were no hook.
    Proceed,
    /// `PROXY_SEND_QUERY`: run the queue.
    SendQuery,
    /// `pyproxy.Send`: forward this packet in place of the client's command.
    Forward(Vec<u8>),
    /// An answer of the script: `proxy.response`, or a value that it returned, encoded here.
    SendResult(Reply),
    /// Send the result of a query that the script ran, as it came. Only from hooks about commands.
    SendKept(Slot<Injection>),
    /// `PROXY_IGNORE_RESULT`.
    IgnoreResult,
    /// `PROXY_GREET`: greet the client without a server.
    Greet,
    /// The hook raised, returned something else, or its response cannot be encoded. Already logged.
    Failed,
}
