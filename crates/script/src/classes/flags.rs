//! `resultset.flags`: the status a server sent with a result.

use pyo3::prelude::*;
use wire::reply::StatusFlags;

/// What the server said about the session at the end of a result: a value, safe to keep.
#[pyclass(frozen, eq, hash, module = "pyproxy")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Flags(StatusFlags);

impl Flags {
    /// Of a status field.
    pub fn new(status: StatusFlags) -> Self {
        Self(status)
    }
}

#[pymethods]
impl Flags {
    /// A transaction is open.
    #[getter]
    fn in_trans(&self) -> bool {
        self.0.contains(StatusFlags::IN_TRANS)
    }

    /// Autocommit is on.
    #[getter]
    fn auto_commit(&self) -> bool {
        self.0.contains(StatusFlags::AUTOCOMMIT)
    }

    /// A backslash in a string is a character like others: the `sql_mode` has `NO_BACKSLASH_ESCAPES`.
    #[getter]
    fn no_backslash_escapes(&self) -> bool {
        self.0.contains(StatusFlags::NO_BACKSLASH_ESCAPES)
    }

    /// The query found no good index.
    #[getter]
    fn no_good_index_used(&self) -> bool {
        self.0.contains(StatusFlags::NO_GOOD_INDEX_USED)
    }

    /// The query used no index.
    #[getter]
    fn no_index_used(&self) -> bool {
        self.0.contains(StatusFlags::NO_INDEX_USED)
    }

    /// The status field itself.
    fn __int__(&self) -> u16 {
        self.0.bits()
    }

    fn __repr__(&self) -> String {
        format!(
            "<pyproxy.Flags in_trans={} auto_commit={} no_good_index_used={} no_index_used={}>",
            self.in_trans(),
            self.auto_commit(),
            self.no_good_index_used(),
            self.no_index_used()
        )
    }
}
