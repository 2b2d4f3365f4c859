//! A log that a test can read: each thread has its own.

use std::cell::RefCell;

use log::{Level, LevelFilter, Log, Metadata, Record};

thread_local! {
    static LOG: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what each thread logs.
struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LOG.with_borrow_mut(|log| log.push((record.level(), record.args().to_string())));
    }

    fn flush(&self) {}
}

/// From now on what is logged in this process is kept. Once per process.
///
/// # Panics
///
/// There is a logger already.
pub fn keep_log() {
    log::set_logger(&Logger).expect("no other logger");
    log::set_max_level(LevelFilter::Debug);
}

/// What this thread logged at `level` since the last call, in one text. What it logged at other levels is forgotten.
pub fn logged(level: Level) -> String {
    let entries = LOG.with_borrow_mut(std::mem::take);
    let texts = entries.into_iter().filter(|(entry, _)| *entry == level).map(|(_, text)| text);
    texts.collect::<Vec<_>>().join("\n---\n")
}
