//! Text and bytes on their way in and out. A query or a name has no character set here: `str` stands for UTF-8, and
//! bytes that are none survive as surrogates (Python's `surrogateescape`).

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use pyo3::{Borrowed, PyTypeInfo, intern};

/// What may be given where bytes are needed: `str` or any bytes-like object. `bytes` are not copied.
pub struct Data<'py>(Bound<'py, PyBytes>);

impl<'py> Data<'py> {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The bytes as an object.
    pub fn into_object(self) -> Bound<'py, PyBytes> {
        self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Data<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Self(bytes.to_owned()));
        }
        if let Ok(text) = value.cast::<PyString>() {
            return encode(&text).map(Self);
        }
        if let Ok(bytes) = value.cast::<PyByteArray>() {
            return Ok(Self(PyBytes::new(py, &bytes.to_vec())));
        }
        let view = PyMemoryView::from(&value).map_err(|_| {
            let name = value.get_type().name().map(|name| name.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!("str or a bytes-like object is needed, not {name}"))
        })?;
        let bytes = view.call_method0(intern!(py, "tobytes"))?;
        Ok(Self(bytes.cast_into::<PyBytes>()?))
    }
}

/// `str` as UTF-8.
pub fn encode<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    // Only a text with surrogates fails here.
    if let Ok(bytes) = text.encode_utf8() {
        return Ok(bytes);
    }
    let py = text.py();
    // By way of the type: a subclass may have put something else in place of the method.
    let bytes = PyString::type_object(py).call_method1(
        intern!(py, "encode"),
        (text, intern!(py, "utf-8"), intern!(py, "surrogateescape")),
    )?;
    Ok(bytes.cast_into::<PyBytes>()?)
}

/// Bytes as `str`.
pub fn decode<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => PyString::from_encoded_object(
            &PyBytes::new(py, bytes),
            Some(c"utf-8"),
            Some(c"surrogateescape"),
        ),
    }
}
