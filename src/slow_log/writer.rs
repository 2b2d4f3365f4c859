//! The thread that writes.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::file::LogFile;
use super::line::Record;
use super::queue::Queue;
use crate::boundary::guard;

/// How far it is between two complaints.
const COMPLAIN: Duration = Duration::from_secs(60);
/// How long a full pipe is left alone.
const PAUSE: Duration = Duration::from_millis(20);
/// How long what is in the queue may take at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes what is in the queue to the file.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    file: LogFile,
    complained_at: Option<Instant>,
}

/// The thread, while it runs.
#[derive(Debug)]
pub struct Running {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
    /// Its other end goes with the thread.
    ended: Receiver<()>,
}

impl Running {
    /// Has what is in the queue written, and ends the thread. One that a disk holds up is left behind.
    pub fn stop(self) {
        self.queue.close();
        if self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected) {
            // One that has panicked said so in the log.
            _ = self.thread.join();
        }
    }
}

impl Writer {
    pub(super) fn new(queue: Arc<Queue>, file: LogFile) -> Self {
        Self { queue, file, complained_at: None }
    }

    /// Starts the thread.
    pub fn start(self) -> io::Result<Running> {
        let queue = Arc::clone(&self.queue);
        let (sender, ended) = channel();
        let run = move || guard(|| self.run(sender), || ());
        let thread = std::thread::Builder::new().name("pyproxy-slow".to_owned()).spawn(run)?;
        Ok(Running { queue, thread, ended })
    }

    fn run(mut self, _ended: Sender<()>) {
        while let Some(records) = self.queue.take() {
            records.iter().for_each(|record| self.write(record));
        }
    }

    fn write(&mut self, record: &Record) {
        let (line, mut written) = (record.line(), 0);
        let error = loop {
            match self.file.write(line.as_bytes(), &mut written) {
                Ok(()) => return,
                Err(e) if e.kind() == ErrorKind::WouldBlock && !self.queue.is_closed() => {
                    sleep(PAUSE);
                }
                Err(e) => break e,
            }
        };
        self.queue.drop_one();
        if self.complained_at.is_none_or(|at| at.elapsed() >= COMPLAIN) {
            self.complained_at = Some(Instant::now());
            let (path, dropped) = (self.file.path().display(), self.queue.dropped());
            log::error!(
                "the slow log {path} cannot be written: {error}; lines lost so far: {dropped}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_written_before_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("slow.log");
        let queue = Arc::<Queue>::default();
        let file = LogFile::open(&path).expect("it opens");
        let running = Writer::new(Arc::clone(&queue), file).start().expect("a thread");
        (0..100).for_each(|_| queue.push(Record::default()));
        running.stop();
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!((text.lines().count(), queue.dropped()), (100, 0));
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let queue = Arc::<Queue>::default();
        let full = LogFile::open(std::path::Path::new("/dev/full")).expect("it opens");
        let running = Writer::new(Arc::clone(&queue), full).start().expect("a thread");
        (0..3).for_each(|_| queue.push(Record::default()));
        running.stop();
        assert_eq!(queue.dropped(), 3);
    }
}
