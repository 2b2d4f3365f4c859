//! The commands of prepared statements that need no context: what was read writes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Command;
use wire::statement::{StmtClose, StmtFetch, StmtPrepare, StmtReset, StmtSendLongData};

fuzz_target!(|payload: &[u8]| {
    let encoded = [
        StmtPrepare::parse(payload).map(|prepare| prepare.encode()),
        StmtSendLongData::parse(payload).map(|piece| piece.encode()),
        StmtClose::parse(payload).map(StmtClose::encode),
        StmtReset::parse(payload).map(StmtReset::encode),
        StmtFetch::parse(payload).map(StmtFetch::encode),
    ];
    let mut read = encoded.into_iter().flatten();
    let Some(encoded) = read.next() else { return };
    assert_eq!(read.next(), None, "one payload is one command");
    match Command(payload[0]) {
        Command::STMT_PREPARE | Command::STMT_SEND_LONG_DATA => assert_eq!(encoded, payload),
        // These have a fixed length, and what follows is ignored.
        _ => assert!(payload.starts_with(&encoded)),
    }
});
