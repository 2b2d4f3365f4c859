//! Text rows: cells survive a round trip, and nothing follows a malformed cell.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::result::{TextRow, encode_text_row};

fuzz_target!(|payload: &[u8]| {
    let mut cells = Vec::new();
    let mut row = TextRow::new(payload);
    while let Some(cell) = row.next() {
        let Ok(cell) = cell else {
            assert_eq!(row.next(), None);
            return;
        };
        cells.push(cell);
    }
    let mut encoded = Vec::new();
    encode_text_row(&mut encoded, cells.iter().copied());
    let again: Result<Vec<_>, _> = TextRow::new(&encoded).collect();
    assert_eq!(again, Ok(cells));
});
