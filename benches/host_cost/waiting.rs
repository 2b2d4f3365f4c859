//! What other clients notice of a hook that sleeps: their rate, their 99th percentile and what they
//! cost, with and without it.
//!
//! Rates follow the other work of the machine, so a pair alternates between both in slices of a
//! second, on one host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::peers::{Client, Reply, serve};
use crate::report::{median, range};
use crate::script::{SLEEPING_QUERY, Script};
use crate::variant::{Proxy, Running};

/// Clients that do not wait.
const CLIENTS: usize = 50;
/// A fifth of the time for which the hook sleeps.
const SLICE: Duration = Duration::from_secs(1);
/// Time for a query to reach its hook, or for a client that leaves to be noticed.
const SETTLE: Duration = Duration::from_millis(200);

/// Slices without a sleeping hook.
const WITHOUT: usize = 0;
/// Slices with one.
const WITH: usize = 1;
/// Between slices nobody counts.
const BETWEEN: usize = 2;
/// The clients leave.
const END: usize = 3;

/// What the clients saw in all slices of one kind.
#[derive(Default)]
struct Seen {
    /// Of each query.
    latencies: Vec<Duration>,
    elapsed: Duration,
    /// Processor time of the host.
    processor: Duration,
}

impl Seen {
    /// Queries per second of all clients together.
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// 99 of 100 answers came within so many milliseconds; none came if it is not a number.
    fn percentile(&mut self) -> f64 {
        self.latencies.sort();
        let index = self.latencies.len() * 99 / 100;
        self.latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }

    /// Microseconds per query.
    fn cost(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.latencies.len() as f64
    }
}

/// Measures pairs, and prints each and the medians of their ratios.
pub fn run(options: &Options) {
    println!(
        "method   {CLIENTS} clients send point selects, one at a time each, through an async read_query\n\
         \x20        that returns at once for them; with and without one more client whose hook sleeps\n\
         \x20        all the time, for {0} s each in slices of 1 s in turn; a fresh host for each pair,\n\
         \x20        all on one processor; cost: processor time of the host per query\n",
        options.seconds
    );
    let both = |name: &str| format!("{name}: without, with, ratio");
    println!("{:<8}{:>30}{:>33}{:>33}", "", both("rate"), both("p99"), both("cost"));
    let names = ["rate", "p99", "cost"];
    let mut ratios: [Vec<f64>; 3] = Default::default();
    let units = ["/s", " ms", " µs"];
    for pair in 1..=options.pairs {
        let seen = measure(options.seconds);
        let figures = seen.map(|mut seen| [seen.rate(), seen.percentile(), seen.cost()]);
        print!("{:<8}", format!("pair {pair}"));
        for (index, unit) in units.iter().enumerate() {
            let (without, with) = (figures[WITHOUT][index], figures[WITH][index]);
            let ratio = with / without;
            let digits = if index == 0 { 0 } else { 2 };
            print!("{without:>10.digits$}{unit}{with:>9.digits$}{unit}{ratio:>8.3}");
            ratios[index].push(ratio);
        }
        println!();
    }
    println!();
    for (name, ratios) in names.iter().zip(&ratios) {
        let (low, high) = range(ratios);
        println!("{name:<5} median of the ratios {:.3} ({low:.3}..{high:.3})", median(ratios));
    }
}

/// One pair: without and with.
fn measure(seconds: u32) -> [Seen; 2] {
    let reply = Reply::rows(1, 1);
    let answer = reply.len();
    let host = Proxy::Pyproxy.plain().script(Script::SleepForOne).start(serve(Arc::new(reply)));
    let login = || Client::login(host.address(), false).expect("a login");
    let clients: Vec<Client> = (0..CLIENTS).map(|_| login()).collect();
    let phase = AtomicUsize::new(BETWEEN);
    let mut seen: [Seen; 2] = Default::default();
    thread::scope(|scope| {
        let phase = &phase;
        let work = |client| scope.spawn(move || point_selects(client, answer, phase));
        let threads: Vec<_> = clients.into_iter().map(work).collect();
        for second in 0..seconds {
            let order = if second % 2 == 0 { [WITHOUT, WITH] } else { [WITH, WITHOUT] };
            for kind in order {
                let sleeper = (kind == WITH).then(|| {
                    let mut client = login().asking(SLEEPING_QUERY);
                    client.send().expect("a query is sent");
                    client
                });
                thread::sleep(SETTLE);
                slice(&host, phase, kind, &mut seen[kind]);
                if let Some(client) = sleeper {
                    assert!(client.is_waiting().expect("a socket"), "the hook did not sleep");
                }
            }
        }
        phase.store(END, Ordering::Relaxed);
        for thread in threads {
            let latencies = thread.join().expect("a client's thread");
            for (seen, latencies) in seen.iter_mut().zip(latencies) {
                seen.latencies.extend(latencies);
            }
        }
    });
    seen
}

/// Has the clients count for a while.
fn slice(host: &Running, phase: &AtomicUsize, kind: usize, seen: &mut Seen) {
    let before = host.processor_nanoseconds();
    let start = Instant::now();
    phase.store(kind, Ordering::Relaxed);
    thread::sleep(SLICE);
    phase.store(BETWEEN, Ordering::Relaxed);
    seen.elapsed += start.elapsed();
    seen.processor += Duration::from_nanos(host.processor_nanoseconds() - before);
}

/// Queries until the end, and how long those took that began in a slice, by its kind.
fn point_selects(mut client: Client, answer: usize, phase: &AtomicUsize) -> [Vec<Duration>; 2] {
    let mut latencies: [Vec<Duration>; 2] = Default::default();
    loop {
        let kind = phase.load(Ordering::Relaxed);
        if kind == END {
            return latencies;
        }
        let start = Instant::now();
        client.query(answer, None).expect("an answer");
        if let Some(latencies) = latencies.get_mut(kind) {
            latencies.push(start.elapsed());
        }
    }
}
