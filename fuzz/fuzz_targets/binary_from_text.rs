//! Text cells as binary values. The first two bytes of the input are the type, the rest is the
//! cell.
//!
//! What the text was read as must write, read back as itself, and give the same value from its own
//! text form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::binary::{BinaryValue, ValueType};
use wire::{Reader, Writer};

fuzz_target!(|input: &[u8]| {
    let mut r = Reader::new(input);
    let Ok(value_type) = ValueType::read(&mut r) else { return };
    let Ok(value) = BinaryValue::from_text(r.rest(), value_type) else { return };
    let text = match value {
        BinaryValue::Date(date) => Some(date.to_string()),
        BinaryValue::DateTime(value) => Some(value.to_string()),
        BinaryValue::Time(time) => Some(time.to_string()),
        _ => None,
    };
    if let Some(text) = text {
        assert_eq!(BinaryValue::from_text(text.as_bytes(), value_type), Ok(value));
    }
    let mut bytes = Vec::new();
    if value.write(&mut Writer::new(&mut bytes), value_type).is_err() {
        assert!(matches!(value, BinaryValue::Int(_) | BinaryValue::UInt(_)));
        return;
    }
    let mut r = Reader::new(&bytes);
    let again = BinaryValue::read(&mut r, value_type).expect("a value was written");
    assert!(r.is_empty());
    let mut bytes_again = Vec::new();
    again.write(&mut Writer::new(&mut bytes_again), value_type).expect("the same value");
    assert_eq!(bytes_again, bytes);
});
