//! Tests of [`BinaryValue`]: golden bytes, refusals, and the way from text.

use super::*;
use crate::result::ColumnType;

const fn signed(column_type: ColumnType) -> ValueType {
    ValueType::new(column_type)
}

const fn unsigned(column_type: ColumnType) -> ValueType {
    ValueType::unsigned(column_type)
}

fn write(value: BinaryValue<'_>, value_type: ValueType) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    value.write(&mut Writer::new(&mut out), value_type).map(|()| out)
}

#[test]
fn golden_both_ways() {
    let day = Date { year: 2010, month: 10, day: 17 };
    let noon = DateTime { date: day, hour: 12, ..DateTime::default() };
    let hour = Time { hours: 1, ..Time::default() };
    let golden: [(ValueType, &[u8], BinaryValue<'_>); 18] = [
        (signed(ColumnType::TINY), b"\xff", BinaryValue::Int(-1)),
        (unsigned(ColumnType::TINY), b"\xff", BinaryValue::UInt(255)),
        (signed(ColumnType::SHORT), b"\x00\x80", BinaryValue::Int(-32_768)),
        (unsigned(ColumnType::YEAR), b"\xda\x07", BinaryValue::UInt(2010)),
        (signed(ColumnType::INT24), b"\xff\xff\x7f\x00", BinaryValue::Int(0x7f_ffff)),
        (signed(ColumnType::LONG), b"\xfe\xff\xff\xff", BinaryValue::Int(-2)),
        (unsigned(ColumnType::LONG), b"\xff\xff\xff\xff", BinaryValue::UInt(0xffff_ffff)),
        (signed(ColumnType::LONGLONG), b"\0\0\0\0\0\0\0\x80", BinaryValue::Int(i64::MIN)),
        (unsigned(ColumnType::LONGLONG), &[0xff; 8], BinaryValue::UInt(u64::MAX)),
        (signed(ColumnType::FLOAT), b"\0\0\x24\x41", BinaryValue::Float(10.25)),
        (
            signed(ColumnType::DOUBLE),
            b"\x66\x66\x66\x66\x66\x66\x24\x40",
            BinaryValue::Double(10.2),
        ),
        (signed(ColumnType::NEWDECIMAL), b"\x041.50", BinaryValue::Bytes(b"1.50")),
        (signed(ColumnType::BIT), b"\x01\x05", BinaryValue::Bytes(b"\x05")),
        (signed(ColumnType::BLOB), b"\x00", BinaryValue::Bytes(b"")),
        (signed(ColumnType::DATE), b"\x04\xda\x07\x0a\x11", BinaryValue::Date(day)),
        (
            signed(ColumnType::TIMESTAMP),
            b"\x07\xda\x07\x0a\x11\x0c\0\0",
            BinaryValue::DateTime(noon),
        ),
        (signed(ColumnType::TIME), b"\x08\0\0\0\0\0\x01\0\0", BinaryValue::Time(hour)),
        (signed(ColumnType::NULL), b"", BinaryValue::Null),
    ];
    for (value_type, bytes, value) in golden {
        let mut r = Reader::new(bytes);
        assert_eq!(BinaryValue::read(&mut r, value_type), Ok(value), "{value_type:?}");
        assert!(r.is_empty(), "{value_type:?}");
        assert_eq!(write(value, value_type).as_deref(), Ok(bytes), "{value_type:?}");
        for end in 0..bytes.len() {
            let cut = BinaryValue::read(&mut Reader::new(&bytes[..end]), value_type);
            assert!(cut.is_err(), "{value_type:?} cut at {end}");
        }
    }
}

#[test]
fn integers_out_of_range_are_refused() {
    for (value_type, low, high) in [
        (signed(ColumnType::TINY), -128, 127),
        (unsigned(ColumnType::TINY), 0, 255),
        (signed(ColumnType::SHORT), -32_768, 32_767),
        (unsigned(ColumnType::SHORT), 0, 65_535),
        (signed(ColumnType::LONG), i64::from(i32::MIN), i64::from(i32::MAX)),
        (unsigned(ColumnType::LONG), 0, i64::from(u32::MAX)),
    ] {
        for inside in [low, high] {
            assert!(write(BinaryValue::Int(inside), value_type).is_ok(), "{inside}");
        }
        for outside in [low - 1, high + 1] {
            let error = WireError::ValueMismatch { column_type: value_type.column_type.0 };
            assert_eq!(write(BinaryValue::Int(outside), value_type), Err(error), "{outside}");
        }
    }
    assert!(write(BinaryValue::Int(-1), unsigned(ColumnType::LONGLONG)).is_err());
    assert!(write(BinaryValue::UInt(1 << 63), signed(ColumnType::LONGLONG)).is_err());
}

#[test]
fn a_value_of_another_type_is_refused() {
    for value_type in [ColumnType::LONG, ColumnType::FLOAT, ColumnType::DATE].map(signed) {
        assert!(write(BinaryValue::Bytes(b"1"), value_type).is_err(), "{value_type:?}");
    }
    assert!(write(BinaryValue::Int(1), signed(ColumnType::STRING)).is_err());
    assert!(write(BinaryValue::Double(1.0), signed(ColumnType::FLOAT)).is_err());
    assert!(write(BinaryValue::Int(1), signed(ColumnType::NULL)).is_err());
}

#[test]
fn an_unknown_type_is_refused() {
    let unknown = signed(ColumnType(200));
    let error = Err(WireError::UnknownType(200));
    assert_eq!(BinaryValue::read(&mut Reader::new(&[0; 16]), unknown), error);
    assert_eq!(BinaryValue::from_text(b"1", unknown), error);
    assert_eq!(write(BinaryValue::Null, unknown), Err(WireError::UnknownType(200)));
}

#[test]
fn text_becomes_what_the_type_demands() {
    let day = Date { year: 2010, month: 10, day: 17 };
    for (value_type, text, value) in [
        (signed(ColumnType::LONG), "-5", BinaryValue::Int(-5)),
        (unsigned(ColumnType::LONG), "00042", BinaryValue::UInt(42)),
        (unsigned(ColumnType::LONGLONG), "18446744073709551615", BinaryValue::UInt(u64::MAX)),
        (signed(ColumnType::FLOAT), "1.5", BinaryValue::Float(1.5)),
        (signed(ColumnType::DOUBLE), "-1e300", BinaryValue::Double(-1e300)),
        (signed(ColumnType::DOUBLE), "7", BinaryValue::Double(7.0)),
        (signed(ColumnType::DATE), "2010-10-17", BinaryValue::Date(day)),
        (signed(ColumnType::VAR_STRING), "5", BinaryValue::Bytes(b"5")),
    ] {
        let found = BinaryValue::from_text(text.as_bytes(), value_type);
        assert_eq!(found, Ok(value), "{text}");
    }
}

#[test]
fn text_that_is_no_such_value_is_refused() {
    for (value_type, text) in [
        (signed(ColumnType::LONG), ""),
        (signed(ColumnType::LONG), "1.5"),
        (signed(ColumnType::LONG), " 1"),
        (signed(ColumnType::LONGLONG), "9223372036854775808"),
        (unsigned(ColumnType::LONGLONG), "-1"),
        (signed(ColumnType::DOUBLE), "abc"),
        (signed(ColumnType::DOUBLE), "nan"),
        (signed(ColumnType::DOUBLE), "1e309"),
        (signed(ColumnType::FLOAT), "-inf"),
        (signed(ColumnType::FLOAT), "1e39"),
        (signed(ColumnType::DATE), "today"),
        (signed(ColumnType::DATETIME), "2010-10-17 25:00:00"),
        (signed(ColumnType::TIME), "noon"),
        (signed(ColumnType::NULL), ""),
    ] {
        let error = WireError::ValueMismatch { column_type: value_type.column_type.0 };
        assert_eq!(BinaryValue::from_text(text.as_bytes(), value_type), Err(error), "{text}");
    }
    assert!(BinaryValue::from_text(b"\xff", signed(ColumnType::LONG)).is_err());
}
