//! Tests of query attributes, whose bytes were checked with MySQL 9.7.

use super::*;
use crate::binary::{Date, DateTime, Time};

/// A block with one attribute `n` of this type, flags included.
fn block(type_bytes: [u8; 2], value: &[u8]) -> Vec<u8> {
    [b"\x01\x01\x00\x01", &type_bytes[..], b"\x01n", value].concat()
}

/// The value of the only attribute, and the text behind it.
fn value(argument: &[u8]) -> Result<(BinaryValue<'_>, &[u8]), WireError> {
    let (block, text) = split(argument)?;
    let [attribute] = parse(block)?.try_into().expect("one attribute");
    assert_eq!(attribute.name, b"n");
    Ok((attribute.value.expect("a value"), text))
}

#[test]
fn a_query_without_attributes_is_its_text() {
    assert_eq!(split(b"\x00\x01SELECT 1"), Ok((NONE, &b"SELECT 1"[..])));
    assert_eq!(split(b"\xfc\0\0\x01"), Ok((&b"\xfc\0\0\x01"[..], &b""[..])), "a longer form");
    assert_eq!(parse(NONE), Ok(Vec::new()));
    assert_eq!(encode(&[]).as_deref(), Ok(NONE));
}

#[test]
fn values_of_every_type() {
    let date = Date { year: 2024, month: 2, day: 3 };
    let moment = DateTime { date, hour: 4, minute: 5, second: 6, micros: 0 };
    let exact = DateTime { micros: 1, ..moment };
    let span = Time { negative: true, days: 2, hours: 4, minutes: 5, seconds: 6, micros: 0 };
    let text = BinaryValue::Bytes(b"ab");
    let values: [([u8; 2], &[u8], BinaryValue<'_>); 24] = [
        ([1, 0], b"\x85", BinaryValue::Int(-123)),
        ([1, 0x80], b"\x85", BinaryValue::UInt(133)),
        ([2, 0], b"\x85\xff", BinaryValue::Int(-123)),
        ([3, 0], b"\x85\xff\xff\xff", BinaryValue::Int(-123)),
        ([3, 0x80], b"\x85\xff\xff\xff", BinaryValue::UInt(4_294_967_173)),
        ([8, 0], b"\x85\xff\xff\xff\xff\xff\xff\xff", BinaryValue::Int(-123)),
        ([8, 0x80], b"\x85\xff\xff\xff\xff\xff\xff\xff", BinaryValue::UInt(u64::MAX - 122)),
        ([4, 0], &1.5f32.to_le_bytes(), BinaryValue::Float(1.5)),
        ([5, 0], &1.25f64.to_le_bytes(), BinaryValue::Double(1.25)),
        ([10, 0], b"\x04\xe8\x07\x02\x03", BinaryValue::Date(date)),
        ([12, 0], b"\x07\xe8\x07\x02\x03\x04\x05\x06", BinaryValue::DateTime(moment)),
        ([7, 0], b"\x0b\xe8\x07\x02\x03\x04\x05\x06\x01\0\0\0", BinaryValue::DateTime(exact)),
        ([11, 0], b"\x08\x01\x02\0\0\0\x04\x05\x06", BinaryValue::Time(span)),
        ([0, 0], b"\x02ab", text),
        ([15, 0], b"\x02ab", text),
        ([245, 0], b"\x02ab", text),
        ([246, 0], b"\x02ab", text),
        ([249, 0], b"\x02ab", text),
        ([250, 0], b"\x02ab", text),
        ([251, 0], b"\x02ab", text),
        ([252, 0], b"\x02ab", text),
        ([253, 0x80], b"\x02ab", text),
        ([253, 0], b"\x02ab", text),
        ([254, 0], b"\x02ab", text),
    ];
    for (type_bytes, bytes, expected) in values {
        let block = block(type_bytes, bytes);
        let argument = [&block[..], b"SELECT 1"].concat();
        assert_eq!(value(&argument), Ok((expected, &b"SELECT 1"[..])), "{type_bytes:?}");
        if type_bytes != [253, 0x80] {
            assert_eq!(encode(&parse(&block).unwrap()), Ok(block));
        }
    }
}

#[test]
fn several_attributes_keep_their_order() {
    let golden = b"\x03\x01\x02\x01\xfd\0\x01a\x08\0\0\xfd\0\x01a\x011\x012SELECT";
    let (block, text) = split(golden).unwrap();
    assert_eq!(text, b"SELECT");
    let attributes = parse(block).unwrap();
    let named: Vec<_> = attributes.iter().map(|param| (param.name, param.value)).collect();
    let expected: [(&[u8], _); 3] = [
        (b"a", Some(BinaryValue::Bytes(b"1"))),
        (b"", Some(BinaryValue::Null)),
        (b"a", Some(BinaryValue::Bytes(b"2"))),
    ];
    assert_eq!(named, expected);
    assert_eq!(encode(&attributes).as_deref(), Ok(block));
}

/// The server answers most of these with error 1835; what it reads otherwise than a column is refused here.
#[test]
fn what_has_no_certain_end_is_refused() {
    let refused: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\0\0SELECT 1",
        b"\0\x02SELECT 1",
        b"\xfb\x01SELECT 1",
        b"\xff\x01SELECT 1",
        b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01SELECT 1",
        b"\xfd\0\0\x01\x01SELECT 1",
        b"\x01\x01\0\0\xfd\0\x01n\x02abSELECT 1",
        b"\x01\x01\0\x01\xfd\0\xfb\x02abSELECT 1",
        b"\x01\x01\0\x01\xfd\0\x01n\xffSELECT 1",
        b"\x01\x01\0\x01\xfd\0\x01n\xfe\x02\0\0\0\x01\0\0\0abSELECT 1",
    ];
    for argument in refused {
        assert!(split(argument).is_err(), "{}", argument.escape_ascii());
    }
    for type_bytes in [[6, 0], [9, 0], [13, 0], [14, 0], [17, 0], [100, 0], [8, 1], [253, 0x40]] {
        let argument = block(type_bytes, b"\x08abcdefgh");
        let error = WireError::UnknownType(type_bytes[0]);
        assert_eq!(split(&argument), Err(error), "{type_bytes:?}");
    }
    let bits: [(u8, &[u8]); 2] = [(12, b"\x05\xe8\x07\x02\x03\x04"), (253, b"\xfcab")];
    for (column_type, bytes) in bits {
        assert!(split(&block([column_type, 0], bytes)).is_err());
    }
    let tiny = block([1, 0], b"\x01");
    let none = Param { value: None, ..parse(&tiny).unwrap()[0] };
    assert_eq!(encode(&[none]), Err(WireError::ValueMismatch { column_type: 1 }));
}

#[test]
fn a_cut_block_is_refused() {
    let whole = b"\x02\x01\x01\x01\xfd\0\x01a\x08\0\x01b\0\0\0\0\0\0\0\0";
    for end in 0..whole.len() {
        assert!(split(&whole[..end]).is_err(), "cut at {end}");
    }
    assert_eq!(split(whole), Ok((&whole[..], &b""[..])));
}
