//! What a hook of a script decided.

use crate::{Injection, Reply, Slot};

/// The decision of one hook call, checked against what that hook may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// `None`: go on as if there were no hook.
    Proceed,
    /// `PROXY_SEND_QUERY`: run the queue.
    SendQuery,
    /// `PROXY_SEND_RESULT`: send `proxy.response`, encoded here.
    SendResult(Reply),
    /// Send the result of a query that the script ran, as it came. Only from hooks about commands.
    SendKept(Slot<Injection>),
    /// `PROXY_IGNORE_RESULT`.
    IgnoreResult,
    /// The hook raised, returned something else, or its response cannot be encoded. Already logged.
    Failed,
}
