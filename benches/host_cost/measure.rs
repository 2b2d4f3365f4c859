//! Processor time of the host per query: the two plugins measured in turn, round by round.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use testkit::Host;

use crate::options::Options;
use crate::peers::{Client, Reply, serve};
use crate::report::{self, Row, Unit};
use crate::variant::{Plugin, Script};

/// Rows of the large result.
const MANY_ROWS: usize = 100_000;
/// Bytes in each of its rows.
const ROW_WIDTH: usize = 64;
/// Rows of the result that a script keeps and reads.
const KEPT_ROWS: usize = 200_000;
/// Bytes in each of its cells.
const KEPT_WIDTH: usize = 8;
/// Time for the host to finish its work and for the kernel to book it.
const SETTLE: Duration = Duration::from_millis(20);

/// Measures all pairs and prints a table.
pub fn run(options: &Options) {
    let small = Arc::new(Reply::rows(1, 1));
    let large = Arc::new(Reply::rows(MANY_ROWS, ROW_WIDTH));
    let small_server = serve(Arc::clone(&small));
    let large_server = serve(Arc::clone(&large));
    report::method(options);
    report::header();
    for (name, script) in
        [("no script", Script::None), ("empty read_query", Script::EmptyReadQuery)]
    {
        let load = Load { reply: &small, backend: small_server, queries: options.queries };
        let samples = compare(&load, script, options.rounds);
        report::row(&Row { name, unit: Unit::Microseconds, samples });
    }
    let load = Load { reply: &large, backend: large_server, queries: 5 };
    let samples = compare(&load, Script::None, options.rounds);
    report::row(&Row { name: "100000 rows, no script", unit: Unit::Milliseconds, samples });
    let table = Arc::new(Reply::table(3, KEPT_ROWS, KEPT_WIDTH));
    let table_server = serve(Arc::clone(&table));
    for (name, script) in [
        ("200000 x 3 rows, kept", Script::KeepRows),
        ("200000 x 3 rows, read", Script::IterateRows),
    ] {
        let load = Load { reply: &table, backend: table_server, queries: 2 };
        let samples = compare(&load, script, options.rounds);
        report::row(&Row { name, unit: Unit::Milliseconds, samples });
    }
    report::notes();
}

/// What is sent through a host in one round.
struct Load<'a> {
    reply: &'a Reply,
    backend: SocketAddr,
    queries: u32,
}

/// Nanoseconds per query of each round: ours, and the Lua plugin's if the host has it.
///
/// Each round has fresh hosts, since a process may be a little faster or slower than the next for
/// as long as it lives, by the addresses it got. Who goes first changes from round to round.
fn compare(load: &Load<'_>, script: Script, rounds: u32) -> Vec<(f64, Option<f64>)> {
    let lua_is_available = Plugin::Lua.is_available();
    let mut samples = Vec::new();
    for round in 0..rounds {
        let mut ours = Lane::start(Plugin::Pyproxy, script, load);
        let mut lua = lua_is_available.then(|| Lane::start(Plugin::Lua, script, load));
        let first = (round % 2 == 1).then(|| lua.as_mut().map(|lane| lane.measure(load)));
        let sample = ours.measure(load);
        let second = first.unwrap_or_else(|| lua.as_mut().map(|lane| lane.measure(load)));
        samples.push((sample, second));
    }
    samples
}

/// A host with one client.
struct Lane {
    host: Host,
    client: Client,
}

impl Lane {
    fn start(plugin: Plugin, script: Script, load: &Load<'_>) -> Self {
        let host = plugin.start(script, load.backend);
        let client = Client::login(host.address()).expect("a login");
        let mut lane = Self { host, client };
        let warm_up = Load { queries: load.queries.div_ceil(10), ..*load };
        lane.measure(&warm_up);
        lane
    }

    /// Nanoseconds of the host's processor time per query.
    fn measure(&mut self, load: &Load<'_>) -> f64 {
        sleep(SETTLE);
        let before = processor_nanoseconds(&self.host);
        for _ in 0..load.queries {
            self.client.query(load.reply.len(), None).expect("an answer");
        }
        sleep(SETTLE);
        let spent = processor_nanoseconds(&self.host) - before;
        Duration::from_nanos(spent).as_secs_f64() * 1e9 / f64::from(load.queries)
    }
}

/// User plus system time of all threads. `schedstat` counts nanoseconds, `stat` only ticks.
fn processor_nanoseconds(host: &Host) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", host.pid())).expect("the host runs");
    let on_processor = |task: fs::DirEntry| -> u64 {
        let text = fs::read_to_string(task.path().join("schedstat")).expect("schedstat");
        text.split_whitespace().next().and_then(|field| field.parse().ok()).expect("a number")
    };
    tasks.flatten().map(on_processor).sum()
}
