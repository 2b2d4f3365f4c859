//! Properties of the binary protocol and of prepared statements: what is encoded decodes to itself,
//! and no input makes a decoder panic.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use wire::binary::{BinaryValue, Date, DateTime, Time, ValueType};
use wire::password;
use wire::result::{
    BinaryRow, ColumnType, TextRow, encode_binary_row, encode_binary_row_from_text, encode_text_row,
};
use wire::statement::{
    PARAMETER_COUNT_AVAILABLE, Param, Params, StmtClose, StmtExecute, StmtFetch, StmtPrepare,
    StmtReset, StmtSendLongData,
};
use wire::{Capabilities, query_attributes};

/// A value that owns its bytes, and its type.
#[derive(Debug, Clone)]
enum Cell {
    Plain(ValueType, BinaryValue<'static>),
    Bytes(ValueType, Vec<u8>),
}

impl Cell {
    fn value_type(&self) -> ValueType {
        match self {
            Self::Plain(value_type, _) | Self::Bytes(value_type, _) => *value_type,
        }
    }

    fn value(&self) -> BinaryValue<'_> {
        match self {
            Self::Plain(_, value) => *value,
            Self::Bytes(_, bytes) => BinaryValue::Bytes(bytes),
        }
    }

    /// The cell of a text row.
    fn text(&self) -> Option<Vec<u8>> {
        Some(match self.value() {
            BinaryValue::Null => return None,
            BinaryValue::Int(n) => n.to_string().into(),
            BinaryValue::UInt(n) => n.to_string().into(),
            BinaryValue::Float(n) => n.to_string().into(),
            BinaryValue::Double(n) => n.to_string().into(),
            BinaryValue::Bytes(bytes) => bytes.to_vec(),
            BinaryValue::Date(date) => date.to_string().into(),
            BinaryValue::DateTime(value) => value.to_string().into(),
            BinaryValue::Time(time) => time.to_string().into(),
        })
    }
}

fn integer() -> impl Strategy<Value = Cell> {
    // Zeros and extremes are as likely as all else together.
    let bits = prop_oneof![any::<u64>(), Just(0), Just(u64::MAX), Just(1 << 63)];
    (0..6_usize, any::<bool>(), bits).prop_map(|(kind, unsigned, bits)| {
        let [column_type, width] = [
            [ColumnType::TINY.0, 8],
            [ColumnType::SHORT.0, 16],
            [ColumnType::YEAR.0, 16],
            [ColumnType::INT24.0, 32],
            [ColumnType::LONG.0, 32],
            [ColumnType::LONGLONG.0, 64],
        ][kind];
        let shift = 64 - width;
        let value = if unsigned {
            BinaryValue::UInt(bits >> shift)
        } else {
            BinaryValue::Int(i64::from_ne_bytes(bits.to_ne_bytes()) >> shift)
        };
        Cell::Plain(ValueType { column_type: ColumnType(column_type), unsigned }, value)
    })
}

/// Dates and times that the text form can tell.
fn temporal() -> impl Strategy<Value = Cell> {
    let date = (0..=9999_u16, 0..=12_u8, 0..=31_u8).prop_map(|(year, month, day)| Date {
        year,
        month,
        day,
    });
    let date = prop_oneof![Just(Date::default()), date];
    let micros = prop_oneof![Just(0), 0..=999_999_u32];
    let clock = prop_oneof![Just((0, 0, 0)), (0..=23_u8, 0..=59_u8, 0..=59_u8)];
    let days = prop_oneof![Just(0), 0..=40_000_000_u32];
    (0..4_usize, date, clock, micros, days, any::<bool>()).prop_map(
        |(kind, date, (hour, minute, second), micros, days, negative)| {
            let date_time = DateTime { date, hour, minute, second, micros };
            let time =
                Time { negative, days, hours: hour, minutes: minute, seconds: second, micros };
            let (column_type, value) = [
                (ColumnType::DATE, BinaryValue::Date(date)),
                (ColumnType::DATETIME, BinaryValue::DateTime(date_time)),
                (ColumnType::TIMESTAMP, BinaryValue::DateTime(date_time)),
                (ColumnType::TIME, BinaryValue::Time(time)),
            ][kind];
            Cell::Plain(ValueType::new(column_type), value)
        },
    )
}

