//! A result set out of columns and rows: `response.resultset`, and `pyproxy.Rows`.

use std::ops::Range;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString, PyTuple};
use wire::reply::StatusFlags;
use wire::result::ResultSetEncoder;

use super::budget::Budget;
use super::cells::Kind;
use super::charsets::Charsets;
use super::columns::{NewColumn, columns};
use super::context::{Context, RowForm};
use super::guess::Guesses;
use super::status::status_and_warnings;
use super::{cells, members};
use crate::column::Column;
use crate::text;
use engine::Reply;

/// Encodes a result set in the protocol the client used. `resultset` is a mapping with `fields` and `rows`; the rows may
/// come from a generator.
pub fn encode(
    resultset: &Bound<'_, PyAny>,
    response: &Bound<'_, PyDict>,
    context: Context,
) -> PyResult<Reply> {
    let (status, warnings) = status_and_warnings(response, context)?;
    encode_resultset(resultset, status, warnings, context)
}

/// Encodes a result set that ends with this status and number of warnings. `resultset` is a mapping with `fields` and `rows`.
pub fn encode_resultset(
    resultset: &Bound<'_, PyAny>,
    status: StatusFlags,
    warnings: u16,
    context: Context,
) -> PyResult<Reply> {
    let Ok(mapping) = resultset.cast::<PyMapping>() else {
        return Err(PyTypeError::new_err(
            "proxy.response.resultset must be a mapping with fields and rows",
        ));
    };
    let resultset = PyDict::new(mapping.py());
    resultset.update(mapping)?;
    members::check_keys(&resultset, &["fields", "rows"], "proxy.response.resultset")?;
    let missing =
        |name: &str| PyValueError::new_err(format!("proxy.response.resultset has no {name}"));
    let fields = members::get(&resultset, "fields")?.ok_or_else(|| missing("fields"))?;
    let rows = members::get(&resultset, "rows")?.ok_or_else(|| missing("rows"))?;
    encode_rows(&fields, &rows, status, warnings, context)
}

/// Encodes a result set of these columns and rows, which ends with this status and number of warnings.
pub fn encode_rows(
    fields: &Bound<'_, PyAny>,
    rows: &Bound<'_, PyAny>,
    status: StatusFlags,
    warnings: u16,
    context: Context,
) -> PyResult<Reply> {
    let mut columns = columns(fields)?;
    let mut seen = Seen { charsets: Charsets::new(&columns), guesses: Guesses::new(&columns) };
    if text::is_data(rows) {
        return Err(PyTypeError::new_err("rows must be an iterable of rows"));
    }
    let mut rows = rows.try_iter()?.enumerate();
    let mut budget = Budget::new(context.max_bytes);
    // What is read before the types of the columns are known.
    let mut ahead = Vec::new();
    if seen.guesses.are_needed() {
        for (n, values) in rows.by_ref() {
            let mut row = Row::default();
            row.read(n, &values?, &columns, &mut seen)?;
            budget.spend(row.bytes())?;
            ahead.push(row);
        }
        seen.guesses.settle(&mut columns);
    }

    let definitions: Vec<_> = columns.iter().map(|new| new.column.definition()).collect();
    let binary_types: Option<Vec<_>> = (context.rows != RowForm::Text)
        .then(|| columns.iter().map(|new| new.column.value_type()).collect());
    let mut packets = Vec::new();
    let sink = |payload: &[u8]| packets.push(payload.to_vec());
    let mut encoder = match context.rows {
        RowForm::Cursor => ResultSetEncoder::of_cursor(context.capabilities, sink),
        _ => ResultSetEncoder::begin(&definitions, context.capabilities, status, sink),
    };
    let mut put = |n, row: &Row| match &binary_types {
        None => {
            encoder.text_row(row.cells());
            Ok(())
        }
        Some(types) => encoder
            .binary_row_from_text(types, row.cells())
            .map_err(|error| PyValueError::new_err(format!("row {n}: {error}"))),
    };
    for (n, row) in ahead.iter().enumerate() {
        put(n, row)?;
    }
    let mut row = Row::default();
    for (n, values) in rows {
        row.read(n, &values?, &columns, &mut seen)?;
        // A cell takes one byte at least.
        budget.spend(row.text.len() + row.cells.len())?;
        put(n, &row)?;
    }
    encoder.finish(status, warnings);
    if context.rows != RowForm::Cursor {
        for (n, column) in seen.charsets.changed(&columns) {
            // Behind the packet with their number.
            if let Some(packet) = packets.get_mut(n + 1) {
                packet.clear();
                column.definition().encode(packet, context.capabilities);
            }
        }
    }
    Reply::from_packets(packets).ok_or_else(|| PyValueError::new_err("the response is empty"))
}

/// What the cells were so far.
struct Seen {
    charsets: Charsets,
    guesses: Guesses,
}

/// The cells of one row as text, in buffers that the next row reuses.
#[derive(Default)]
struct Row {
    text: Vec<u8>,
    cells: Vec<Option<Range<usize>>>,
}

impl Row {
    fn read(
        &mut self,
        n: usize,
        row: &Bound<'_, PyAny>,
        columns: &[NewColumn],
        seen: &mut Seen,
    ) -> PyResult<()> {
        self.text.clear();
        self.cells.clear();
        if let Ok(tuple) = row.cast::<PyTuple>() {
            self.read_cells(n, tuple.iter().map(Ok), columns, seen)
        } else if let Ok(list) = row.cast::<PyList>() {
            self.read_cells(n, list.iter().map(Ok), columns, seen)
        } else if text::is_data(row)
            || row.is_instance_of::<PyString>()
            || row.cast::<PyMapping>().is_ok()
        {
            let kind = row.get_type().name()?;
            Err(PyTypeError::new_err(format!("row {n} must be a sequence of cells, not {kind}")))
        } else {
            self.read_cells(n, row.try_iter()?, columns, seen)
        }
    }

    fn read_cells<'py>(
        &mut self,
        n: usize,
        mut values: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
        columns: &[NewColumn],
        seen: &mut Seen,
    ) -> PyResult<()> {
        for (i, NewColumn { column, .. }) in columns.iter().enumerate() {
            let Some(value) = values.next() else {
                return Err(wrong_length(n, &format!("only {}", self.cells.len()), columns));
            };
            let start = self.text.len();
            let kind = cells::encode(&value?, column.codec, &mut self.text)?;
            let is_value = kind != Kind::Null;
            if is_value && column.is_numeric() && !cells::is_number(&self.text[start..]) {
                return Err(no_number(n, column, &self.text[start..]));
            }
            seen.charsets.saw(i, kind);
            seen.guesses.saw(i, kind, &self.text[start..]);
            self.cells.push(is_value.then_some(start..self.text.len()));
        }
        match values.next() {
            None => Ok(()),
            Some(_) => Err(wrong_length(n, "more", columns)),
        }
    }

    /// The memory that it takes.
    fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.cells)
    }

    fn cells(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.cells.iter().map(|cell| cell.clone().map(|range| &self.text[range]))
    }
}

fn no_number(n: usize, column: &Column, cell: &[u8]) -> PyErr {
    let name = String::from_utf8_lossy(&column.name);
    let cell: String = String::from_utf8_lossy(cell).chars().take(40).collect();
    PyValueError::new_err(format!("row {n}: {cell:?} is no number, as column {name:?} has"))
}

fn wrong_length(n: usize, found: &str, columns: &[NewColumn]) -> PyErr {
    let count = columns.len();
    PyValueError::new_err(format!("row {n} has {found} cells, the result set has {count} fields"))
}
