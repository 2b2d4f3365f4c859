//! One value of the binary protocol, read and written by its type.
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>,
//! "Binary Protocol Value".

use super::value_type::Storage;
use super::{Date, DateTime, Time, ValueType};
use crate::{Reader, WireError, Writer};

/// A cell or a parameter. Strings borrow from the packet.
///
/// One [`ValueType`] gives always the same variant, or `Null`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BinaryValue<'p> {
    /// NULL; takes no bytes behind the NULL bitmap.
    Null,
    /// Integer of a signed type.
    Int(i64),
    /// Integer of an unsigned type.
    UInt(u64),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// Everything that is sent as a string: text, blobs, DECIMAL, BIT, JSON, GEOMETRY and others.
    Bytes(&'p [u8]),
    /// DATE.
    Date(Date),
    /// DATETIME or TIMESTAMP.
    DateTime(DateTime),
    /// TIME.
    Time(Time),
}

impl<'p> BinaryValue<'p> {
    /// Takes a value that the NULL bitmap does not call NULL.
    pub fn read(r: &mut Reader<'p>, value_type: ValueType) -> Result<Self, WireError> {
        let unsigned = value_type.unsigned;
        Ok(match value_type.storage()? {
            Storage::Null => Self::Null,
            Storage::Int1 if unsigned => Self::UInt(r.u8()?.into()), // int<1>
            Storage::Int1 => Self::Int(i8::from_le_bytes(r.array()?).into()),
            Storage::Int2 if unsigned => Self::UInt(r.u16()?.into()), // int<2>
            Storage::Int2 => Self::Int(i16::from_le_bytes(r.array()?).into()),
            Storage::Int4 if unsigned => Self::UInt(r.u32()?.into()), // int<4>
            Storage::Int4 => Self::Int(i32::from_le_bytes(r.array()?).into()),
            Storage::Int8 if unsigned => Self::UInt(r.u64()?), // int<8>
            Storage::Int8 => Self::Int(i64::from_le_bytes(r.array()?)),
            Storage::Float => Self::Float(f32::from_le_bytes(r.array()?)), // 4 bytes, IEEE 754
            Storage::Double => Self::Double(f64::from_le_bytes(r.array()?)), // 8 bytes, IEEE 754
            Storage::Date => Self::Date(Date::read(r)?),
            Storage::DateTime => Self::DateTime(DateTime::read(r)?),
            Storage::Time => Self::Time(Time::read(r)?),
            Storage::Bytes => Self::Bytes(r.lenenc_bytes()?), // string<lenenc>
        })
    }

    /// Appends the value; NULL appends nothing, its bit in the bitmap is the caller's.
    ///
    /// Refuses a value that is not one of this type, and an integer out of its range. `Int` and
    /// `UInt` stand for each other; other variants must be the one that reading the type gives.
    pub fn write(&self, w: &mut Writer<'_>, value_type: ValueType) -> Result<(), WireError> {
        let storage = value_type.storage()?;
        match (*self, storage) {
            (Self::Null, _) => {}
            (Self::Int(n), _) => return write_int(n.into(), w, value_type, storage),
            (Self::UInt(n), _) => return write_int(n.into(), w, value_type, storage),
            (Self::Float(n), Storage::Float) => w.bytes(&n.to_le_bytes()),
            (Self::Double(n), Storage::Double) => w.bytes(&n.to_le_bytes()),
            (Self::Bytes(bytes), Storage::Bytes) => w.lenenc_bytes(bytes),
            (Self::Date(date), Storage::Date) => date.write(w),
            (Self::DateTime(value), Storage::DateTime) => value.write(w),
            (Self::Time(time), Storage::Time) => time.write(w),
            _ => return Err(mismatch(value_type)),
        }
        Ok(())
    }

    /// Makes a value of this type from a cell of the text protocol.
    ///
    /// Refuses text that is not one value of the type, and what MySQL has no number for: NaN and
    /// what is too large for a FLOAT or DOUBLE. Integers are checked for 64 bits here and for the
    /// range of a narrower type when they are written.
    pub fn from_text(text: &'p [u8], value_type: ValueType) -> Result<Self, WireError> {
        let unsigned = value_type.unsigned;
        let value = match value_type.storage()? {
            Storage::Null => None,
            Storage::Int1 | Storage::Int2 | Storage::Int4 | Storage::Int8 if unsigned => {
                number(text).map(Self::UInt)
            }
            Storage::Int1 | Storage::Int2 | Storage::Int4 | Storage::Int8 => {
                number(text).map(Self::Int)
            }
            Storage::Float => number(text).filter(|n: &f32| n.is_finite()).map(Self::Float),
            Storage::Double => number(text).filter(|n: &f64| n.is_finite()).map(Self::Double),
            Storage::Date => Date::from_text(text).map(Self::Date),
            Storage::DateTime => DateTime::from_text(text).map(Self::DateTime),
            Storage::Time => Time::from_text(text).map(Self::Time),
            Storage::Bytes => Some(Self::Bytes(text)),
        };
        value.ok_or_else(|| mismatch(value_type))
    }
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

const fn mismatch(value_type: ValueType) -> WireError {
    WireError::ValueMismatch { column_type: value_type.column_type.0 }
}

/// Appends an integer. 128 bits hold both `i64` and `u64`.
fn write_int(
    n: i128,
    w: &mut Writer<'_>,
    value_type: ValueType,
    storage: Storage,
) -> Result<(), WireError> {
    let written = match (storage, value_type.unsigned) {
        (Storage::Int1, false) => i8::try_from(n).map(|n| w.bytes(&n.to_le_bytes())),
        (Storage::Int1, true) => u8::try_from(n).map(|n| w.u8(n)),
        (Storage::Int2, false) => i16::try_from(n).map(|n| w.bytes(&n.to_le_bytes())),
        (Storage::Int2, true) => u16::try_from(n).map(|n| w.u16(n)),
        (Storage::Int4, false) => i32::try_from(n).map(|n| w.bytes(&n.to_le_bytes())),
        (Storage::Int4, true) => u32::try_from(n).map(|n| w.u32(n)),
        (Storage::Int8, false) => i64::try_from(n).map(|n| w.bytes(&n.to_le_bytes())),
        (Storage::Int8, true) => u64::try_from(n).map(|n| w.u64(n)),
        _ => return Err(mismatch(value_type)),
    };
    written.map_err(|_| mismatch(value_type))
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
