//! What a hook returned, as a verdict (`docs/scripting.md#hooks`).

use engine::{Ask, Hook, Verdict};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

use crate::classes::proxy::Proxy;
use crate::failure::Failure;
use crate::reply;

/// `PROXY_NO_DECISION`; `None` means the same.
pub const NO_DECISION: i64 = 0;
/// `PROXY_SEND_QUERY`.
pub const SEND_QUERY: i64 = 1;
/// `PROXY_SEND_RESULT`.
pub const SEND_RESULT: i64 = 2;
/// `PROXY_IGNORE_RESULT`.
pub const IGNORE_RESULT: i64 = 4;

/// What `returned` means, for the hook that was asked: at once, or when a coroutine has ended. The hook is the one of the
/// connection of `proxy` that the engine waits for.
///
/// A bool is no decision, though Python counts it as an integer: no documented decision is `True`.
pub fn verdict(
    ask: &Ask,
    proxy: &Bound<'_, Proxy>,
    returned: &Bound<'_, PyAny>,
) -> Result<Verdict, Failure> {
    use Hook::{ConnectServer, DisconnectClient, ReadAuth, ReadQuery, ReadQueryResult};
    if returned.is_none() {
        return Ok(Verdict::Proceed);
    }
    if returned.is_instance_of::<PyBool>() || !returned.is_instance_of::<PyInt>() {
        return Err(Failure::invalid(returned));
    }
    match (returned.extract().unwrap_or(i64::MAX), ask.hook()) {
        (NO_DECISION, _) => Ok(Verdict::Proceed),
        (SEND_QUERY, ReadAuth | ReadQuery) => Ok(Verdict::SendQuery),
        (SEND_RESULT, hook) if hook != DisconnectClient => response(proxy),
        (IGNORE_RESULT, ConnectServer | ReadQueryResult | DisconnectClient) => {
            Ok(Verdict::IgnoreResult)
        }
        _ => Err(Failure::invalid(returned)),
    }
}

/// Sends `proxy.response`.
fn response(proxy: &Bound<'_, Proxy>) -> Result<Verdict, Failure> {
    let Some(response) = proxy.get().own_response() else { return Ok(Verdict::Proceed) };
    let encode = || {
        reply::encode(response.fields(proxy.py()), proxy.get().context()?).map(Verdict::SendResult)
    };
    encode().map_err(|error| Failure::BadAnswer("PROXY_SEND_RESULT, but proxy.response", error))
}
