//! The packets of result sets: count and definitions of columns, rows of both protocols.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use wire::binary::ValueType;
use wire::result::{
    BinaryRow, ColumnDefinition, ColumnFlags, ColumnType, TextRow, encode_binary_row_from_text,
};
use wire::{Capabilities, Reader, Writer};

use super::{checked, payload};
use crate::data::Data;
use crate::error::{Number, PacketError};
use crate::values::{TypePair, decode, text_of, value_type};

/// The form of definitions that every client and server has.
const PLAIN: Capabilities = Capabilities::empty();

/// Name, type, character set, length, flags, decimals, database, table, its own name, the column's own name.
type Column<'py> = (
    Bound<'py, PyBytes>,
    u8,
    u16,
    u32,
    u16,
    u8,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_count(packet: Data<'_>) -> PyResult<u64> {
    checked(Reader::new(packet.as_bytes()).lenenc_int())
}

#[pyfunction]
#[pyo3(signature = (count, /))]
fn encode_count(py: Python<'_>, count: Number<u64>) -> Bound<'_, PyBytes> {
    let mut out = Vec::new();
    Writer::new(&mut out).lenenc(count.0);
    payload(py, out)
}

#[pyfunction]
#[pyo3(signature = (packet, /))]
fn decode_column<'py>(py: Python<'py>, packet: Data<'py>) -> PyResult<Column<'py>> {
    let column = checked(ColumnDefinition::parse(packet.as_bytes(), PLAIN))?;
    Ok((
        payload(py, column.name),
        column.column_type.0,
        column.charset,
        column.length,
        column.flags.bits(),
        column.decimals,
        payload(py, column.database),
        payload(py, column.table),
        payload(py, column.org_table),
        payload(py, column.org_name),
    ))
}

#[pyfunction]
#[pyo3(signature = (
    name, r#type, charset, length, flags, decimals, database, table, org_table, org_name, /
))]
fn encode_column<'py>(
    py: Python<'py>,
    name: Data<'py>,
    r#type: Number<u8>,
    charset: Number<u16>,
    length: Number<u32>,
    flags: Number<u16>,
    decimals: Number<u8>,
    database: Data<'py>,
    table: Data<'py>,
    org_table: Data<'py>,
    org_name: Data<'py>,
) -> Bound<'py, PyBytes> {
    let column = ColumnDefinition {
        charset: charset.0,
        length: length.0,
        flags: ColumnFlags::from_bits_retain(flags.0),
        decimals: decimals.0,
        database: database.as_bytes(),
        table: table.as_bytes(),
        org_table: org_table.as_bytes(),
        org_name: org_name.as_bytes(),
        ..ColumnDefinition::named(name.as_bytes(), ColumnType(r#type.0))
    };
    let mut out = Vec::new();
    column.encode(&mut out, PLAIN);
    payload(py, out)
}

#[pyfunction]
#[pyo3(signature = (packet, columns, /))]
fn decode_text_row<'py>(
    py: Python<'py>,
    packet: Data<'py>,
    columns: usize,
) -> PyResult<Bound<'py, PyTuple>> {
    let cells = TextRow::new(packet.as_bytes())
        .map(|cell| Ok(checked(cell)?.map(|bytes| payload(py, bytes))))
        .collect::<PyResult<Vec<_>>>()?;
    if cells.len() != columns {
        let found = cells.len();
        return Err(PacketError::new_err(format!("{found} cells in a row of {columns} columns")));
    }
    PyTuple::new(py, cells)
}

#[pyfunction]
#[pyo3(signature = (cells, /))]
fn encode_text_row<'py>(cells: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let texts = texts(cells)?;
    let mut out = Vec::new();
    wire::result::encode_text_row(&mut out, texts.iter().map(Option::as_deref));
    Ok(payload(cells.py(), out))
}

#[pyfunction]
#[pyo3(signature = (packet, types, /))]
fn decode_binary_row<'py>(
    py: Python<'py>,
    packet: Data<'py>,
    types: Vec<TypePair>,
) -> PyResult<Bound<'py, PyTuple>> {
    let types = value_types(types);
    let cells = checked(BinaryRow::parse(packet.as_bytes(), &types))?
        .map(|cell| decode(py, checked(cell)?))
        .collect::<PyResult<Vec<_>>>()?;
    PyTuple::new(py, cells)
}

#[pyfunction]
#[pyo3(signature = (types, cells, /))]
fn encode_binary_row<'py>(
    types: Vec<TypePair>,
    cells: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let texts = texts(cells)?;
    let mut out = Vec::new();
    let cells_of_text = texts.iter().map(Option::as_deref);
    checked(encode_binary_row_from_text(&mut out, &value_types(types), cells_of_text))?;
    Ok(payload(cells.py(), out))
}

fn value_types(types: Vec<TypePair>) -> Vec<ValueType> {
    types.into_iter().map(value_type).collect()
}

fn texts(cells: &Bound<'_, PyAny>) -> PyResult<Vec<Option<Vec<u8>>>> {
    cells.try_iter()?.map(|cell| text_of(&cell?)).collect()
}

/// Adds the functions.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(decode_count, module)?)?;
    module.add_function(wrap_pyfunction!(encode_count, module)?)?;
    module.add_function(wrap_pyfunction!(decode_column, module)?)?;
    module.add_function(wrap_pyfunction!(encode_column, module)?)?;
    module.add_function(wrap_pyfunction!(decode_text_row, module)?)?;
    module.add_function(wrap_pyfunction!(encode_text_row, module)?)?;
    module.add_function(wrap_pyfunction!(decode_binary_row, module)?)?;
    module.add_function(wrap_pyfunction!(encode_binary_row, module)?)
}
