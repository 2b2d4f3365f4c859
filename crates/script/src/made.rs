//! An answer that a script made, as one that is in front of it in a stack gets to see it: as the result of its query.

use std::time::Instant;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::answers::Answer;
use crate::classes::command::Command;
use crate::classes::injection::Injection;
use crate::classes::proxy::Proxy;
use crate::classes::queries::Queries;
use crate::classes::resultset::Resultset;
use crate::reply::{self, Context, RowForm};
use crate::waiting;
use engine::{Query, Slot};

/// The payloads of a value that a hook returned, or without one of `proxy.response`, as the answer to a command. In a hook of its
/// connection only.
#[pyfunction]
#[pyo3(signature = (proxy, command, answer=None, /))]
fn encode_answer<'py>(
    py: Python<'py>,
    proxy: &Bound<'py, Proxy>,
    command: u8,
    answer: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let proxy = proxy.get();
    let context = Context { rows: RowForm::of(Some(command)), ..proxy.context()? };
    let reply = match answer {
        Some(answer) => {
            if let Some(result) =
                answer.cast::<Resultset>().ok().and_then(|result| result.get().whole())
            {
                Proxy::check_answer_to(Some(command), result)?;
            }
            let answer = Answer::of(answer);
            answer.ok_or_else(|| PyTypeError::new_err("this is no answer"))?.encode(context)?
        }
        None => {
            let response = proxy.own_response().map(|response| response.fields(py));
            reply::encode(response.ok_or_else(|| PyValueError::new_err("no response"))?, context)?
        }
    };
    PyList::new(py, reply.packets().iter().map(|payload| PyBytes::new(py, payload)))
}

/// The query and its complete answer in payloads, as the client of this proxy reads them.
#[pyfunction]
#[pyo3(signature = (proxy, query, answer, /))]
fn made_result(
    proxy: &Bound<'_, Proxy>,
    query: &[u8],
    answer: Vec<Bound<'_, PyBytes>>,
) -> PyResult<Injection> {
    let capabilities = proxy.get().context()?.capabilities;
    let query = Query::new(0, query.to_vec(), true, Instant::now())
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let answer = answer.iter().map(|payload| payload.as_bytes());
    let injection = engine::Injection::answered(query, answer, capabilities).map_err(|error| {
        PyValueError::new_err(format!("the packets of proxy.response are no answer: {error}"))
    })?;
    Ok(Injection::new(Slot::new(injection)))
}

/// The `proxy.command` of a command that a script made. In a hook of its connection only.
#[pyfunction]
#[pyo3(signature = (proxy, packet, /))]
fn made_command(proxy: &Bound<'_, Proxy>, packet: &Bound<'_, PyBytes>) -> PyResult<Command> {
    proxy.get().other_command(packet)
}

/// The packet of what `pyproxy.Send` has, in place of a command. In a hook of its connection only.
#[pyfunction]
#[pyo3(signature = (proxy, what, command, /))]
fn encode_command<'py>(
    proxy: &Bound<'py, Proxy>,
    what: &Bound<'py, PyAny>,
    command: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(proxy.py(), &proxy.get().encode_command(what, Some(command))?))
}

/// The packet that `proxy.query(what)` would run now; what forbids that is raised.
#[pyfunction]
#[pyo3(signature = (proxy, what, /))]
fn checked_query<'py>(
    proxy: &Bound<'py, Proxy>,
    what: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(proxy.py(), &proxy.get().checked_query(what)?))
}

/// What is queued: tuples of id, packet, `resultset_is_needed` and `failure_is_needed`.
#[pyfunction]
#[pyo3(signature = (queries, /))]
fn queued<'py>(queries: &Bound<'py, Queries>) -> PyResult<Bound<'py, PyList>> {
    let py = queries.py();
    let list = PyList::empty(py);
    for query in queries.get().queued()? {
        let packet = PyBytes::new(py, &query.packet);
        list.append((query.id, packet, query.resultset_is_needed, query.failure_is_needed))?;
    }
    Ok(list)
}

/// The query that has this result, or that this is a part of the answer to.
#[pyfunction]
#[pyo3(signature = (result, /))]
fn injection_of(result: &Bound<'_, Resultset>) -> Injection {
    Injection::new(result.get().slot().clone())
}

/// Whether this is the thread of the event loop that runs hooks which wait.
#[pyfunction]
fn is_event_loop() -> bool {
    waiting::is_loop_thread()
}

/// Whether the hook whose coroutine calls this was told to end.
#[pyfunction]
fn hook_is_cancelled(py: Python<'_>) -> bool {
    waiting::is_cancelled(py)
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(encode_command, module)?)?;
    module.add_function(wrap_pyfunction!(made_command, module)?)?;
    module.add_function(wrap_pyfunction!(checked_query, module)?)?;
    module.add_function(wrap_pyfunction!(queued, module)?)?;
    module.add_function(wrap_pyfunction!(injection_of, module)?)?;
    module.add_function(wrap_pyfunction!(is_event_loop, module)?)?;
    module.add_function(wrap_pyfunction!(hook_is_cancelled, module)?)?;
    module.add_function(wrap_pyfunction!(encode_answer, module)?)?;
    module.add_function(wrap_pyfunction!(made_result, module)?)
}
