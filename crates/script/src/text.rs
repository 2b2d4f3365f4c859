//! Bytes of the wire as `str`, and what scripts pass as text or data.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use pyo3::{Bound, ffi};

/// The error handler that lets undecodable bytes survive and encode back unchanged.
pub const SURROGATES: &std::ffi::CStr = c"surrogateescape";

/// Bytes that are meant as UTF-8 text.
#[inline]
pub fn to_str<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let len = isize::try_from(bytes.len())?;
    // SAFETY: INV-8: the pointer is valid for `len` bytes, the handler's name is a C string; gives a new reference
    // or sets an error.
    unsafe {
        let raw = ffi::PyUnicode_DecodeUTF8(bytes.as_ptr().cast(), len, SURROGATES.as_ptr());
        Bound::from_owned_ptr_or_err(py, raw)
    }
}

/// What a script gave as text or data: `str` as UTF-8, or any bytes-like object.
pub fn to_bytes(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Ok(text) = value.cast::<PyString>() {
        let mut bytes = Vec::new();
        encode(text, c"utf-8", &mut bytes)?;
        return Ok(bytes);
    }
    match buffer(value)? {
        Some(bytes) => Ok(bytes.as_bytes().to_vec()),
        None => Err(PyTypeError::new_err(format!(
            "{what} must be str or a bytes-like object, not {}",
            value.get_type().name()?
        ))),
    }
}

/// A copy of what a bytes-like object holds; `None` for everything else.
pub fn buffer<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    // SAFETY: INV-8: a live object.
    if unsafe { ffi::PyObject_CheckBuffer(value.as_ptr()) } == 0 {
        return Ok(None);
    }
    // SAFETY: INV-8: as above; gives a new reference or sets an error.
    let copy = unsafe {
        Bound::from_owned_ptr_or_err(value.py(), ffi::PyBytes_FromObject(value.as_ptr()))
    }?;
    Ok(Some(copy.cast_into::<PyBytes>()?))
}

/// Appends `text` in the encoding that Python calls `codec`.
pub fn encode(
    text: &Bound<'_, PyString>,
    codec: &std::ffi::CStr,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    // SAFETY: INV-8: a live str and two C strings; gives a new reference or sets an error.
    let bytes = unsafe {
        let raw =
            ffi::PyUnicode_AsEncodedString(text.as_ptr(), codec.as_ptr(), SURROGATES.as_ptr());
        Bound::from_owned_ptr_or_err(text.py(), raw)
    }?;
    out.extend_from_slice(bytes.cast::<PyBytes>()?.as_bytes());
    Ok(())
}

/// Whether `value` is one piece of text or data rather than a collection.
pub fn is_data(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>()
}
