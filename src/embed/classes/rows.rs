//! `resultset.rows`: the rows of a kept result, decoded one at a time, straight from its packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use wire::result::TextRow;

use super::{access, sequence};
use crate::embed::layout::Layout;
use crate::session::{Injection, Slot};

/// The rows of a result set, each a tuple: `str`, `bytes` for binary columns, None for NULL.
///
/// Can be iterated any number of times, while `read_query_result` runs.
#[pyclass(frozen, sequence, module = "pyproxy")]
#[derive(Debug)]
pub struct Rows {
    source: Source,
    count: usize,
}

#[derive(Debug, Clone)]
struct Source {
    slot: Slot<Injection>,
    layout: Arc<Layout>,
}

impl Rows {
    /// The rows that `layout` describes, if they are readable.
    pub fn new(slot: Slot<Injection>, layout: Arc<Layout>) -> Option<Self> {
        let count = layout.row_count()?;
        Some(Self { source: Source { slot, layout }, count })
    }
}

impl Source {
    #[inline]
    fn row<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Bound<'py, PyTuple>> {
        access::in_hook(|call| {
            let injection = self.slot.try_borrow(call).ok_or_else(|| access::gone("the result"))?;
            let payload = self.layout.row(&injection.packets, n).ok_or_else(|| malformed(n))?;
            let columns = self.layout.columns();
            let mut cells = TextRow::new(&payload);
            let mut values = Vec::with_capacity(columns.len());
            for column in columns {
                values.push(match cells.next() {
                    Some(Ok(Some(bytes))) => column.codec.decode(py, bytes)?,
                    Some(Ok(None)) => py.None().into_bound(py),
                    Some(Err(_)) | None => return Err(malformed(n)),
                });
            }
            if cells.next().is_some() {
                return Err(malformed(n));
            }
            PyTuple::new(py, values)
        })
    }
}

fn malformed(n: usize) -> PyErr {
    PyValueError::new_err(format!("row {n} of the result is malformed"))
}

#[pymethods]
impl Rows {
    fn __len__(&self) -> PyResult<usize> {
        access::read(&self.source.slot, "the result", |_| self.count)
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        sequence::get(index, self.__len__()?, |n| self.source.row(py, n))
    }

    fn __iter__(&self) -> PyResult<RowIterator> {
        self.__len__()?;
        Ok(RowIterator {
            source: self.source.clone(),
            count: self.count,
            next: AtomicUsize::new(0),
        })
    }

    fn __repr__(&self) -> String {
        format!("<pyproxy.Rows, {} of them>", self.count)
    }
}

/// A walk over the rows of a result set.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct RowIterator {
    source: Source,
    count: usize,
    next: AtomicUsize,
}

#[pymethods]
impl RowIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let n = self.next.load(Ordering::Relaxed);
        if n >= self.count {
            return Ok(None);
        }
        self.next.store(n + 1, Ordering::Relaxed);
        self.source.row(py, n).map(Some)
    }

    fn __length_hint__(&self) -> usize {
        self.count.saturating_sub(self.next.load(Ordering::Relaxed))
    }

    fn __repr__(&self) -> String {
        format!("<pyproxy.RowIterator, {} to come>", self.__length_hint__())
    }
}
