//! `pyproxy.Ok`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wire::reply::{OkPacket, StatusFlags};

use super::{repr, shown};
use crate::classes::hashing::hash_of;
use crate::reply::{Context, members};
use crate::text;
use engine::Reply;

/// An OK, for a hook to return.
///
/// Without `status` it tells the state of the connection, as the server reported it last.
#[pyclass(frozen, eq, module = "pyproxy")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ok {
    affected_rows: u64,
    insert_id: u64,
    warnings: u16,
    status: Option<u16>,
    info: Vec<u8>,
}

impl Ok {
    /// For the client of `context`.
    pub fn encode(&self, context: Context) -> PyResult<Reply> {
        let status = self.status.map_or(context.status, StatusFlags::from_bits_retain);
        let packet = OkPacket {
            affected_rows: self.affected_rows,
            insert_id: self.insert_id,
            status,
            warnings: self.warnings,
            info: &self.info,
            session_state: None,
        };
        Reply::from_packets(vec![packet.encode(context.capabilities)])
            .ok_or_else(|| PyValueError::new_err("the answer is empty"))
    }
}

#[pymethods]
impl Ok {
    #[new]
    #[pyo3(
        signature = (affected_rows=None, insert_id=None, warnings=None, status=None, info=None),
        text_signature = "(affected_rows=0, insert_id=0, warnings=0, status=None, info='')"
    )]
    fn new(
        affected_rows: Option<&Bound<'_, PyAny>>,
        insert_id: Option<&Bound<'_, PyAny>>,
        warnings: Option<&Bound<'_, PyAny>>,
        status: Option<&Bound<'_, PyAny>>,
        info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let large = |value: Option<&Bound<'_, PyAny>>, name| {
            value.map_or(Ok(0), |value| members::integer(value, name))
        };
        let status = status.map(|status| members::integer(status, "status")).transpose()?;
        let announces = |status| {
            StatusFlags::from_bits_retain(status).contains(StatusFlags::MORE_RESULTS_EXISTS)
        };
        if status.is_some_and(announces) {
            return Err(PyValueError::new_err("status announces another result: there is none"));
        }
        Ok(Self {
            affected_rows: large(affected_rows, "affected_rows")?,
            insert_id: large(insert_id, "insert_id")?,
            warnings: warnings.map_or(Ok(0), |warnings| members::integer(warnings, "warnings"))?,
            status,
            info: info.map_or(Ok(Vec::new()), |info| text::to_bytes(info, "info"))?,
        })
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("affected_rows", "insert_id")
    }

    /// Number of rows changed.
    #[getter]
    fn affected_rows(&self) -> u64 {
        self.affected_rows
    }

    /// The last AUTO_INCREMENT value.
    #[getter]
    fn insert_id(&self) -> u64 {
        self.insert_id
    }

    /// Number of warnings.
    #[getter]
    fn warnings(&self) -> u16 {
        self.warnings
    }

    /// The status flags; None for those of the connection.
    #[getter]
    fn status(&self) -> Option<u16> {
        self.status
    }

    /// A text for humans.
    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.info)
    }

    fn __hash__(&self) -> u64 {
        hash_of(self)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let number = |value: u64| (value != 0).then(|| value.to_string());
        let info = (!self.info.is_empty()).then(|| repr(py, &self.info)).transpose()?;
        let values = shown(&[
            ("affected_rows", number(self.affected_rows)),
            ("insert_id", number(self.insert_id)),
            ("warnings", number(self.warnings.into())),
            ("status", self.status.map(|status| status.to_string())),
            ("info", info),
        ]);
        Ok(format!("pyproxy.Ok({values})"))
    }
}
