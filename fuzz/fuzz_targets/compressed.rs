//! Frames of the compressed protocol are recognised, and what answers one is such a frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::compressed::{answer_frame, is_frame};
use wire::packet::join;

fuzz_target!(|payload: &[u8]| {
    is_frame(payload);
    // A reader of ordinary packets takes the first four bytes of a frame for a header, and so loses the last three.
    let frame = answer_frame(payload);
    let (header, body) = frame.split_at(7);
    assert_eq!(usize::from(header[0]) | usize::from(header[1]) << 8, body.len() & 0xffff);
    assert_eq!(header[3..], [1, 0, 0, 0]);
    assert_eq!(join(body).unwrap(), [payload]);
    // The client's own first frame has the number 0 in both places.
    let mut first = frame.clone();
    first[10] = 0;
    assert!(is_frame(&first[4..first.len() - 3]));
    if !payload.is_empty() {
        assert!(!is_frame(&first[4..first.len() - 4]), "a packet that is cut");
    }
});
