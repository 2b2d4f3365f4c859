//! One of `resultset.fields`: a column.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyType};
use wire::Capabilities;
use wire::result::ColumnDefinition;

use super::hashing::hash_of;
use crate::column::Column;
use crate::text;

/// How a definition is pickled: with all that it can have.
const PICKLED: Capabilities = Capabilities::MARIADB_EXTENDED_METADATA;

/// A column of a result set: a value, safe to keep. It can stand in `proxy.response.resultset["fields"]`.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Field(Arc<Column>);

impl Field {
    /// Shows `column`.
    pub fn new(column: Arc<Column>) -> Self {
        Self(column)
    }

    /// What is shown.
    pub fn column(&self) -> &Arc<Column> {
        &self.0
    }
}

#[pymethods]
impl Field {
    /// The column, or its alias.
    #[getter]
    fn name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.name)
    }

    /// The column behind the alias; empty for an expression.
    #[getter]
    fn org_name<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.org_name)
    }

    /// The table, or its alias; empty for an expression.
    #[getter]
    fn table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.table)
    }

    /// The table behind the alias; empty for an expression.
    #[getter]
    fn org_table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.org_table)
    }

    /// The database of the table; empty for an expression.
    #[getter]
    fn database<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.0.database)
    }

    /// One of `proxy.MYSQL_TYPE_*`.
    #[getter]
    fn r#type(&self) -> u8 {
        self.0.column_type.0
    }

    /// Collation id; 63 means binary.
    #[getter]
    fn charset(&self) -> u16 {
        self.0.charset
    }

    /// Longest value, in bytes.
    #[getter]
    fn length(&self) -> u32 {
        self.0.length
    }

    /// Column flags: NOT NULL is 1, primary key 2, unsigned 32 and so on.
    #[getter]
    fn flags(&self) -> u16 {
        self.0.flags.bits()
    }

    /// Digits behind the point.
    #[getter]
    fn decimals(&self) -> u8 {
        self.0.decimals
    }

    /// What `pickle` calls with the definition that `__reduce__` gave.
    #[new]
    #[pyo3(signature = (definition, /))]
    fn unpickled(definition: &[u8]) -> PyResult<Self> {
        let column = ColumnDefinition::parse(definition, PICKLED)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self(Arc::new(column.into())))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Bound<'py, PyBytes>,)) {
        let mut definition = Vec::new();
        slf.get().0.definition().encode(&mut definition, PICKLED);
        (slf.get_type(), (PyBytes::new(slf.py(), &definition),))
    }

    /// A value needs no copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __repr__(&self) -> String {
        let name = String::from_utf8_lossy(&self.0.name);
        format!("<pyproxy.Field {name:?} type={}>", self.0.column_type.0)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        hash_of((&self.0.name, &self.0.table, self.0.column_type.0))
    }
}
