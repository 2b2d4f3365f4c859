//! `proxy.response`: what a hook wants to answer.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString};

use super::access;
use super::response_resultset::ResponseResultset;
use engine::{Session, Slot};

/// The answer that is sent when a hook returns `PROXY_SEND_RESULT`.
///
/// Set its attributes, or assign a mapping to `proxy.response`. `type` is one of `MYSQLD_PACKET_OK` (with
/// `resultset`, with `resultsets`, or with `affected_rows`, `insert_id`, `warnings`, `server_status`), `MYSQLD_PACKET_ERR` (with
/// `errmsg`, `errcode`, `sqlstate`) and `MYSQLD_PACKET_RAW` (with `packets`). What is not set is None. Emptied
/// before each `read_query`.
#[pyclass(frozen, module = "pyproxy")]
#[derive(Debug)]
pub struct Response {
    session: Slot<Session>,
    fields: Py<PyDict>,
}

impl Response {
    /// The names that mean something.
    pub const FIELDS: [&str; 11] = [
        "type",
        "resultset",
        "resultsets",
        "affected_rows",
        "insert_id",
        "warnings",
        "server_status",
        "errmsg",
        "errcode",
        "sqlstate",
        "packets",
    ];

    /// An empty response of a connection.
    pub fn new(py: Python<'_>, session: Slot<Session>) -> Self {
        Self { session, fields: PyDict::new(py).unbind() }
    }

    /// What is set.
    pub fn fields<'py>(&self, py: Python<'py>) -> &Bound<'py, PyDict> {
        self.fields.bind(py)
    }

    /// Back to nothing set.
    pub fn reset(&self, py: Python<'_>) {
        let fields = self.fields.bind(py);
        if !fields.is_empty() {
            fields.clear();
        }
    }

    /// `proxy.response = value`: a mapping, another response, or None for nothing.
    pub fn assign(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        access::own_hook(&self.session)?;
        let copy = PyDict::new(value.py());
        if let Ok(other) = value.cast::<Self>() {
            copy.update(other.get().fields(value.py()).as_mapping())?;
        } else if let Ok(mapping) = value.cast::<PyMapping>() {
            copy.update(mapping)?;
        } else if !value.is_none() {
            return Err(PyTypeError::new_err("proxy.response takes a mapping"));
        }
        for key in copy.keys() {
            if !key.is_instance_of::<PyString>() {
                return Err(PyTypeError::new_err("the keys of proxy.response must be str"));
            }
        }
        self.reset(value.py());
        self.fields.bind(value.py()).update(copy.as_mapping())
    }
}

#[pymethods]
impl Response {
    fn __getattr__<'py>(
        slf: &Bound<'py, Self>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let text = name.to_str()?;
        if !text.starts_with("__") {
            access::alive(&slf.get().session)?;
        }
        match slf.get().fields(name.py()).get_item(name)? {
            Some(value) if text == "resultset" => ResponseResultset::of(value).map(Some),
            Some(value) => Ok(Some(value)),
            None if Self::FIELDS.contains(&text) => Ok(None),
            None => Err(missing(slf, name)),
        }
    }

    fn __setattr__(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        access::own_hook(&self.session)?;
        self.fields(name.py()).set_item(name, ResponseResultset::unwrapped(value))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        access::own_hook(&slf.get().session)?;
        let fields = slf.get().fields(name.py());
        if !fields.contains(name)? {
            return Err(missing(slf, name));
        }
        fields.del_item(name)
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let names = PyList::new(py, Self::FIELDS)?;
        for key in self.fields(py).keys() {
            if !names.contains(&key)? {
                names.append(key)?;
            }
        }
        Ok(names)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<pyproxy.Response {}>", self.fields(py).repr()?.to_string_lossy()))
    }
}

/// The error for an attribute that is not there. Object and name let Python's traceback propose a similar one.
fn missing(response: &Bound<'_, Response>, name: &Bound<'_, PyString>) -> PyErr {
    let py = name.py();
    let text = format!("proxy.response has no attribute {:?}", name.to_string_lossy());
    let error = PyAttributeError::new_err(text);
    let known = error.value(py).setattr("name", name);
    match known.and_then(|()| error.value(py).setattr("obj", response)) {
        Ok(()) => error,
        Err(other) => other,
    }
}
