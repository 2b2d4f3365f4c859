//! `resultset.session_changes`: what a server reported of its session with an answer.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::text;

/// What changed in the session on a server, as it reported with an answer: a value, safe to keep.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct SessionChanges(wire::reply::SessionChanges);

impl SessionChanges {
    /// Of one answer.
    pub fn new(changes: wire::reply::SessionChanges) -> Self {
        Self(changes)
    }
}

/// Text, if there is any.
fn optional<'py>(py: Python<'py>, bytes: &Option<Vec<u8>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    bytes.as_ref().map(|bytes| text::to_str(py, bytes)).transpose()
}

#[pymethods]
impl SessionChanges {
    /// The system variables that were set, with their values.
    #[getter]
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let variables = PyDict::new(py);
        for (name, value) in &self.0.variables {
            variables.set_item(text::to_str(py, name)?, text::to_str(py, value)?)?;
        }
        Ok(variables)
    }

    /// The default database; empty if it is gone, None if it is as before.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional(py, &self.0.schema)
    }

    /// Whether anything changed, whatever it is.
    #[getter]
    fn state(&self) -> bool {
        self.0.state
    }

    /// The ids of the transactions that ended, as MySQL reports them (`session_track_gtids`); None if none did. MariaDB's are in
    /// `variables["last_gtid"]`.
    #[getter]
    fn gtids<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional(py, &self.0.gtids)
    }

    /// The statements that make the next transaction what it is to be; empty if it is a usual one, None if that is as before.
    #[getter]
    fn characteristics<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional(py, &self.0.characteristics)
    }

    /// The state of the transaction: eight letters, `_` for each thing that is not so; None if it is as before.
    #[getter]
    fn transaction<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        optional(py, &self.0.transaction)
    }

    fn __repr__(&self) -> String {
        let shown = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let names = self.0.variables.iter().map(|(name, _)| String::from_utf8_lossy(name));
        format!(
            "<pyproxy.SessionChanges variables={:?} schema={:?} state={} transaction={:?}>",
            names.collect::<Vec<_>>(),
            shown(&self.0.schema),
            self.0.state,
            shown(&self.0.transaction)
        )
    }
}
