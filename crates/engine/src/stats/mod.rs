//! What the plugin counts, and under which names the host's plugin statistics and scripts see it.
//!
//! Part of [`Shared`](crate::Shared): all connections count into the same place. Counting is one relaxed addition: the
//! numbers are for people, and the code decides nothing by them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

mod backend;
mod commands;
mod errors;
mod tls;

pub use backend::{AllBackends, BackendStats};
pub use commands::Commands;
pub use errors::{Errors, Source};
pub use tls::TlsHandshakes;

use crate::Hook;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one; gives the new value.
    pub fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A sum of times. Kept in nanoseconds: many hooks take less than the microsecond it is reported in.
#[derive(Debug, Default)]
pub struct Stopwatch(AtomicU64);

impl Stopwatch {
    /// Adds a time.
    pub fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The sum, in nanoseconds.
    pub fn nanos(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The sum, in microseconds.
    pub fn micros(&self) -> u64 {
        self.nanos() / 1000
    }
}

/// The calls of one hook.
#[derive(Debug, Default)]
pub struct HookStats {
    /// How often the script's function was called.
    pub calls: Counter,
    /// How many of these calls were script errors.
    pub errors: Counter,
    /// Time spent in them, with the reading of what they decided, without the wait for Python.
    pub time: Stopwatch,
    /// Time that they waited, of hooks that can.
    pub waiting: Stopwatch,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Clients accepted.
    pub connections: Counter,
    /// Clients that have gone.
    pub closed_connections: Counter,
    /// Commands of clients.
    pub commands: Commands,
    /// Errors that clients got.
    pub errors: Errors,
    /// Handshakes of TLS.
    pub tls: TlsHandshakes,
    /// What is counted of each backend.
    pub backends: AllBackends,
    /// Queries that scripts queued and that were sent.
    pub queued_queries: Counter,
    /// Clients that were refused because there were too many, in all or from one address.
    pub refused_connections: Counter,
    /// Those of them that were refused because of their address.
    pub refused_addresses: Counter,
    /// Logins that were refused because their user had too many connections.
    pub refused_users: Counter,
    /// Clients that were refused because their backend had all the connections that it may have.
    pub full_backends: Counter,
    /// Logins that took too long.
    pub login_timeouts: Counter,
    /// Answers of servers that took too long.
    pub query_timeouts: Counter,
    /// Clients that were idle for too long.
    pub idle_timeouts: Counter,
    /// Commands that took longer than `pyproxy-slow-query`.
    pub slow_queries: Counter,
    /// Packets that made no sense.
    pub malformed_packets: Counter,
    /// Time that hooks waited for other Python threads before they ran.
    pub python_wait: Stopwatch,
    connect_server: HookStats,
    read_handshake: HookStats,
    read_auth: HookStats,
    read_auth_result: HookStats,
    read_query: HookStats,
    read_query_result: HookStats,
    disconnect_client: HookStats,
}

impl Stats {
    /// The calls of `hook`.
    pub fn hook(&self, hook: Hook) -> &HookStats {
        match hook {
            Hook::ConnectServer => &self.connect_server,
            Hook::ReadHandshake => &self.read_handshake,
            Hook::ReadAuth => &self.read_auth,
            Hook::ReadAuthResult => &self.read_auth_result,
            Hook::ReadQuery => &self.read_query,
            Hook::ReadQueryResult => &self.read_query_result,
            Hook::DisconnectClient => &self.disconnect_client,
        }
    }

    /// A client wanted a connection to backend `ndx` out of the pool, and it had one or not.
    pub fn count_pool(&self, ndx: usize, had_one: bool) {
        let Some(backend) = self.backends.get(ndx) else { return };
        if had_one { &backend.pool_hits } else { &backend.pool_misses }.increment();
    }

    /// Every name with its number, in the order of documentation: `connections`, ..., `read_query.calls`, ... Times are
    /// in microseconds and say so in their names. `panics` is counted by the code that catches them.
    pub fn report(&self, panics: u64) -> Vec<(String, u64)> {
        let mut report: Vec<_> = [
            ("connections", self.connections.get()),
            ("queries", self.commands.all()),
            ("queued_queries", self.queued_queries.get()),
            ("malformed_packets", self.malformed_packets.get()),
            ("refused_connections", self.refused_connections.get()),
            ("refused_users", self.refused_users.get()),
            ("full_backends", self.full_backends.get()),
            ("login_timeouts", self.login_timeouts.get()),
            ("query_timeouts", self.query_timeouts.get()),
            ("idle_timeouts", self.idle_timeouts.get()),
            ("panics", panics),
            ("python_wait_micros", self.python_wait.micros()),
        ]
        .map(|(name, number)| (name.to_owned(), number))
        .into();
        for hook in Hook::ALL {
            let (name, stats) = (hook.name(), self.hook(hook));
            report.push((format!("{name}.calls"), stats.calls.get()));
            report.push((format!("{name}.errors"), stats.errors.get()));
            report.push((format!("{name}.micros"), stats.time.micros()));
            report.push((format!("{name}.waiting_micros"), stats.waiting.micros()));
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_below_a_microsecond_add_up() {
        let time = Stopwatch::default();
        for _ in 0..5 {
            time.add(Duration::from_nanos(400));
        }
        assert_eq!(time.micros(), 2);
    }

    #[test]
    fn the_report_has_every_number_under_its_name_once() {
        let stats = Stats::default();
        stats.connections.increment();
        stats.commands.count(Some(3));
        stats.commands.count(None);
        stats.hook(Hook::ReadAuth).calls.increment();
        stats.hook(Hook::ReadQueryResult).errors.increment();
        stats.hook(Hook::ReadQuery).time.add(Duration::from_micros(70));
        stats.python_wait.add(Duration::from_millis(1));
        let report = stats.report(7);
        let mut names: Vec<_> = report.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), 12 + 4 * Hook::ALL.len());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), report.len());
        let counted = report.iter().filter(|(_, number)| *number != 0);
        let counted: Vec<_> = counted.map(|(name, number)| (name.as_str(), *number)).collect();
        let want = [
            ("connections", 1),
            ("queries", 2),
            ("panics", 7),
            ("python_wait_micros", 1000),
            ("read_auth.calls", 1),
            ("read_query.micros", 70),
            ("read_query_result.errors", 1),
        ];
        assert_eq!(counted, want);
    }
}
