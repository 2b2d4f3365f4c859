//! `resultset["fields"]`, and the columns of `pyproxy.Rows`: what a script says about them.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString, PyTuple};
use wire::collation::{BINARY, UTF8MB4_GENERAL_CI as TEXT};
use wire::result::{ColumnFlags, ColumnType};

use super::members;
use crate::classes::field::Field;
use crate::codec::Codec;
use crate::column::Column;
use crate::text;

/// `decimals` of floating point numbers without a limit.
const NOT_FIXED: u8 = 31;
/// Room for 255 characters.
const TEXT_LENGTH: u32 = 1020;

/// What a mapping may say about a column.
const MEMBERS: [&str; 10] = [
    "name",
    "type",
    "org_name",
    "table",
    "org_table",
    "database",
    "charset",
    "length",
    "flags",
    "decimals",
];

/// A column that a script wants to send.
#[derive(Debug)]
pub struct NewColumn {
    /// The column, with what is usual where the script says nothing.
    pub column: Arc<Column>,
    /// The script says which character set it has.
    pub names_charset: bool,
    /// The script says which type it has.
    pub names_type: bool,
}

/// The columns, in order; at least one.
pub fn columns(fields: &Bound<'_, PyAny>) -> PyResult<Vec<NewColumn>> {
    if fields.is_instance_of::<PyString>() || fields.is_instance_of::<PyMapping>() {
        return Err(PyTypeError::new_err("fields must be a sequence of fields"));
    }
    let columns: Vec<_> =
        fields.try_iter()?.map(|field| column(&field?)).collect::<PyResult<_>>()?;
    match columns.len() {
        0 => Err(PyValueError::new_err("fields is empty")),
        1..=0xffff => Ok(columns),
        count => Err(PyValueError::new_err(format!("a result set cannot have {count} fields"))),
    }
}

/// Whether these can be columns.
pub fn check(fields: &Bound<'_, PyAny>) -> PyResult<()> {
    columns(fields).map(drop)
}

/// One field: a name, an object of a result, `(name, type)`, or a mapping.
fn column(field: &Bound<'_, PyAny>) -> PyResult<NewColumn> {
    if let Ok(field) = field.cast::<Field>() {
        let column = Arc::clone(field.get().column());
        return Ok(NewColumn { column, names_charset: true, names_type: true });
    }
    if text::is_data(field) {
        let name = text::to_bytes(field, "the name of a field")?;
        let column = Arc::new(with_defaults(name, ColumnType::VAR_STRING));
        return Ok(NewColumn { column, names_charset: false, names_type: false });
    }
    if let Ok(mapping) = field.cast::<PyMapping>() {
        return from_mapping(mapping);
    }
    let Some((name, column_type)) = pair(field)? else {
        return Err(PyTypeError::new_err(format!(
            "a field is a name, (name, type), a mapping or a field of a result, not {}",
            field.repr()?.to_string_lossy()
        )));
    };
    let name = text::to_bytes(&name, "the name of a field")?;
    let column_type = members::integer(&column_type, "the type of a field")?;
    let column = Arc::new(with_defaults(name, ColumnType(column_type)));
    Ok(NewColumn { column, names_charset: false, names_type: true })
}

type Pair<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

fn pair<'py>(field: &Bound<'py, PyAny>) -> PyResult<Option<Pair<'py>>> {
    let Ok(items) = field.try_iter() else { return Ok(None) };
    let items = PyTuple::new(field.py(), items.collect::<PyResult<Vec<_>>>()?)?;
    Ok(items.extract().ok())
}

fn from_mapping(mapping: &Bound<'_, PyMapping>) -> PyResult<NewColumn> {
    let members = PyDict::new(mapping.py());
    members.update(mapping)?;
    members::check_keys(&members, &MEMBERS, "a field")?;
    let text = |name: &str| {
        let value = members::get(&members, name)?;
        value.map(|value| text::to_bytes(&value, name)).transpose()
    };
    let name = text("name")?.ok_or_else(|| PyValueError::new_err("a field has no name"))?;
    let column_type = ColumnType(members::integer_or(&members, "type", ColumnType::STRING.0)?);
    let defaults = with_defaults(name, column_type);
    let named = members::get(&members, "charset")?.is_some();
    let charset = members::integer_or(&members, "charset", defaults.charset)?;
    let flags = members::integer_or(&members, "flags", defaults.flags.bits())?;
    let column = Column {
        org_name: text("org_name")?.unwrap_or_default(),
        table: text("table")?.unwrap_or_default(),
        org_table: text("org_table")?.unwrap_or_default(),
        database: text("database")?.unwrap_or_default(),
        charset,
        length: members::integer_or(&members, "length", defaults.length)?,
        flags: ColumnFlags::from_bits_retain(flags),
        decimals: members::integer_or(&members, "decimals", defaults.decimals)?,
        codec: Codec::of(charset, column_type),
        ..defaults
    };
    Ok(NewColumn { column: Arc::new(column), names_charset: named, names_type: true })
}

/// What a server says about an expression of this type.
pub fn with_defaults(name: Vec<u8>, column_type: ColumnType) -> Column {
    let (charset, length) = match column_type {
        ColumnType::TINY | ColumnType::YEAR => (BINARY, 4),
        ColumnType::SHORT => (BINARY, 6),
        ColumnType::INT24 => (BINARY, 9),
        ColumnType::LONG => (BINARY, 11),
        ColumnType::LONGLONG => (BINARY, 20),
        ColumnType::FLOAT => (BINARY, 12),
        ColumnType::DOUBLE => (BINARY, 22),
        ColumnType::DECIMAL | ColumnType::NEWDECIMAL => (BINARY, 67),
        ColumnType::DATE | ColumnType::NEWDATE => (BINARY, 10),
        ColumnType::TIME => (BINARY, 17),
        ColumnType::DATETIME | ColumnType::TIMESTAMP => (BINARY, 26),
        ColumnType::BIT => (BINARY, 64),
        ColumnType::NULL => (BINARY, 0),
        ColumnType::TINY_BLOB => (BINARY, 0xff),
        ColumnType::BLOB => (BINARY, 0xffff),
        ColumnType::MEDIUM_BLOB => (BINARY, 0x00ff_ffff),
        ColumnType::LONG_BLOB | ColumnType::GEOMETRY | ColumnType::VECTOR => (BINARY, u32::MAX),
        ColumnType::JSON => (TEXT, u32::MAX),
        _ => (TEXT, TEXT_LENGTH),
    };
    let fractional = matches!(column_type, ColumnType::FLOAT | ColumnType::DOUBLE);
    Column {
        name,
        org_name: Vec::new(),
        table: Vec::new(),
        org_table: Vec::new(),
        database: Vec::new(),
        extended: Vec::new(),
        column_type,
        charset,
        length,
        flags: if charset == BINARY { ColumnFlags::BINARY } else { ColumnFlags::empty() },
        decimals: if fractional { NOT_FIXED } else { 0 },
        codec: Codec::of(charset, column_type),
    }
}
