//! The tracker over a whole answer: command byte, flags, then packets of one length byte and a
//! payload.
//!
//! A length byte of 255 stands for a packet of the full length, so that continued packets come up
//! too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use wire::result::{Part, ResultTracker, Step};
use wire::{Capabilities, MAX_PAYLOAD};

/// Shared by all runs: 16 MiB per run would be slow. One per first byte that means something.
static FULL: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    [0x00, 0x01, 0xfe].map(|first| {
        let mut payload = vec![b'x'; MAX_PAYLOAD];
        payload[0] = first;
        payload
    })
});

fuzz_target!(|input: &[u8]| {
    let [command, flags, packets @ ..] = input else { return };
    let mut caps = Capabilities::empty();
    caps.set(Capabilities::DEPRECATE_EOF, flags & 1 != 0);
    let mut tracker = ResultTracker::new(*command, caps);
    let mut rest = packets;
    while let Some((&len, tail)) = rest.split_first() {
        let payload = if len == u8::MAX {
            rest = tail;
            &FULL[tail.len() % FULL.len()]
        } else {
            let (payload, tail) = tail.split_at_checked(len.into()).unwrap_or((tail, &[]));
            rest = tail;
            payload
        };
        let before = tracker.summary();
        let Ok(step) = tracker.feed(payload) else { return };
        let after = tracker.summary();

        assert_eq!(step == Step::Done, tracker.is_done());
        assert!(after.row_count >= before.row_count && after.bytes >= before.bytes);
        assert_eq!(after.bytes != before.bytes, tracker.part() == Part::Row);
        if step == Step::Done {
            assert!(after.query_status.is_some() || after.has_resultset);
            assert!(tracker.feed(payload).is_err(), "nothing may follow the end");
            return;
        }
    }
});
