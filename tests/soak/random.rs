//! Random choices that a seed repeats.

use std::time::{SystemTime, UNIX_EPOCH};

/// A xorshift generator (Marsaglia, 64 bits): good enough to choose what a client does next.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator with a seed; the same seed gives the same choices.
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}

/// The seed of a test: `PYPROXY_SOAK_SEED`, or a new one. The test prints it.
pub fn seed() -> u64 {
    if let Ok(text) = std::env::var("PYPROXY_SOAK_SEED") {
        return text.parse().expect("a number");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_secs()
}
