//! `proxy.command`: what the client asks for.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyMappingProxy, PyTuple};
use wire::binary::BinaryValue;
use wire::reply::StatusFlags;
use wire::result::ColumnType;
use wire::statement::{Execution, Param, statement_id};
use wire::{Command as CommandByte, query_attributes};

use crate::codec::Codec;
use crate::{packet, text, values};
use engine::Session;

/// A command of the client: a value, safe to keep. What it has is found out when it is looked at.
#[pyclass(frozen, module = "pyproxy")]
pub struct Command {
    byte: CommandByte,
    /// As scripts see it; `None`: only the command byte is known.
    packet: Option<Py<PyBytes>>,
    /// Its query attributes, as a query carries them.
    block: Vec<u8>,
    /// What is known of the statement that it executes.
    execution: Option<Arc<Execution>>,
    codec: Codec,
    default_db: Vec<u8>,
    no_backslash_escapes: bool,
    params: PyOnceLock<Option<Py<PyTuple>>>,
    tokens: PyOnceLock<Py<PyAny>>,
    fingerprint: PyOnceLock<Py<PyAny>>,
    tables: PyOnceLock<Py<PyAny>>,
}

impl Command {
    /// The command in progress of a connection. `packet` is that command, if it is known.
    pub fn new(session: &Session, byte: u8, packet: Option<Py<PyBytes>>) -> Self {
        let block = session.attributes.block().to_vec();
        Self::with(session, byte, packet, block, session.execution.clone())
    }

    /// Another command on that connection, in place of the one in progress.
    pub fn other(session: &Session, packet: &Bound<'_, PyBytes>) -> Self {
        let payload = packet.as_bytes();
        let server = session.server.as_ref();
        let execution = server.and_then(|server| server.statements.look(payload)).map(Arc::new);
        let byte = payload.first().copied().unwrap_or_default();
        Self::with(session, byte, Some(packet.clone().unbind()), Vec::new(), execution)
    }

    fn with(
        session: &Session,
        byte: u8,
        packet: Option<Py<PyBytes>>,
        block: Vec<u8>,
        execution: Option<Arc<Execution>>,
    ) -> Self {
        Self {
            byte: CommandByte(byte),
            packet,
            block,
            execution,
            codec: packet::client_codec(session),
            default_db: session.client.default_db.clone(),
            no_backslash_escapes: session.status().contains(StatusFlags::NO_BACKSLASH_ESCAPES),
            params: PyOnceLock::new(),
            tokens: PyOnceLock::new(),
            fingerprint: PyOnceLock::new(),
            tables: PyOnceLock::new(),
        }
    }

    fn payload(&self, py: Python<'_>) -> &[u8] {
        self.packet.as_ref().map_or(&[], |packet| packet.as_bytes(py))
    }

    /// The text of the statement.
    fn text(&self, py: Python<'_>) -> Option<&[u8]> {
        match self.byte {
            CommandByte::QUERY | CommandByte::STMT_PREPARE => self.payload(py).get(1..),
            _ => self.execution.as_ref().map(|execution| &*execution.text),
        }
    }

    /// What a function of the library makes of the text, once; None without a text.
    fn made<'py>(
        &self,
        py: Python<'py>,
        cell: &PyOnceLock<Py<PyAny>>,
        make: impl FnOnce(Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let Some(text) = self.text(py) else { return Ok(py.None()) };
        let made = cell.get_or_try_init(py, || make(PyBytes::new(py, text)).map(Bound::unbind))?;
        Ok(made.clone_ref(py))
    }

    /// A parameter as text in the client's character set, or as bytes, where the type says so.
    fn value<'py>(
        &self,
        py: Python<'py>,
        param: &Param<'_>,
        ahead: Option<&[u8]>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let value = match (param.value, ahead) {
            (Some(value), _) => value,
            (None, ahead) => BinaryValue::Bytes(ahead.unwrap_or_default()),
        };
        match value {
            BinaryValue::Bytes(bytes) if !is_bytes(param.value_type.column_type) => {
                self.codec.decode(py, bytes)
            }
            _ => values::decode(py, value),
        }
    }
}

