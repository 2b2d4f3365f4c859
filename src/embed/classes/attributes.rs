//! What Python does to set an attribute, for classes that look first whether it may be set.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

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
