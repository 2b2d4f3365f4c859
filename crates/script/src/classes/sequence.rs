//! Indexing as Python does it: negative indexes count from the end, slices give a list.

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PySlice};

/// `items[index]` for a sequence of `len` items made by `item`.
pub fn get<'py, T>(
    index: &Bound<'py, PyAny>,
    len: usize,
    mut item: impl FnMut(usize) -> PyResult<T>,
) -> PyResult<Bound<'py, PyAny>>
where
    T: IntoPyObject<'py>,
{
    let py = index.py();
    if let Ok(slice) = index.cast::<PySlice>() {
        let range = slice.indices(isize::try_from(len)?)?;
        let list = PyList::empty(py);
        let mut position = range.start;
        for _ in 0..range.slicelength {
            list.append(item(usize::try_from(position)?)?)?;
            position = position.saturating_add(range.step);
        }
        return Ok(list.into_any());
    }
    let position: isize =
        index.extract().map_err(|_| PyTypeError::new_err("indices must be integers or slices"))?;
    let position = if position < 0 {
        len.checked_sub(position.unsigned_abs())
    } else {
        usize::try_from(position).ok().filter(|position| *position < len)
    };
    let position = position.ok_or_else(|| PyIndexError::new_err("index out of range"))?;
    item(position)?.into_bound_py_any(py)
}