fn cell() -> impl Strategy<Value = Cell> {
    let bytes = prop_oneof![vec(any::<u8>(), 0..20), vec(any::<u8>(), 248..258)];
    prop_oneof![
        integer(),
        temporal(),
        // NaN is not equal to itself.
        any::<f32>().prop_filter("NaN", |n| !n.is_nan()).prop_map(|n| {
            Cell::Plain(ValueType::new(ColumnType::FLOAT), BinaryValue::Float(n))
        }),
        any::<f64>().prop_filter("NaN", |n| !n.is_nan()).prop_map(|n| {
            Cell::Plain(ValueType::new(ColumnType::DOUBLE), BinaryValue::Double(n))
        }),
        bytes.prop_map(|bytes| Cell::Bytes(ValueType::new(ColumnType::VAR_STRING), bytes)),
        integer().prop_map(|cell| Cell::Plain(cell.value_type(), BinaryValue::Null)),
        Just(Cell::Plain(ValueType::new(ColumnType::NULL), BinaryValue::Null)),
    ]
}

fn types(cells: &[Cell]) -> Vec<ValueType> {
    cells.iter().map(Cell::value_type).collect()
}

/// Any types, known ones more often.
fn any_types() -> impl Strategy<Value = Vec<ValueType>> {
    let byte = prop_oneof![any::<u8>(), 0..17_u8, 245..=255_u8];
    let value_type = (byte, any::<bool>())
        .prop_map(|(byte, unsigned)| ValueType { column_type: ColumnType(byte), unsigned });
    vec(value_type, 0..12)
}

