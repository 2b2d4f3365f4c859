//! Query attributes: named values in front of the text of a COM_QUERY, on a connection with
//! [`QUERY_ATTRIBUTES`](crate::Capabilities::QUERY_ATTRIBUTES).
//!
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html>.
//! Where the text begins depends on the types of the values, so a type is refused which the server
//! reads in another way than a column has it (seen in MySQL 9.7: YEAR, INT24, NEWDATE, unknown types
//! and flags are strings there, NULL without its bit as well): nobody may take for the text what
//! the server does not.

use crate::binary::{BinaryValue, NullBitmap, NullBitmapSpace, ValueType};
use crate::reader::length;
use crate::result::ColumnType;
use crate::statement::Param;
use crate::{Reader, WireError, Writer};

/// The block of a query without attributes.
pub const NONE: &[u8] = &[0, 1];

/// Values have no unused bits in front of their NULL bitmap.
const NULL_OFFSET: usize = 0;

/// What stands behind the command byte of a COM_QUERY, taken apart: the attributes, for
/// [`parse`], and the text. Nothing is allocated.
pub fn split(argument: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let mut r = Reader::new(argument);
    read(&mut r, |_| ())?;
    let text = r.rest();
    let block = argument.get(..argument.len().saturating_sub(text.len()));
    Ok((block.unwrap_or_default(), text))
}

/// The attributes in a block, in their order. Names may be empty, or come more than once: the
/// server takes the first.
pub fn parse(block: &[u8]) -> Result<Vec<Param<'_>>, WireError> {
    let mut attributes = Vec::new();
    read(&mut Reader::new(block), |attribute| attributes.push(attribute))?;
    Ok(attributes)
}

/// The block of these attributes.
///
/// Refuses a value that is not one of its type, see [`BinaryValue::write`], and none at all.
pub fn encode(attributes: &[Param<'_>]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    w.lenenc(length(attributes.len()));
    w.lenenc(1);
    if attributes.is_empty() {
        return Ok(out);
    }
    let nulls = NullBitmapSpace::reserve(&mut out, attributes.len(), NULL_OFFSET);
    let mut w = Writer::new(&mut out);
    w.u8(1);
    for attribute in attributes {
        attribute.value_type.write(&mut w);
        w.lenenc_bytes(attribute.name);
    }
    for (index, attribute) in attributes.iter().enumerate() {
        let value_type = attribute.value_type;
        match attribute.value {
            None => {
                let column_type = value_type.column_type.0;
                return Err(WireError::ValueMismatch { column_type });
            }
            Some(BinaryValue::Null) => nulls.set_null(&mut out, index),
            Some(value) => value.write(&mut Writer::new(&mut out), value_type)?,
        }
    }
    Ok(out)
}

/// Takes a block.
fn read<'p>(r: &mut Reader<'p>, mut each: impl FnMut(Param<'p>)) -> Result<(), WireError> {
    let count = r.lenenc_int()?; // int<lenenc>
    match r.lenenc_int()? {
        1 => {} // int<lenenc>
        sets => return Err(WireError::ParameterSets(sets)),
    }
    if count == 0 {
        return Ok(());
    }
    let left = length(r.remaining());
    let count = usize::try_from(count)
        .map_err(|_| WireError::Truncated { needed: count.div_ceil(8), left })?;
    let nulls = NullBitmap::read(r, count, NULL_OFFSET)?; // binary<(n + 7) / 8>
    if r.u8()? == 0 {
        return Err(WireError::Untyped); // int<1>
    }
    let mut types = *r;
    for _ in 0..count {
        r.bytes(2)?; // int<2>
        r.lenenc_bytes()?; // string<lenenc>
    }
    for index in 0..count {
        let type_bytes = types.array()?;
        let name = types.lenenc_bytes()?;
        let (value_type, value) = if nulls.is_null(index) {
            (ValueType::read(&mut Reader::new(&type_bytes))?, BinaryValue::Null)
        } else {
            let value_type = unambiguous(type_bytes)?;
            (value_type, BinaryValue::read(r, value_type)?)
        };
        each(Param { value_type, value: Some(value), name });
    }
    Ok(())
}

/// The type of a value, if there is one way only to read it.
fn unambiguous(bytes: [u8; 2]) -> Result<ValueType, WireError> {
    let value_type = ValueType::read(&mut Reader::new(&bytes))?;
    let [type_byte, flags] = bytes;
    let is_string_to_server = matches!(
        value_type.column_type,
        ColumnType::NULL | ColumnType::YEAR | ColumnType::INT24 | ColumnType::NEWDATE
    );
    if is_string_to_server || flags & !ValueType::UNSIGNED_FLAG != 0 {
        return Err(WireError::UnknownType(type_byte));
    }
    Ok(value_type)
}

#[cfg(test)]
#[path = "query_attributes_tests.rs"]
mod tests;
