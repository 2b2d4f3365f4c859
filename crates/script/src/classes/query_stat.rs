//! One statement of `proxy.globals.query_stats`.

use metrics::top::Entry;
use pyo3::prelude::*;

use crate::text;

/// What a statement took: a value, safe to keep. The numbers are those since `first_seen`.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct QueryStat(Entry);

impl QueryStat {
    /// These numbers.
    pub fn new(entry: Entry) -> Self {
        Self(entry)
    }
}

#[pymethods]
impl QueryStat {
    /// The number of the statement, in hexadecimal digits: the same in every proxy.
    #[getter]
    fn digest(&self) -> String {
        format!("{:016x}", self.0.digest)
    }

    /// The statement without its values: `SELECT a FROM t WHERE id = ?`. For people: decide nothing by it.
    #[getter]
    fn fingerprint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.texts.fingerprint)
    }

    /// How it looked when it came first, 1024 bytes at most.
    #[getter]
    fn example<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.texts.example)
    }

    /// Whether the example is only a beginning.
    #[getter]
    fn example_is_cut(&self) -> bool {
        self.0.texts.is_cut
    }

    /// How often it came.
    #[getter]
    fn calls(&self) -> u64 {
        self.0.calls
    }

    /// How often it failed.
    #[getter]
    fn errors(&self) -> u64 {
        self.0.errors
    }

    /// Rows that clients got of it.
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }

    /// The bytes of these rows.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The time that it took in all, in seconds.
    #[getter]
    fn seconds(&self) -> f64 {
        self.0.time.as_secs_f64()
    }

    /// The shortest call, in seconds.
    #[getter]
    fn min_seconds(&self) -> f64 {
        self.0.shortest().as_secs_f64()
    }

    /// The longest call, in seconds.
    #[getter]
    fn max_seconds(&self) -> f64 {
        self.0.max.as_secs_f64()
    }

    /// When it came first, as Unix time.
    #[getter]
    fn first_seen(&self) -> f64 {
        self.0.first_at.as_secs_f64()
    }

    /// When it came last, as Unix time.
    #[getter]
    fn last_seen(&self) -> f64 {
        self.0.last_at.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<pyproxy.QueryStat {} {} calls>", self.digest(), self.0.calls)
    }
}
