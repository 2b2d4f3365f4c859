//! Every choice of the model comes from the bytes of an input: what a fuzzer mutates, a seed decides.

/// A cursor over the input. Behind its end every choice is the first one, which is the well-behaved one.
#[derive(Debug)]
pub struct Choices<'i> {
    bytes: &'i [u8],
    at: usize,
}

impl<'i> Choices<'i> {
    pub fn new(bytes: &'i [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether all bytes were used.
    pub fn is_over(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }

    /// A number below `n`, which is at most 256.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// `true` in `of_256` of 256 cases.
    pub fn chance(&mut self, of_256: u8) -> bool {
        self.byte() > u8::MAX - of_256
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Up to `most` bytes, mostly few.
    pub fn garbage(&mut self, most: usize) -> Vec<u8> {
        let len = self.below(most + 1);
        (0..len).map(|_| self.byte()).collect()
    }
}
