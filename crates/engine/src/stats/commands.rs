//! Commands of clients, by kind.

use wire::Command;

use super::Counter;

/// Commands, by their first byte.
#[derive(Debug)]
pub struct Commands {
    kinds: [Counter; 256],
    empty: Counter,
}

impl Default for Commands {
    fn default() -> Self {
        Self { kinds: std::array::from_fn(|_| Counter::default()), empty: Counter::default() }
    }
}

impl Commands {
    /// Counts one that begins with this byte; `None`: it is empty.
    #[inline]
    pub fn count(&self, byte: Option<u8>) {
        let kind = byte.and_then(|byte| self.kinds.get(usize::from(byte)));
        kind.unwrap_or(&self.empty).increment();
    }

    /// How many were of this kind.
    pub fn of(&self, command: Command) -> u64 {
        self.kinds.get(usize::from(command.0)).map_or(0, Counter::get)
    }

    /// How many there were.
    pub fn all(&self) -> u64 {
        self.kinds.iter().map(Counter::get).sum::<u64>() + self.empty.get()
    }
}
