//! The slow log (`pyproxy-slow-log`): a line of JSON for each command that took too long.
//!
//! A thread of its own writes. Who serves clients leaves a record in a queue that has an end, and never waits: what a disk cannot
//! take in time is dropped, and counted.
//!
//! ```text
//! engine ─► SlowLog::note ─► queue.rs ─► writer.rs: line.rs, file.rs
//! ```

mod file;
mod line;
mod queue;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;

use engine::{Backends as _, SlowQuery};

use self::file::LogFile;
use self::line::Record;
use self::queue::Queue;
pub use self::writer::{Running, Writer};
use crate::chassis::Backends;

/// Where slow queries are left.
#[derive(Debug)]
pub struct SlowLog {
    queue: Arc<Queue>,
    backends: Backends,
    shows_queries: bool,
}

impl SlowLog {
    /// Opens the file, which is made if there is none. Nothing is written before [`Writer::start`].
    pub fn open(
        path: &Path,
        backends: Backends,
        shows_queries: bool,
    ) -> io::Result<(Self, Writer)> {
        let file = LogFile::open(path)?;
        let queue = Arc::<Queue>::default();
        let writer = Writer::new(Arc::clone(&queue), file);
        Ok((Self { queue, backends, shows_queries }, writer))
    }
}

impl engine::SlowLog for SlowLog {
    fn note(&self, query: &SlowQuery<'_>) {
        let backend = query.backend.and_then(|ndx| self.backends.address(ndx));
        let backend = backend.map(|address| address.name);
        self.queue.push(Record::of(query, backend, self.shows_queries));
    }

    fn dropped(&self) -> u64 {
        self.queue.dropped()
    }
}
