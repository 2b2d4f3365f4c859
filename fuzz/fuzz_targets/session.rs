//! Whole connections: clients, servers and scripts that an input decides about, around engines that share a pool.
//!
//! The model and the invariants that it checks after each event are those of the engine's own test.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/engine/tests/model/mod.rs"]
mod model;

fuzz_target!(|input: &[u8]| {
    let report = model::run(input, false);
    if input.first().is_some_and(|first| first % 8 == 0) {
        assert_eq!(report, model::run(input, false), "the same input, another outcome");
    }
});
