//! The memory of cursors over a session: steps of one kind byte, one length byte and a payload.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::reply::StatusFlags;
use wire::result::Part;
use wire::statement::{Cursors, StmtFetch};

fuzz_target!(|input: &[u8]| {
    let mut cursors = Cursors::default();
    let mut wanted = false;
    let mut rest = input;
    while let [kind, len, tail @ ..] = rest {
        let (payload, tail) = tail.split_at_checked((*len).into()).unwrap_or((tail, &[]));
        rest = tail;
        match kind % 4 {
            0 => wanted = cursors.command(payload),
            1 => cursors.answer(Part::ColumnCount, payload),
            2 => cursors.answer(Part::Column, payload),
            _ => {
                let id = payload.first().copied().unwrap_or_default().into();
                let fetch = StmtFetch { statement_id: id, rows: 1 }.encode();
                let before = cursors.columns(&fetch).cloned();
                cursors.done(StatusFlags::from_bits_retain((*kind).into()));
                let after = cursors.columns(&fetch).cloned();
                assert!(wanted || before == after, "an answer that was not wanted changes nothing");
                wanted = false;
            }
        }
        // Only a fetch has columns of an earlier answer.
        let is_fetch = StmtFetch::parse(payload).is_ok();
        assert!(is_fetch || cursors.columns(payload).is_none());
    }
});
