//! What a hook returned, as a verdict (`docs/scripting.md#hooks`).

use engine::{Ask, Hook, Verdict};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

use crate::answers::{Answer, Send};
use crate::classes::injection::Injection;
use crate::classes::proxy::Proxy;
use crate::classes::resultset::Resultset;
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

/// `PROXY_GREET`.
pub const GREET: i64 = 5;

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
        return value(ask, proxy, returned);
    }
    match (returned.extract().unwrap_or(i64::MAX), ask.hook()) {
        (NO_DECISION, _) => Ok(Verdict::Proceed),
        (SEND_QUERY, ReadAuth | ReadQuery) => Ok(Verdict::SendQuery),
        (SEND_RESULT, hook) if hook != DisconnectClient => response(proxy),
        (IGNORE_RESULT, ConnectServer | ReadQueryResult | DisconnectClient) => {
            Ok(Verdict::IgnoreResult)
        }
        (GREET, ConnectServer) => Ok(Verdict::Greet),
        _ => Err(Failure::invalid(returned)),
    }
}

/// Sends `proxy.response`.
fn response(proxy: &Bound<'_, Proxy>) -> Result<Verdict, Failure> {
    let Some(response) = proxy.get().own_response() else { return Ok(Verdict::Proceed) };
    let encode = || {
        let context = proxy.get().context()?;
        reply::encode(response.fields(proxy.py()), context).map(Verdict::SendResult)
    };
    encode().map_err(|error| Failure::BadAnswer("PROXY_SEND_RESULT, but proxy.response", error))
}

/// A value of [`crate::answers`], or a result.
fn value(
    ask: &Ask,
    proxy: &Bound<'_, Proxy>,
    returned: &Bound<'_, PyAny>,
) -> Result<Verdict, Failure> {
    if is_result_of(ask, returned) {
        return Ok(Verdict::Proceed);
    }
    if let Ok(result) = returned.cast::<Resultset>()
        && matches!(ask.hook(), Hook::ReadQuery | Hook::ReadQueryResult)
        && let Some(result) = result.get().whole()
    {
        return proxy
            .get()
            .check_answer(result)
            .map(|()| Verdict::SendKept(result.clone()))
            .map_err(|error| Failure::BadAnswer("a result, which", error));
    }
    if let Some(answer) = Answer::of(returned)
        && may_answer(ask.hook(), &answer)
    {
        let encode = || answer.encode(proxy.get().context()?).map(Verdict::SendResult);
        return encode().map_err(|error| Failure::BadAnswer(answer.name(), error));
    }
    if let Ok(send) = returned.cast::<Send>()
        && ask.hook() == Hook::ReadQuery
    {
        let what = send.get().what(send.py());
        return proxy
            .get()
            .encode_command(what, None)
            .map(Verdict::Forward)
            .map_err(|error| Failure::BadAnswer("pyproxy.Send, which", error));
    }
    Err(Failure::invalid(returned))
}

/// Whether it is what the hook was asked about.
fn is_result_of(ask: &Ask, returned: &Bound<'_, PyAny>) -> bool {
    let Ask::Result(slot) = ask else { return false };
    let is_injection = |inj: &Bound<'_, Injection>| inj.get().slot().is_same(slot);
    let is_resultset = |result: &Bound<'_, Resultset>| result.get().is_answer_to(slot);
    returned.cast().is_ok_and(is_injection) || returned.cast().is_ok_and(is_resultset)
}

fn may_answer(hook: Hook, answer: &Answer<'_, '_>) -> bool {
    match hook {
        Hook::ReadQuery | Hook::ReadQueryResult => true,
        Hook::DisconnectClient => false,
        _ => matches!(answer, Answer::Error(_)),
    }
}
