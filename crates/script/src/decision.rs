//! What a hook returned, as a verdict (`docs/scripting.md#hooks`).

use engine::{Hook, Verdict};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

/// `PROXY_NO_DECISION`; `None` means the same.
pub const NO_DECISION: i64 = 0;
/// `PROXY_SEND_QUERY`.
pub const SEND_QUERY: i64 = 1;
/// `PROXY_SEND_RESULT`.
pub const SEND_RESULT: i64 = 2;
/// `PROXY_IGNORE_RESULT`.
pub const IGNORE_RESULT: i64 = 4;

/// Reads what `hook` returned; `None` if it may not return that. `send_result` makes the verdict that sends
/// `proxy.response`.
///
/// A bool is no decision, though Python counts it as an integer: no documented decision is `True`.
pub fn verdict<E>(
    hook: Hook,
    returned: &Bound<'_, PyAny>,
    send_result: impl FnOnce() -> Result<Verdict, E>,
) -> Result<Option<Verdict>, E> {
    use Hook::{ConnectServer, DisconnectClient, ReadAuth, ReadQuery, ReadQueryResult};
    if returned.is_none() {
        return Ok(Some(Verdict::Proceed));
    }
    if returned.is_instance_of::<PyBool>() || !returned.is_instance_of::<PyInt>() {
        return Ok(None);
    }
    Ok(match (returned.extract().unwrap_or(i64::MAX), hook) {
        (NO_DECISION, _) => Some(Verdict::Proceed),
        (SEND_QUERY, ReadAuth | ReadQuery) => Some(Verdict::SendQuery),
        (SEND_RESULT, hook) if hook != DisconnectClient => Some(send_result()?),
        (IGNORE_RESULT, ConnectServer | ReadQueryResult | DisconnectClient) => {
            Some(Verdict::IgnoreResult)
        }
        _ => None,
    })
}
