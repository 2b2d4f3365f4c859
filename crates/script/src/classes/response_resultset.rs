//! `proxy.response.resultset`: the mapping that was set, whose members can be named as attributes, too.

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString};

/// The names that mean something.
const KNOWN: [&str; 2] = ["fields", "rows"];

/// The result set that a response has: a `dict` with `fields` and `rows`, which are attributes as well.
///
/// It is a view: what is set here is set in the mapping that was assigned.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct ResponseResultset(Py<PyDict>);

impl ResponseResultset {
    /// A view of `value` if it is a `dict`, else `value` itself.
    pub fn of<'py>(value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match value.cast_into::<PyDict>() {
            Ok(fields) => Ok(Bound::new(fields.py(), Self(fields.clone().unbind()))?.into_any()),
            Err(other) => Ok(other.into_inner()),
        }
    }

    /// The mapping itself, where a view of it is handed back.
    pub fn unwrapped<'py>(value: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        match value.cast::<Self>() {
            Ok(view) => view.get().0.bind(value.py()).clone().into_any(),
            Err(_) => value.clone(),
        }
    }
}

#[pymethods]
impl ResponseResultset {
    fn __getattr__<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fields = self.0.bind(py);
        if let Some(value) = fields.get_item(name)? {
            return Ok(value);
        }
        if KNOWN.contains(&name.to_str()?) {
            return Ok(py.None().into_bound(py));
        }
        // The methods of a dict.
        fields.getattr(name)
    }

    fn __setattr__(&self, py: Python<'_>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.bind(py).set_item(name, value)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.0.bind(key.py()).as_any().get_item(key)
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.bind(key.py()).set_item(key, value)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.bind(key.py()).del_item(key)
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.0.bind(key.py()).contains(key)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.0.bind(py).len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.0.bind(py).try_iter()
    }

    fn __richcmp__<'py>(
        &self,
        other: &Bound<'py, PyAny>,
        op: CompareOp,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.bind(other.py()).rich_compare(Self::unwrapped(other), op)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.0.bind(py).repr()?.to_string_lossy().into_owned())
    }
}