proptest! {
    #[test]
    fn binary_rows(cells in vec(cell(), 0..20)) {
        let types = types(&cells);
        let mut payload = Vec::new();
        encode_binary_row(&mut payload, &types, cells.iter().map(Cell::value)).unwrap();
        let read: Result<Vec<_>, _> = BinaryRow::parse(&payload, &types).unwrap().collect();
        prop_assert_eq!(read.unwrap(), cells.iter().map(Cell::value).collect::<Vec<_>>());
    }

    #[test]
    fn a_text_row_becomes_the_same_binary_row(cells in vec(cell(), 0..20)) {
        let types = types(&cells);
        let mut want = Vec::new();
        encode_binary_row(&mut want, &types, cells.iter().map(Cell::value)).unwrap();

        let text: Vec<_> = cells.iter().map(Cell::text).collect();
        let mut text_row = Vec::new();
        encode_text_row(&mut text_row, text.iter().map(Option::as_deref));
        let cells: Result<Vec<_>, _> = TextRow::new(&text_row).collect();
        let mut payload = Vec::new();
        encode_binary_row_from_text(&mut payload, &types, cells.unwrap()).unwrap();
        prop_assert_eq!(payload, want);
    }

    #[test]
    fn executions(
        statement_id: u32,
        flags: u8,
        iteration_count: u32,
        bound: bool,
        cells in vec(cell(), 0..20),
        long_data in btree_set(0..20_u16, 0..4),
        attributes in vec(cell(), 0..4),
        agreed: bool,
    ) {
        let params = (0..).zip(&cells).map(|(index, cell)| Param {
            value_type: cell.value_type(),
            value: (!long_data.contains(&index)).then(|| cell.value()),
            name: b"",
        });
        let capabilities =
            if agreed { Capabilities::QUERY_ATTRIBUTES } else { Capabilities::empty() };
        let is_counted = agreed && (!cells.is_empty() || flags & PARAMETER_COUNT_AVAILABLE != 0);
        let has_attributes = bound && !cells.is_empty();
        let attributes = attributes.iter().filter(|_| has_attributes).map(|cell| Param {
            value_type: cell.value_type(),
            value: Some(cell.value()),
            name: b"name",
        });
        let execute = StmtExecute {
            statement_id,
            flags,
            iteration_count,
            new_params_bound: bound && !cells.is_empty(),
            params: Params::Typed(params.collect()),
            attributes: is_counted.then(|| attributes.collect()),
        };
        let payload = execute.encode().unwrap();
        let count = u16::try_from(cells.len()).unwrap();
        let types = types(&cells);
        let known = (!bound).then_some(&types[..]);
        prop_assert_eq!(StmtExecute::statement_id(&payload), Ok(statement_id));
        prop_assert_eq!(StmtExecute::parse(&payload, capabilities, count, known, &long_data), Ok(execute));
    }

    #[test]
    fn short_commands(statement_id: u32, rows: u32, param: u16, data in vec(any::<u8>(), 0..300)) {
        let close = StmtClose { statement_id };
        prop_assert_eq!(StmtClose::parse(&close.encode()), Ok(close));
        let reset = StmtReset { statement_id };
        prop_assert_eq!(StmtReset::parse(&reset.encode()), Ok(reset));
        let fetch = StmtFetch { statement_id, rows };
        prop_assert_eq!(StmtFetch::parse(&fetch.encode()), Ok(fetch));
        let piece = StmtSendLongData { statement_id, param, data: &data };
        let payload = piece.encode();
        prop_assert_eq!(StmtSendLongData::parse(&payload), Ok(piece));
        let prepare = StmtPrepare { query: &data };
        let payload = prepare.encode();
        prop_assert_eq!(StmtPrepare::parse(&payload), Ok(prepare));
    }

    #[test]
    fn passwords(
        secret in vec(any::<u8>(), 0..40),
        challenge: [u8; 20],
        end in option::of(any::<u8>()),
    ) {
        let hashed = password::hash(&secret);
        let stored = password::hash(&hashed);
        let challenge: Vec<u8> = challenge.into_iter().chain(end).collect();
        let answer = password::scramble(&challenge, &hashed).unwrap();
        prop_assert!(password::check(&challenge, &answer, &stored));
        prop_assert_eq!(password::unscramble(&challenge, &answer, &stored), Some(hashed));
        prop_assert!(!password::check(&challenge, &answer, &hashed));
    }

    #[test]
    fn no_input_makes_a_decoder_panic(
        start in prop_oneof![Just(0_u8), 0x16..=0x1c_u8, any::<u8>()],
        rest in vec(any::<u8>(), 0..120),
        types in any_types(),
        params in prop_oneof![0..12_u16, any::<u16>()],
        long_data in btree_set(0..12_u16, 0..4),
    ) {
        let bytes = [&[start][..], &rest].concat();
        // Only a panic fails here; what the decoders return is checked elsewhere.
        let _ = BinaryRow::parse(&bytes, &types).map(Iterator::count);
        let _ = StmtExecute::statement_id(&bytes);
        let _ = query_attributes::split(&rest);
        for known in [None, Some(&types[..])] {
            for capabilities in [Capabilities::empty(), Capabilities::QUERY_ATTRIBUTES] {
                let _ = StmtExecute::parse(&bytes, capabilities, params, known, &long_data)
                    .map(|e| e.encode());
            }
        }
        let _ = StmtPrepare::parse(&bytes);
        let _ = StmtClose::parse(&bytes);
        let _ = StmtReset::parse(&bytes);
        let _ = StmtFetch::parse(&bytes);
        let _ = StmtSendLongData::parse(&bytes);
        for &value_type in &types {
            let _ = BinaryValue::from_text(&bytes, value_type);
        }
    }
}
