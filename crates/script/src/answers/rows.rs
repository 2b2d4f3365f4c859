//! `pyproxy.Rows`.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::check_iterable;
use crate::reply::{self, Context};
use engine::Reply;

/// A result set, for a hook to return.
///
/// A column is a name, whose type is found in the cells, a pair `(name, type)`, a mapping, or a field of a result. `rows` is any
/// iterable of sequences; a generator is run when the answer is sent.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Rows {
    columns: Py<PyTuple>,
    rows: Py<PyAny>,
}

impl Rows {
    /// For the client and the command of `context`.
    pub fn encode(&self, py: Python<'_>, context: Context) -> PyResult<Reply> {
        let columns = self.columns.bind(py).as_any();
        reply::encode_rows(columns, self.rows.bind(py), context.status, 0, context)
    }
}

#[pymethods]
impl Rows {
    #[new]
    #[pyo3(signature = (columns, rows))]
    fn new(columns: &Bound<'_, PyAny>, rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        check_iterable(columns, "columns", "a sequence of columns")?;
        check_iterable(rows, "rows", "an iterable of rows")?;
        let columns = columns.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        let columns = PyTuple::new(rows.py(), columns)?;
        reply::check_columns(columns.as_any())?;
        Ok(Self { columns: columns.unbind(), rows: rows.clone().unbind() })
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("columns", "rows")
    }

    /// The columns: a tuple of what was given.
    #[getter]
    fn columns(&self, py: Python<'_>) -> Py<PyTuple> {
        self.columns.clone_ref(py)
    }

    /// The rows as they were given.
    #[getter]
    fn rows(&self, py: Python<'_>) -> Py<PyAny> {
        self.rows.clone_ref(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = other.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(false) };
        let other = other.get();
        Ok(self.columns.bind(py).eq(&other.columns)? && self.rows.bind(py).eq(&other.rows)?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (columns, rows) = (self.columns.bind(py).repr()?, self.rows.bind(py).repr()?);
        Ok(format!("pyproxy.Rows({}, {})", columns.to_string_lossy(), rows.to_string_lossy()))
    }
}
