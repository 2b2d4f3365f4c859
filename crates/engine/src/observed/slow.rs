//! Which commands take too long: `pyproxy-slow-query`.

use std::fmt;
use std::time::Duration;

use wire::Command;

use crate::Text;

/// From when on a command is slow, and who is told.
#[derive(Debug)]
pub struct SlowQueries {
    /// One that takes so long is slow.
    pub limit: Duration,
    /// Who is told.
    pub log: Box<dyn SlowLog>,
}

/// Notes commands that were slow.
pub trait SlowLog: fmt::Debug + Send + Sync {
    /// Called from any thread; must not wait.
    fn note(&self, query: &SlowQuery<'_>);

    /// How many were noted and are lost.
    fn dropped(&self) -> u64;
}

/// A command that was slow.
#[derive(Debug)]
pub struct SlowQuery<'q> {
    /// The number of the connection.
    pub connection: u64,
    /// As the client named itself.
    pub user: Option<&'q [u8]>,
    /// The client's address.
    pub client: &'q str,
    /// The client's database.
    pub database: &'q [u8],
    /// The backend that was asked last; `None` if none was.
    pub backend: Option<usize>,
    /// What it was.
    pub command: Command,
    /// From its arrival to the end of its answer.
    pub time: Duration,
    /// Rows that the client got.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The number of the error that the client got.
    pub error: Option<u16>,
    /// The connection ended in place of the answer.
    pub is_aborted: bool,
    /// The digest of its fingerprint, if it has a text.
    pub digest: Option<u64>,
    /// Its text, or that of the statement that it executes; empty for others.
    pub text: &'q Text,
}

impl SlowQueries {
    /// Whether a command that took so long is slow. Those that have no end are not.
    pub(super) fn is_slow(&self, command: Command, time: Duration) -> bool {
        time >= self.limit && !matches!(command, Command::BINLOG_DUMP | Command::BINLOG_DUMP_GTID)
    }
}
