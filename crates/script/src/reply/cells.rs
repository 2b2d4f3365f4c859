//! One cell of a row in the text protocol, which is also where cells of the binary protocol start from.

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use pyproxy_native::values::append_scalar;

use crate::codec::Codec;
use crate::text;

/// Appends the text of `value` to `out`; `false`, and nothing appended, for NULL.
pub fn encode(value: &Bound<'_, PyAny>, codec: Codec, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(string) = value.cast::<PyString>() {
        codec.encode(string, out)?;
    } else if value.is_none() {
        return Ok(false);
    } else if let Ok(bytes) = value.cast::<PyBytes>() {
        out.extend_from_slice(bytes.as_bytes());
    } else if !append_scalar(value, out)? {
        if value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>() {
            out.extend_from_slice(&text::to_bytes(value, "a cell")?);
        } else {
            codec.encode(&value.str()?, out)?;
        }
    }
    Ok(true)
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
