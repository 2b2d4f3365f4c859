//! `connection.wait_for_backend`: a hook that waits stands in line for an idle connection.

use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use super::event_loop::EventLoop;
use super::lent;
use crate::classes::access;
use engine::{Notify, Session, Shared, Slot};

/// A future of the index of the backend that has an idle connection for the client of the coroutine which calls this.
pub fn wait_for_backend<'py>(
    py: Python<'py>,
    session: &Slot<Session>,
    shared: &Arc<Shared>,
    backends: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    if lent::current(py).is_none_or(|call| !call.session().is_same(session)) {
        return Err(PyRuntimeError::new_err(
            "wait_for_backend can be awaited in a hook of its own connection that is an async def",
        ));
    }
    if let Some(ndx) = backends.iter().find(|ndx| **ndx >= shared.backends.len()) {
        return Err(PyValueError::new_err(format!("there is no backend {ndx}")));
    }
    let event_loop = EventLoop::get(py)?;
    let future = event_loop.python(py).call_method0(intern!(py, "create_future"))?;
    let notify = told(event_loop, future.clone().unbind());
    let ticket =
        access::change(session, |session| session.stand_in_line(shared, backends, notify))?;
    let ticket = ticket.ok_or_else(|| {
        PyRuntimeError::new_err("wait_for_backend needs a client that is logged in")
    })?;
    let session = session.clone();
    let done = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
        let future = args.get_item(0)?;
        let is_given_up = future.call_method0(intern!(args.py(), "cancelled"))?.is_truthy()?;
        if is_given_up && let Some(mut session) = session.lock() {
            session.leave_line(ticket);
        }
        Ok(())
    };
    let done = PyCFunction::new_closure(py, None, None, done)?;
    future.call_method1(intern!(py, "add_done_callback"), (done,))?;
    Ok(future)
}

/// What has the loop tell the future.
fn told(event_loop: &'static EventLoop, future: Py<PyAny>) -> Notify {
    Box::new(move |ndx| {
        event_loop.post(Box::new(move |py| {
            if let Err(error) = tell(future.bind(py), ndx) {
                error.write_unraisable(py, None);
            }
        }));
    })
}

fn tell(future: &Bound<'_, PyAny>, ndx: usize) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    future.call_method1(intern!(py, "set_result"), (ndx,)).map(drop)
}
