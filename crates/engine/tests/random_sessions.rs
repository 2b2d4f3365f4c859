//! The engine among random clients, servers and scripts: the invariants of [`model`] hold after every event.
//!
//! `PYPROXY_MODEL_SEEDS` is the number of seeds. To look at everything that happens, `PYPROXY_MODEL_SEED` is one of them,
//! and `PYPROXY_MODEL_INPUT` a file, such as the fuzz target `session` leaves behind.

mod model;

use model::How;

/// Seeds of the usual run.
const SEEDS: u64 = 600;
/// For one input that somebody looks at.
const LOOKED_AT: How = How { verbose: true, short: true };
/// Bytes of input per seed.
const LEN: usize = 6000;

/// splitmix64: bytes that depend on nothing but the seed.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut word = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..LEN / 8).flat_map(|_| word().to_le_bytes()).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells which seed it was.
struct Told(u64, u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {} broke an invariant, after {} events of other seeds", self.0, self.1);
        }
    }
}

#[test]
fn invariants_hold_whatever_happens() {
    if let Some(seed) = number("PYPROXY_MODEL_SEED") {
        model::run(&bytes(seed), LOOKED_AT);
        return;
    }
    if let Ok(path) = std::env::var("PYPROXY_MODEL_INPUT") {
        model::run(&std::fs::read(path).unwrap(), LOOKED_AT);
        return;
    }
    let (mut events, mut answers, mut handshakes) = (0, 0, 0);
    for seed in 0..number("PYPROXY_MODEL_SEEDS").unwrap_or(SEEDS) {
        let told = Told(seed, events);
        let input = bytes(seed);
        let report = model::run(&input, How { verbose: false, short: true });
        if seed % 16 == 0 {
            let other = model::run(&input, How { verbose: false, short: false });
            assert_eq!(report, other, "the same input, another outcome");
        }
        events += report.events;
        answers += report.answers;
        handshakes += report.handshakes;
        drop(told);
    }
    println!("{events} events, {answers} complete answers, {handshakes} handshakes of TLS");
    assert!(answers > 0, "a model in which nobody is answered shows nothing");
    assert!(handshakes > 0, "a model without TLS shows nothing of it");
}
