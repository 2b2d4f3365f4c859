//! One token as an object.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sqltok::legacy;

use super::place::Place;
use crate::data;

/// One token of a query.
#[pyclass(frozen, module = "pyproxy.tokenizer")]
#[derive(Debug)]
pub struct Token {
    pub(super) sql: Py<PyBytes>,
    pub(super) place: Place,
}

impl Token {
    /// The bytes of its query that it was made from.
    pub(super) fn raw_bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        self.place.raw(self.sql.as_bytes(py))
    }

    /// The same for `sqltok`.
    pub(super) fn scanned<'a>(&'a self, py: Python<'a>) -> legacy::Token<'a> {
        // The place means nothing where tokens of several queries meet.
        let text = self.place.text(self.sql.as_bytes(py));
        legacy::Token { id: self.place.id, text, span: 0..0 }
    }
}

#[pymethods]
impl Token {
    /// Its text, without outer quotes and comment marks; doubled quotes are single, escapes are kept.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        data::decode(py, &self.place.text(self.sql.as_bytes(py)))
    }

    /// The bytes of the query it was made from, with quotes and comment marks.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.raw_bytes(py))
    }

    /// Its id, 0 to 261: an index of TOKEN_NAMES.
    #[getter]
    fn token_id(&self) -> u16 {
        self.place.id.value()
    }

    /// The name of its id, such as "TK_SQL_SELECT".
    #[getter]
    fn token_name(&self) -> &'static str {
        self.place.id.name()
    }

    /// Where `raw` begins and ends in the query, in bytes.
    #[getter]
    fn span(&self) -> (u32, u32) {
        (self.place.start, self.place.end)
    }

    fn __eq__(&self, other: &Self, py: Python<'_>) -> bool {
        self.place == other.place && self.raw_bytes(py) == other.raw_bytes(py)
    }

    fn __hash__(&self, py: Python<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.place, self.raw_bytes(py)).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Token {} {}>", self.place.id, self.text(py)?.repr()?))
    }
}
