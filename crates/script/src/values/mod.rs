//! Cells and parameters: Python objects to the text that MySQL has for them, values of the binary protocol to Python
//! objects.

mod decode;
mod scalar;

pub use decode::decode;
pub use scalar::{Scalar, append_scalar};
