//! `resultset.rows`: the rows of a kept result, decoded one at a time, straight from its packets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use wire::binary::ValueType;
use wire::result::{BinaryRow, KeptPackets, TextRow};

use super::{access, sequence};
use crate::binary;
use crate::column::Column;
use crate::layout::Layout;
use crate::{text, typed};

/// The rows of a result set, each a tuple: `str`, `bytes` for binary columns, None for NULL.
///
/// Prepared statements give numbers as `int` and `float`, DATE, DATETIME and TIME as `datetime.date`, `.datetime` and
/// `.timedelta`; a date that Python does not have, such as that of zeros, stays `str`.
///
/// Can be iterated any number of times, while `read_query_result` runs.
#[pyclass(frozen, sequence, module = "pyproxy")]
#[derive(Debug)]
pub struct ResultRows {
    source: Source,
    count: usize,
}

#[derive(Debug, Clone)]
struct Source {
    packets: Weak<KeptPackets>,
    layout: Arc<Layout>,
    /// Cells of text are values, where their column says so.
    is_typed: bool,
}

impl ResultRows {
    /// The rows that `layout` describes, as long as the packets are there.
    pub fn new(packets: Weak<KeptPackets>, layout: Arc<Layout>) -> Self {
        let count = layout.row_count();
        Self { source: Source { packets, layout, is_typed: false }, count }
    }
}

impl Source {
    fn address(&self) -> usize {
        self.packets.as_ptr().addr()
    }

    /// Whether the packets are there, and this thread may look at them.
    fn alive(&self) -> PyResult<()> {
        let is_there = self.packets.strong_count() > 0;
        access::in_hook(self.address(), || {
            is_there.then_some(()).ok_or_else(|| access::gone("the result"))
        })
    }

    #[inline]
    fn row<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Bound<'py, PyTuple>> {
        access::in_hook(self.address(), || {
            let packets = self.packets.upgrade().ok_or_else(|| access::gone("the result"))?;
            let payload = self.layout.row(&packets, n).ok_or_else(|| malformed(n))?;
            let columns = self.layout.columns();
            let is_typed = self.is_typed;
            let values = match self.layout.binary_types() {
                None => text_cells(py, &payload, columns, is_typed),
                Some(types) => binary_cells(py, &payload, columns, types, is_typed),
            }?;
            PyTuple::new(py, values.ok_or_else(|| malformed(n))?)
        })
    }
}

/// The cells of a row; `None` if it is malformed.
type Cells<'py> = Option<Vec<Bound<'py, PyAny>>>;

#[inline]
fn text_cells<'py>(
    py: Python<'py>,
    payload: &[u8],
    columns: &[Arc<Column>],
    is_typed: bool,
) -> PyResult<Cells<'py>> {
    let mut cells = TextRow::new(payload);
    let mut values = Vec::with_capacity(columns.len());
    for column in columns {
        values.push(match cells.next() {
            Some(Ok(Some(bytes))) if is_typed => typed::from_text(py, bytes, column)?,
            Some(Ok(Some(bytes))) => column.codec.decode(py, bytes)?,
            Some(Ok(None)) => py.None().into_bound(py),
            Some(Err(_)) | None => return Ok(None),
        });
    }
    Ok(cells.next().is_none().then_some(values))
}

fn binary_cells<'py>(
    py: Python<'py>,
    payload: &[u8],
    columns: &[Arc<Column>],
    types: &[ValueType],
    is_typed: bool,
) -> PyResult<Cells<'py>> {
    let Ok(cells) = BinaryRow::parse(payload, types) else { return Ok(None) };
    let mut values = Vec::with_capacity(columns.len());
    for (column, cell) in columns.iter().zip(cells) {
        let Ok(cell) = cell else { return Ok(None) };
        let decode = if is_typed { typed::from_binary } else { binary::decode };
        values.push(decode(py, cell, column)?);
    }
    Ok(Some(values))
}

fn malformed(n: usize) -> PyErr {
    PyValueError::new_err(format!("row {n} of the result is malformed"))
}

#[pymethods]
impl ResultRows {
    fn __len__(&self) -> PyResult<usize> {
        self.source.alive().map(|()| self.count)
    }

    fn __getitem__<'py>(&self, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = index.py();
        sequence::get(index, self.__len__()?, |n| self.source.row(py, n))
    }

    fn __iter__(&self) -> PyResult<RowIterator> {
        self.__len__()?;
        Ok(RowIterator {
            source: self.source.clone(),
            names: None,
            count: self.count,
            next: AtomicUsize::new(0),
        })
    }

    /// An iterator of the rows as dicts, with the names of the columns. Of two columns of one name it has the last.
    fn dicts(&self, py: Python<'_>) -> PyResult<RowIterator> {
        let names =
            self.source.layout.columns().iter().map(|column| text::to_str(py, &column.name));
        let names = PyTuple::new(py, names.collect::<PyResult<Vec<_>>>()?)?;
        Ok(RowIterator { names: Some(names.unbind()), ..self.__iter__()? })
    }

    /// The same rows with Python values for text, too: `int`, `float`, `decimal.Decimal`, `datetime.date`, `.datetime` and
    /// `.timedelta`, as the types of the columns say. What Python has no value for stays `str`.
    fn typed(&self) -> PyResult<Self> {
        self.__len__()?;
        Ok(Self { source: Source { is_typed: true, ..self.source.clone() }, count: self.count })
    }

    fn __repr__(&self) -> String {
        format!("<pyproxy.ResultRows, {} of them>", self.count)
    }
}

/// A walk over the rows of a result set.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct RowIterator {
    source: Source,
    /// The names of the columns, if the rows are to be dicts.
    names: Option<Py<PyTuple>>,
    count: usize,
    next: AtomicUsize,
}

#[pymethods]
impl RowIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let n = self.next.load(Ordering::Relaxed);
        if n >= self.count {
            // The end is an end only as long as there is a result.
            self.source.alive()?;
            return Ok(None);
        }
        self.next.store(n + 1, Ordering::Relaxed);
        let row = self.source.row(py, n)?;
        let Some(names) = &self.names else { return Ok(Some(row.into_any())) };
        let cells = PyDict::new(py);
        for (name, cell) in names.bind(py).iter().zip(row) {
            cells.set_item(name, cell)?;
        }
        Ok(Some(cells.into_any()))
    }

    fn __length_hint__(&self) -> usize {
        self.count.saturating_sub(self.next.load(Ordering::Relaxed))
    }

    fn __repr__(&self) -> String {
        format!("<pyproxy.RowIterator, {} to come>", self.__length_hint__())
    }
}
