//! What a hook may return besides the constants: values, one file each, that can be made anywhere and at any time.
//!
//! What can be checked when one is made, is: the traceback shows the line. The rest depends on the client that gets it.

mod error;
mod ok;
mod raw;
mod rows;
mod send;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyMapping;

pub use self::error::Error;
pub use self::send::Send;
use self::{ok::Ok as OkAnswer, raw::Raw, rows::Rows};
use crate::classes::proxy::not_kept;
use crate::classes::resultset::Resultset;
use crate::reply::Context;
use crate::text;
use engine::Reply;

/// What a client may get.
pub enum Answer<'a, 'py> {
    /// `pyproxy.Ok`.
    Ok(&'a Bound<'py, OkAnswer>),
    /// `pyproxy.Error`.
    Error(&'a Bound<'py, Error>),
    /// `pyproxy.Rows`.
    Rows(&'a Bound<'py, Rows>),
    /// `pyproxy.Raw`.
    Raw(&'a Bound<'py, Raw>),
    /// A result as it came, or a part of one.
    Result(&'a Bound<'py, Resultset>),
}

impl<'a, 'py> Answer<'a, 'py> {
    /// The answer that `value` is; `None` if it is none.
    pub fn of(value: &'a Bound<'py, PyAny>) -> Option<Self> {
        let answer = value.cast().map(Self::Ok);
        let answer = answer.or_else(|_| value.cast().map(Self::Error));
        let answer = answer.or_else(|_| value.cast().map(Self::Rows));
        let answer = answer.or_else(|_| value.cast().map(Self::Raw));
        answer.or_else(|_| value.cast().map(Self::Result)).ok()
    }

    /// How an error names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ok(_) => "pyproxy.Ok, which",
            Self::Error(_) => "pyproxy.Error, which",
            Self::Rows(_) => "pyproxy.Rows, which",
            Self::Raw(_) => "pyproxy.Raw, which",
            Self::Result(_) => "a result, which",
        }
    }

    /// For the client and the command of `context`.
    pub fn encode(&self, context: Context) -> PyResult<Reply> {
        match self {
            Self::Ok(ok) => ok.get().encode(context),
            Self::Error(error) => error.get().encode(context),
            Self::Rows(rows) => rows.get().encode(rows.py(), context),
            Self::Raw(raw) => raw.get().encode(raw.py(), context),
            Self::Result(result) => {
                let packets = result.get().packets(result.py(), true)?;
                Reply::from_packets(packets).ok_or_else(not_kept)
            }
        }
    }
}

/// Adds the classes to the module `pyproxy`.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Error>()?;
    module.add_class::<OkAnswer>()?;
    module.add_class::<Raw>()?;
    module.add_class::<Rows>()?;
    module.add_class::<Send>()
}

/// Refuses what is no collection, as text and mappings are, which can be iterated as well.
fn check_iterable(value: &Bound<'_, PyAny>, name: &str, of: &str) -> PyResult<()> {
    let is_one = text::is_data(value) || value.cast::<PyMapping>().is_ok() || !is_iterable(value)?;
    if is_one {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{name} must be {of}, not {kind}")));
    }
    Ok(())
}

/// Whether `iter()` takes it, found out without calling that.
fn is_iterable(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let kind = value.get_type();
    Ok(kind.hasattr("__iter__")? || kind.hasattr("__getitem__")?)
}

/// `, name=value` for each value that is set.
fn shown(values: &[(&str, Option<String>)]) -> String {
    let set = values.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    set.collect::<Vec<_>>().join(", ")
}

/// The repr of bytes that are meant as text.
fn repr(py: Python<'_>, bytes: &[u8]) -> PyResult<String> {
    Ok(text::to_str(py, bytes)?.repr()?.to_string_lossy().into_owned())
}
