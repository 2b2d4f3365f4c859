//! Whole connections: clients, servers and scripts that an input decides about, around engines that share a pool.
//!
//! The model and the invariants that it checks after each event are those of the engine's own test.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/engine/tests/model/mod.rs"]
mod model;

use model::How;

fuzz_target!(|input: &[u8]| {
    let report = model::run(input, How { verbose: false, short: true });
    if input.first().is_some_and(|first| first % 8 == 0) {
        let other = model::run(input, How { verbose: false, short: false });
        assert_eq!(report, other, "the same input, another outcome");
    }
});
