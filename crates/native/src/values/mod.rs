//! Cells and parameters: Python objects to the text that MySQL has for them, values of the binary protocol to Python
//! objects and back.

mod decode;
mod text;

use wire::binary::ValueType;
use wire::result::ColumnType;

pub use decode::decode;
pub use text::{append_scalar, text_of};

/// A type as Python gives it: its byte, and whether integers are unsigned.
pub type TypePair = (u8, bool);

/// The type that the pair means.
pub fn value_type((column_type, unsigned): TypePair) -> ValueType {
    ValueType { column_type: ColumnType(column_type), unsigned }
}
