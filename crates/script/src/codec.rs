//! Character sets: how the text of a column becomes `str`, and back.
//!
//! Source of the collation ids: `information_schema.COLLATIONS` of MySQL 8.0 and MariaDB 11. A server converts text
//! to `character_set_results`, so all but UTF-8, latin1 and binary are rare.

use std::ffi::CStr;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyo3::{Bound, ffi};
use wire::collation;
use wire::result::ColumnType;

use crate::text;

/// How the cells of a column are shown to scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// `bytes`.
    Bytes,
    /// `str`, sent as UTF-8 (or ASCII).
    Utf8,
    /// `str`, by Python's codec of this name.
    Named(&'static CStr),
}

impl Codec {
    /// For the text form of a column's cells.
    pub fn of(charset: u16, column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::BIT | ColumnType::GEOMETRY | ColumnType::VECTOR => Self::Bytes,
            ColumnType::VARCHAR
            | ColumnType::VAR_STRING
            | ColumnType::STRING
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB
                if charset == collation::BINARY =>
            {
                Self::Bytes
            }
            _ => Self::of_collation(charset),
        }
    }

    /// Of text in this character set.
    pub fn of_collation(id: u16) -> Self {
        // MariaDB numbers the NO PAD variants from 1024 on.
        let id = if (1024..2048).contains(&id) { id - 1024 } else { id };
        let name = match id {
            1 | 84 => c"big5",
            2 | 9 | 21 | 27 | 77 => c"iso8859-2",
            // What MySQL calls latin1 is Windows code page 1252.
            5 | 8 | 15 | 31 | 47..=49 | 94 => c"cp1252",
            4 | 80 => c"cp850",
            6 | 72 => c"hp-roman8",
            7 | 74 => c"koi8-r",
            12 | 91 | 97 | 98 => c"euc-jp",
            13 | 88 => c"shift-jis",
            14 | 23 | 50..=52 => c"cp1251",
            16 | 71 => c"iso8859-8",
            18 | 89 => c"tis-620",
            19 | 85 => c"euc-kr",
            20 | 41 | 42 | 79 => c"iso8859-13",
            22 | 75 => c"koi8-u",
            24 | 86 => c"gb2312",
            25 | 70 => c"iso8859-7",
            26 | 34 | 44 | 66 | 99 => c"cp1250",
            28 | 87 => c"gbk",
            29 | 58 | 59 => c"cp1257",
            30 | 78 => c"iso8859-9",
            35 | 54 | 55 | 90 | 101..=124 | 128..=151 | 159 | 2560..3072 => c"utf-16-be",
            36 | 68 => c"cp866",
            38 | 43 => c"mac-latin2",
            39 | 53 => c"mac-roman",
            40 | 81 => c"cp852",
            56 | 62 => c"utf-16-le",
            57 | 67 => c"cp1256",
            60 | 61 | 160..=183 | 3072..3328 => c"utf-32-be",
            95 | 96 => c"cp932",
            248..=250 => c"gb18030",
            _ => return Self::Utf8,
        };
        Self::Named(name)
    }

    /// A cell for the script.
    #[inline]
    pub fn decode<'py>(self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Utf8 => text::to_str(py, bytes),
            Self::Bytes => Ok(PyBytes::new(py, bytes).into_any()),
            Self::Named(name) => {
                let len = isize::try_from(bytes.len())?;
                // SAFETY: INV-8: the pointer is valid for `len` bytes, the names are C strings; gives a new
                // reference or sets an error.
                unsafe {
                    let data = bytes.as_ptr().cast();
                    let raw =
                        ffi::PyUnicode_Decode(data, len, name.as_ptr(), text::SURROGATES.as_ptr());
                    Bound::from_owned_ptr_or_err(py, raw)
                }
            }
        }
    }

    /// Appends the bytes that a client expects for `text` in such a column.
    pub fn encode(self, text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> PyResult<()> {
        match (self, text.to_str()) {
            (Self::Named(name), _) => text::encode(text, name, out),
            (_, Ok(plain)) => {
                out.extend_from_slice(plain.as_bytes());
                Ok(())
            }
            (_, Err(_)) => text::encode(text, c"utf-8", out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::python;

    #[test]
    fn binary_columns_are_bytes_and_numbers_are_not() {
        assert_eq!(Codec::of(63, ColumnType::BLOB), Codec::Bytes);
        assert_eq!(Codec::of(63, ColumnType::STRING), Codec::Bytes);
        assert_eq!(Codec::of(45, ColumnType::BLOB), Codec::Utf8);
        assert_eq!(Codec::of(63, ColumnType::LONG), Codec::Utf8);
        assert_eq!(Codec::of(63, ColumnType::DATETIME), Codec::Utf8);
        assert_eq!(Codec::of(33, ColumnType::BIT), Codec::Bytes);
        assert_eq!(Codec::of(63, ColumnType::GEOMETRY), Codec::Bytes);
    }

    #[test]
    fn every_named_codec_exists_in_python() {
        python(|py| {
            for id in 0..4096 {
                if let Codec::Named(name) = Codec::of_collation(id) {
                    let text = Codec::Named(name).decode(py, b"").unwrap();
                    assert_eq!(text.extract::<String>().unwrap(), "", "{name:?}");
                }
            }
        });
    }

    #[test]
    fn text_goes_round() {
        python(|py| {
            let cases: [(u16, &[u8], &str); 5] = [
                (45, "żółw 🐢".as_bytes(), "żółw 🐢"),
                (8, b"caf\xe9 \x80", "café €"),
                (1032, b"\xe9", "é"),
                (51, b"\xef\xf0", "пр"),
                (54, b"\0a\x20\xac", "a€"),
            ];
            for (charset, bytes, want) in cases {
                let codec = Codec::of(charset, ColumnType::VAR_STRING);
                let text = codec.decode(py, bytes).unwrap().cast_into::<PyString>().unwrap();
                assert_eq!(text.to_str().unwrap(), want);
                let mut back = Vec::new();
                codec.encode(&text, &mut back).unwrap();
                assert_eq!(back, bytes);
            }
        });
    }

    #[test]
    fn undecodable_bytes_survive() {
        python(|py| {
            for charset in [45, 8] {
                let codec = Codec::of(charset, ColumnType::VAR_STRING);
                let bytes = b"a\x81\x8d";
                let text = codec.decode(py, bytes).unwrap().cast_into::<PyString>().unwrap();
                let mut back = Vec::new();
                codec.encode(&text, &mut back).unwrap();
                assert_eq!(back, bytes, "charset {charset}");
            }
        });
    }
}
