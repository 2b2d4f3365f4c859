//! `proxy.command`: what the client asks for.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy};
use wire::query_attributes;

use super::access;
use crate::{text, values};
use engine::{Session, Slot};
use wire::Command as CommandByte;

/// The client's command in progress: the last one, once it has its answer.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Command(Slot<Session>);

impl Command {
    /// Of a connection.
    pub fn new(session: Slot<Session>) -> Self {
        Self(session)
    }

    fn byte(&self) -> PyResult<CommandByte> {
        let byte = access::read(&self.0, "the connection", |session| session.command)?;
        byte.map(CommandByte).ok_or_else(|| access::gone("the command"))
    }
}

#[pymethods]
impl Command {
    /// The command byte, one of `proxy.COM_*`.
    #[getter]
    fn r#type(&self) -> PyResult<u8> {
        self.byte().map(|command| command.0)
    }

    /// The protocol's name, such as "COM_QUERY"; None for a byte without one.
    #[getter]
    fn name(&self) -> PyResult<Option<&'static str>> {
        self.byte().map(CommandByte::name)
    }

    /// The query attributes: names, and values as the parameters of an execution have them. A query and an execution can
    /// have some.
    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        let block =
            access::read(&self.0, "the connection", |session| session.attributes.block().to_vec())?;
        let attributes = PyDict::new(py);
        // No block, no attributes.
        for attribute in query_attributes::parse(&block).unwrap_or_default() {
            let name = text::to_str(py, attribute.name)?;
            if !attributes.contains(&name)?
                && let Some(value) = attribute.value
            {
                attributes.set_item(name, values::decode(py, value)?)?;
            }
        }
        Ok(PyMappingProxy::new(py, attributes.as_mapping()))
    }

    fn __repr__(&self) -> String {
        match self.byte() {
            Ok(command) => {
                let name =
                    command.name().map_or_else(|| format!("{:#04x}", command.0), str::to_owned);
                format!("<pyproxy.Command {name}>")
            }
            Err(_) => "<pyproxy.Command (gone)>".to_owned(),
        }
    }
}
