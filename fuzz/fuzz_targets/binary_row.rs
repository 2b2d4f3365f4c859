//! Binary rows: values survive a round trip, and nothing follows a malformed value.
//!
//! The first byte of the input is the number of columns, then come their types as in the parameters
//! of an execution, then the row.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Reader;
use wire::binary::ValueType;
use wire::result::{BinaryRow, encode_binary_row};

fuzz_target!(|input: &[u8]| {
    let mut r = Reader::new(input);
    let Ok(columns) = r.u8() else { return };
    let types: Result<Vec<_>, _> = (0..columns).map(|_| ValueType::read(&mut r)).collect();
    let Ok(types) = types else { return };
    let Ok(mut row) = BinaryRow::parse(r.rest(), &types) else { return };
    let mut values = Vec::new();
    while let Some(value) = row.next() {
        let Ok(value) = value else {
            assert!(row.next().is_none());
            return;
        };
        values.push(value);
    }
    assert_eq!(values.len(), types.len());
    let mut encoded = Vec::new();
    encode_binary_row(&mut encoded, &types, values.iter().copied()).expect("values of their types");
    let again: Result<Vec<_>, _> =
        BinaryRow::parse(&encoded, &types).expect("a row was written").collect();
    let again = again.expect("values were written");
    // NaN is not equal to itself, its bytes are.
    let mut encoded_again = Vec::new();
    encode_binary_row(&mut encoded_again, &types, again).expect("the same values");
    assert_eq!(encoded_again, encoded);
});
