//! One cell of a row in the text protocol, which is also where cells of the binary protocol start from.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::codec::Codec;
use crate::text;
use crate::values::{Scalar, append_scalar};

/// What a cell is in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// None: NULL.
    Null,
    /// `str`, and the `str()` of what is none of the others.
    Text,
    /// `bytes` and its like.
    Bytes,
    /// A number, date or time, whose text has ASCII characters only.
    Scalar(Scalar),
}

/// Appends the text of `value` to `out`; nothing for NULL.
pub fn encode(value: &Bound<'_, PyAny>, codec: Codec, out: &mut Vec<u8>) -> PyResult<Kind> {
    if let Ok(string) = value.cast::<PyString>() {
        codec.encode(string, out)?;
        return Ok(Kind::Text);
    }
    if value.is_none() {
        return Ok(Kind::Null);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        out.extend_from_slice(bytes.as_bytes());
        return Ok(Kind::Bytes);
    }
    if let Some(scalar) = append_scalar(value, out)? {
        return Ok(Kind::Scalar(scalar));
    }
    if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
        out.extend_from_slice(&text::to_bytes(value, "a cell")?);
        return Ok(Kind::Bytes);
    }
    codec.encode(&value.str()?, out)?;
    Ok(Kind::Text)
}

/// Whether `text` is a number as servers write them: digits with a sign, a fraction and an exponent, if they have them.
pub fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let signed = |text: &[u8]| matches!(text, [b'+' | b'-', ..]);
    let mut rest = &text[usize::from(signed(text))..];
    let whole = digits(rest);
    rest = &rest[whole..];
    let mut fraction = 0;
    if let [b'.', behind @ ..] = rest {
        fraction = digits(behind);
        rest = &behind[fraction..];
    }
    if whole + fraction == 0 {
        return false;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = &exponent[usize::from(signed(exponent))..];
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn numbers() {
        for number in ["0", "-1", "+1", "007", "1.5", "1.", ".5", "-0.0", "1e+22", "1E-3", "1.5e3"]
        {
            assert!(is_number(number.as_bytes()), "{number}");
        }
        for other in [
            "", "-", ".", "e1", "1e", "1e+", "1 ", " 1", "1,5", "0x1", "nan", "inf", "1.5.2",
            "--1", "1e1.5",
        ] {
            assert!(!is_number(other.as_bytes()), "{other}");
        }
    }
}
