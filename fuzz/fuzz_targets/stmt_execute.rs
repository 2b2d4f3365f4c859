//! COM_STMT_EXECUTE, twice for one statement: the second packet may rely on the types of the first.
//!
//! The first byte of the input is the number of parameters, the second a mask of those with long
//! data, of which the highest bit is for query attributes instead, the third the length of the first
//! packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::reply::PrepareOk;
use wire::statement::{Params, PreparedStatement};
use wire::{Capabilities, Reader};

fuzz_target!(|input: &[u8]| {
    let mut r = Reader::new(input);
    let Ok([params, long_data, len]) = r.array() else { return };
    let Ok(first) = r.bytes(len.into()) else { return };
    let ok = PrepareOk { statement_id: 1, columns: 0, params: params.into(), warnings: 0 };
    let capabilities =
        if long_data & 0x80 == 0 { Capabilities::empty() } else { Capabilities::QUERY_ATTRIBUTES };
    let mut statement = PreparedStatement::new(&ok, capabilities);
    for packet in [first, r.rest()] {
        for param in (0..7).filter(|param| long_data & (1 << param) != 0) {
            statement.send_long_data(param);
        }
        let mut same = statement.clone();
        let Ok(execute) = statement.execute(packet) else {
            assert_eq!(statement.types(), None);
            continue;
        };
        if let Params::Typed(typed) = &execute.params {
            assert_eq!(typed.len(), usize::from(params));
        }
        // A NULL of an unknown type reads and writes, its type is not needed.
        let encoded = execute.encode().expect("values of their types");
        let again = same.execute(&encoded).expect("an execution was written");
        // NaN is not equal to itself, its bytes are.
        assert_eq!(again.encode().as_ref(), Ok(&encoded));
        assert_eq!(same, statement);
    }
});
