//! `proxy.query`: a query of a hook that waits, on the connection's own server.

use std::sync::Arc;
use std::time::Instant;

use pyo3::exceptions::{PyReferenceError, PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use super::call::Call;
use super::event_loop::EventLoop;
use super::lent;
use crate::asked::FromScript;
use crate::classes::access;
use crate::classes::resultset::Resultset;
use crate::permission::Permission;
use engine::{Outcome, Query, QueryId, Session, Slot};

/// Runs `packet` on the server of the connection that is lent to the coroutine which calls this. Gives a future.
pub fn query<'py>(
    py: Python<'py>,
    session: &Slot<Session>,
    packet: Vec<u8>,
) -> PyResult<Bound<'py, PyAny>> {
    let (call, query) = checked(py, session, packet)?;
    let event_loop = EventLoop::get(py)?.python(py);
    let future = event_loop.call_method0(intern!(py, "create_future"))?;
    let id = call.begin_query(py, &future)?;
    let done = {
        let call = Arc::clone(&call);
        move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            abandoned(&call, args.py(), id)
        }
    };
    let done = PyCFunction::new_closure(py, None, None, done)?;
    future.call_method1(intern!(py, "add_done_callback"), (done,))?;
    call.tell(FromScript::Query(id, query));
    Ok(future)
}

/// What [`query`] would run, for whom. What forbids it is raised.
pub fn checked(
    py: Python<'_>,
    session: &Slot<Session>,
    packet: Vec<u8>,
) -> PyResult<(Arc<Call>, Query)> {
    let call = lent::current(py).filter(|call| call.session().is_same(session));
    let call = call.ok_or_else(|| not_here(session))?;
    let may = access::read(session, "the connection", Session::may_query)?;
    if !may {
        return Err(PyRuntimeError::new_err(
            "proxy.query needs a hook about a command, or a login that the server accepted",
        ));
    }
    let query = Query::new(0, packet, true, Instant::now())
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    if !query.is_nestable() {
        return Err(PyValueError::new_err(
            "proxy.query cannot run this command: it ends the session, begins another one, or has an answer without end",
        ));
    }
    Ok((call, query))
}

fn not_here(session: &Slot<Session>) -> PyErr {
    if Permission::is_of(session.identity()) {
        PyRuntimeError::new_err("proxy.query can be awaited in a hook that is an async def")
    } else {
        PyReferenceError::new_err(
            "proxy.query can be used only in a hook of its own connection, in the thread that runs it",
        )
    }
}

/// The future of a query is done. If the query is not, nobody waits for it any more.
fn abandoned(call: &Arc<Call>, py: Python<'_>, id: QueryId) {
    if call.end_query(py, id).is_some() && call.is_alive() {
        call.tell(FromScript::Abandoned(id));
    }
}

/// Tells the coroutine what became of a query. On the loop's thread.
pub fn resume(call: &Arc<Call>, py: Python<'_>, id: QueryId, outcome: Outcome) {
    let Some(future) = call.end_query(py, id) else { return };
    if let Err(error) = settle(future.bind(py), outcome) {
        error.write_unraisable(py, None);
    }
}

fn settle(future: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    let raise = |class: &str, text: String| {
        let error = py.import(intern!(py, "pyproxy._errors"))?.getattr(class)?.call1((text,))?;
        future.call_method1(intern!(py, "set_exception"), (error,))?;
        // Else Python complains of it if nobody waits for this query any more.
        future.call_method0(intern!(py, "exception")).map(drop)
    };
    match outcome {
        Outcome::Answered(result) => {
            let result = Bound::new(py, Resultset::new(result))?;
            future.call_method1(intern!(py, "set_result"), (result,)).map(drop)
        }
        Outcome::Sent => future.call_method1(intern!(py, "set_result"), (py.None(),)).map(drop),
        Outcome::TooLarge => {
            raise("ResultTooLarge", "the result is larger than pyproxy-max-kept-bytes".to_owned())
        }
        Outcome::Lost(why) => raise("ServerLost", why),
    }
}
