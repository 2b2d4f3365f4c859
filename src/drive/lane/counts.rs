//! What the threads count of themselves while somebody looks (`pyproxy-http-address`), each in a place of its own.

use engine::{Counter, Side};
use metrics::{Distribution, Histogram, Sharded};

use super::peer::Progress;

/// The numbers of all threads.
#[derive(Debug, Default)]
pub struct Counts {
    bytes: Sharded<Bytes>,
    rounds: Sharded<Histogram>,
}

#[derive(Debug, Default)]
struct Bytes {
    client: Directions,
    server: Directions,
}

#[derive(Debug, Default)]
struct Directions {
    read: Counter,
    written: Counter,
}

impl Bytes {
    fn of(&self, side: Side) -> &Directions {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

impl Counts {
    /// A peer on this side sent something, or took something.
    #[inline]
    pub fn count(&self, side: Side, progress: &Progress) {
        let bytes = self.bytes.own().of(side);
        if progress.bytes_read > 0 {
            bytes.read.add(progress.bytes_read);
        }
        if progress.bytes_written > 0 {
            bytes.written.add(progress.bytes_written);
        }
    }

    /// How long a thread was busy between two looks at the poll: as long what happens meanwhile may have to wait.
    #[inline]
    pub fn round(&self, time: std::time::Duration) {
        self.rounds.own().observe(time);
    }

    /// All bytes that were read from, and written to, this side: those of the protocol, without TLS and compression.
    pub fn bytes(&self, side: Side) -> (u64, u64) {
        let all = self.bytes.all().map(|bytes| bytes.of(side));
        all.fold((0, 0), |(read, written), bytes| {
            (read + bytes.read.get(), written + bytes.written.get())
        })
    }

    /// All rounds.
    pub fn rounds(&self) -> Distribution {
        let mut sum = Distribution::default();
        self.rounds.all().for_each(|own| own.add_to(&mut sum));
        sum
    }
}
