//! What goes wrong with packets, as a Python exception.

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::{Borrowed, create_exception};
use wire::WireError;

create_exception!(
    pyproxy.proto,
    PacketError,
    PyValueError,
    "Bytes that are not the packet they should be, or fields that cannot become one."
);

/// A `PacketError` with the text of `error`.
pub fn packet(error: WireError) -> PyErr {
    PacketError::new_err(error.to_string())
}

/// A number for a field of a packet. One that the field cannot hold is a `PacketError`.
pub struct Number<T>(pub T);

impl<'a, 'py, T> FromPyObject<'a, 'py> for Number<T>
where
    T: FromPyObject<'a, 'py, Error = PyErr>,
{
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        value.extract().map(Self).map_err(|error| {
            if error.is_instance_of::<PyOverflowError>(value.py()) {
                PacketError::new_err(format!("{} does not fit its field", *value))
            } else {
                error
            }
        })
    }
}

/// Adds the exception.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PacketError", module.py().get_type::<PacketError>())
}
