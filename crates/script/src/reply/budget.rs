//! A bound for what a script makes.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What is left of the memory that an answer may take. A generator may have no end.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    /// What a packet takes besides its bytes.
    const OVERHEAD: usize = 48;

    /// For an answer of at most so many bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self(max_bytes)
    }

    /// Takes a packet off; the error says that it is too much.
    pub fn spend(&mut self, bytes: usize) -> PyResult<()> {
        match self.0.checked_sub(bytes.saturating_add(Self::OVERHEAD)) {
            Some(left) => self.0 = left,
            None => {
                return Err(PyValueError::new_err(
                    "the answer is larger than pyproxy-max-kept-bytes",
                ));
            }
        }
        Ok(())
    }
}
