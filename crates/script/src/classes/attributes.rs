//! What Python does to read or set an attribute, for classes that look first whether that may be.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// `object.__getattribute__`.
pub fn get<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: INV-8: live objects; gives a new reference, or NULL with an error set.
    unsafe {
        let value = ffi::PyObject_GenericGetAttr(object.as_ptr(), name.as_ptr());
        Bound::from_owned_ptr_or_err(object.py(), value)
    }
}

/// `object.__setattr__`, or `object.__delattr__` without a value.
pub fn set(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let value = value.map_or(std::ptr::null_mut(), Bound::as_ptr);
    // SAFETY: INV-8: live objects; NULL as the value means to delete. Gives -1 with an error set, else 0.
    let status = unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value) };
    if status == 0 { Ok(()) } else { Err(PyErr::fetch(object.py())) }
}
