//! `pyproxy.Error`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wire::reply::ErrPacket;

use super::repr;
use crate::classes::hashing::hash_of;
use crate::reply::{Context, members};
use crate::text;
use engine::{ER_UNKNOWN_ERROR, Reply};

/// An ERR, for a hook to return. It is a value and no exception.
#[pyclass(frozen, eq, module = "pyproxy")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Error {
    message: Vec<u8>,
    code: u16,
    sqlstate: [u8; 5],
}

impl Error {
    /// For the client of `context`.
    pub fn encode(&self, context: Context) -> PyResult<Reply> {
        let sqlstate = (!context.before_handshake).then_some(self.sqlstate);
        let packet = ErrPacket { code: self.code, sqlstate, message: &self.message };
        Reply::from_packets(vec![packet.encode()])
            .ok_or_else(|| PyValueError::new_err("the answer is empty"))
    }
}

#[pymethods]
impl Error {
    #[new]
    #[pyo3(
        signature = (message, code=None, sqlstate=None),
        text_signature = "(message, code=1105, sqlstate='HY000')"
    )]
    fn new(
        message: &Bound<'_, PyAny>,
        code: Option<&Bound<'_, PyAny>>,
        sqlstate: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let code =
            code.map_or(Ok(ER_UNKNOWN_ERROR.number), |code| members::integer(code, "code"))?;
        if code == 0 {
            return Err(PyValueError::new_err("code is 0, which is no error to clients"));
        }
        let sqlstate = match sqlstate {
            Some(state) => text::to_bytes(state, "sqlstate")?
                .try_into()
                .map_err(|_| PyValueError::new_err("sqlstate must have 5 characters"))?,
            None => ER_UNKNOWN_ERROR.sqlstate,
        };
        Ok(Self { message: text::to_bytes(message, "message")?, code, sqlstate })
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("message", "code", "sqlstate")
    }

    /// What the client is told.
    #[getter]
    fn message<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.message)
    }

    /// The error number.
    #[getter]
    fn code(&self) -> u16 {
        self.code
    }

    /// The SQL state: five characters.
    #[getter]
    fn sqlstate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        text::to_str(py, &self.sqlstate)
    }

    fn __hash__(&self) -> u64 {
        hash_of(self)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (message, state) = (repr(py, &self.message)?, repr(py, &self.sqlstate)?);
        Ok(format!("pyproxy.Error({message}, code={}, sqlstate={state})", self.code))
    }
}
