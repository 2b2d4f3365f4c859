//! The attributes in front of a query: they end where the text begins, and survive being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::query_attributes::{encode, parse, split};

fuzz_target!(|input: &[u8]| {
    let Ok((block, text)) = split(input) else { return };
    assert_eq!([block, text].concat(), input);
    let attributes = parse(block).expect("a block was read");
    // The type of a NULL may be one that has no values.
    let encoded = encode(&attributes).expect("values of their types");
    assert_eq!(split(&encoded), Ok((&encoded[..], &b""[..])));
    let again = parse(&encoded).expect("a block was written");
    // NaN is not equal to itself, its bytes are.
    assert_eq!(encode(&again).as_ref(), Ok(&encoded));
});
