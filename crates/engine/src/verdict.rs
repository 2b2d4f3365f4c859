//! What a hook of a script decided.

use crate::Reply;

/// The decision of one hook call, checked against what that hook may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// `None`: go on as if there were no hook.
    Proceed,
    /// `PROXY_SEND_QUERY`: run the queue.
    SendQuery,
    /// `PROXY_SEND_RESULT`: send `proxy.response`, encoded here.
    SendResult(Reply),
    /// `PROXY_IGNORE_RESULT`.
    IgnoreResult,
    /// The hook raised, returned something else, or its response cannot be encoded. Already logged.
    Failed,
}