/// Whether values of this type that a client sends are bytes rather than text.
fn is_bytes(column_type: ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB
            | ColumnType::BIT
            | ColumnType::GEOMETRY
    )
}

#[pymethods]
impl Command {
    /// The command byte, one of `proxy.COM_*`.
    #[getter]
    fn r#type(&self) -> u8 {
        self.byte.0
    }

    /// The protocol's name, such as "COM_QUERY"; None for a byte without one.
    #[getter]
    fn name(&self) -> Option<&'static str> {
        self.byte.name()
    }

    /// The text of a query or of a statement that is prepared, and of a prepared statement that is executed: as the client sent
    /// it, decoded with the character set of its login. None for other commands, and if it is not known.
    #[getter]
    fn sql<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.text(py).map(|text| self.codec.decode(py, text)).transpose()
    }

    /// The values that a prepared statement is executed with: a tuple, numbers and dates as Python values, text as `str`, BLOBs
    /// as `bytes`. None for other commands, and if they are not known.
    #[getter]
    fn params(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        let params = self.params.get_or_try_init(py, || -> PyResult<_> {
            let Some(execution) = &self.execution else { return Ok(None) };
            // One that cannot be read is for the server to complain about.
            let Ok(Some(params)) = execution.params(self.payload(py)) else { return Ok(None) };
            let values = params.iter().map(|(param, ahead)| self.value(py, param, *ahead));
            Ok(Some(PyTuple::new(py, values.collect::<PyResult<Vec<_>>>()?)?.unbind()))
        })?;
        Ok(params.as_ref().map(|params| params.clone_ref(py)))
    }

    /// The number of the prepared statement that the command is about; None for other commands.
    #[getter]
    fn statement_id(&self, py: Python<'_>) -> Option<u32> {
        let known = self.execution.as_ref().map(|execution| execution.statement_id);
        known.or_else(|| statement_id(self.payload(py)))
    }

    /// The query attributes: names, and values as the parameters of an execution have them. A query and an execution can
    /// have some.
    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        let attributes = PyDict::new(py);
        // No block, no attributes.
        for attribute in query_attributes::parse(&self.block).unwrap_or_default() {
            let name = text::to_str(py, attribute.name)?;
            if !attributes.contains(&name)?
                && let Some(value) = attribute.value
            {
                attributes.set_item(name, values::decode(py, value)?)?;
            }
        }
        Ok(PyMappingProxy::new(py, attributes.as_mapping()))
    }

    /// The tokens of `sql`, as `pyproxy.tokenizer` makes them; None without a text.
    #[getter]
    fn tokens(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.made(py, &self.tokens, |text| {
            py.import("pyproxy.tokenizer")?.call_method1("tokenize", (text,))
        })
    }

    /// What `sql` has in common with statements that differ in their literals only; None without a text.
    #[getter]
    fn fingerprint(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.made(py, &self.fingerprint, |text| {
            let library = py.import("pyproxy._sql.fingerprint")?;
            let quoting = library.call_method1("Quoting", (false, self.no_backslash_escapes))?;
            library.call_method1("fingerprint", (text, quoting))?.getattr("text")
        })
    }

    /// The tables that `sql` names, with the default database in front: a mapping to "read" or "write", as of
    /// `pyproxy.parser.get_tables`. None without a text.
    #[getter]
    fn tables(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.made(py, &self.tables, |text| {
            let database = text::to_str(py, &self.default_db)?;
            let tables =
                py.import("pyproxy.parser")?.call_method1("get_tables", (text, database))?;
            Ok(PyMappingProxy::new(py, tables.cast()?).into_any())
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        const LONGEST: usize = 80;
        let name = self.byte.name().map_or_else(|| format!("{:#04x}", self.byte.0), str::to_owned);
        let Some(sql) = self.sql(py)? else { return Ok(format!("<pyproxy.Command {name}>")) };
        let sql: String = sql.repr()?.to_string_lossy().chars().take(LONGEST).collect();
        Ok(format!("<pyproxy.Command {name} {sql}>"))
    }
}
