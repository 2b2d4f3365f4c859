//! `inj`: a queued query and its result, the argument of `read_query_result`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyTuple};

use super::access;
use super::resultset::Resultset;
use engine::Slot;

/// A queued query whose result is complete. Usable until `read_query_result` returns.
#[pyclass(frozen, weakref, module = "pyproxy")]
pub struct Injection {
    slot: Slot<engine::Injection>,
    resultset: PyOnceLock<Py<Resultset>>,
    resultsets: PyOnceLock<Py<PyTuple>>,
}

impl Injection {
    /// The injection in `slot`.
    pub fn new(slot: Slot<engine::Injection>) -> Self {
        Self { slot, resultset: PyOnceLock::new(), resultsets: PyOnceLock::new() }
    }

    /// Where the injection is.
    pub fn slot(&self) -> &Slot<engine::Injection> {
        &self.slot
    }

    fn read<R>(&self, f: impl FnOnce(&engine::Injection) -> R) -> PyResult<R> {
        access::read(&self.slot, "the injection", f)
    }
}

#[pymethods]
impl Injection {
    /// The number given to `queries.append`.
    #[getter]
    fn id(&self) -> PyResult<i64> {
        self.read(|injection| injection.query.id)
    }

    /// The queued packet, command byte included.
    #[getter]
    fn query<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.read(|injection| PyBytes::new(py, &injection.query.packet))
    }

    /// Microseconds from queueing until the first packet of the result.
    #[getter]
    fn query_time(&self) -> PyResult<Option<u64>> {
        self.read(|injection| injection.micros_until(injection.first_packet_at))
    }

    /// Microseconds from queueing until the last packet of the result.
    #[getter]
    fn response_time(&self) -> PyResult<Option<u64>> {
        self.read(|injection| injection.micros_until(injection.last_packet_at))
    }

    /// The result.
    #[getter]
    fn resultset(&self, py: Python<'_>) -> PyResult<Py<Resultset>> {
        self.read(|_| ())?;
        let resultset = self
            .resultset
            .get_or_try_init(py, || Py::new(py, Resultset::new(self.slot.clone())))?;
        Ok(resultset.clone_ref(py))
    }

    /// The results of the answer one by one, each with counters of its own: a tuple. Empty if it was not kept.
    #[getter]
    fn resultsets(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        self.read(|_| ())?;
        let all = self.resultsets.get_or_try_init(py, || -> PyResult<_> {
            let each = Resultset::each(&self.slot)?;
            let each: PyResult<Vec<_>> = each.into_iter().map(|one| Py::new(py, one)).collect();
            Ok(PyTuple::new(py, each?)?.unbind())
        })?;
        Ok(all.clone_ref(py))
    }

    fn __repr__(&self) -> String {
        match self.id() {
            Ok(id) => format!("<pyproxy.Injection {id}>"),
            Err(_) => "<pyproxy.Injection (gone)>".to_owned(),
        }
    }
}
