//! Processor time of the proxy per query: two variants measured in turn, round by round.

use std::thread::{self, sleep};
use std::time::Duration;

use crate::options::Options;
use crate::pairs::{Load, Pair, tables};
use crate::peers::Client;
use crate::report::{self, Sample};
use crate::system_calls;
use crate::variant::{Running, Variant};

/// Time for the host to finish its work and for the kernel to book it.
const SETTLE: Duration = Duration::from_millis(20);

/// Measures the wanted pairs and prints their tables.
pub fn run(options: &Options) {
    report::method(options);
    for table in tables(options.queries) {
        let wanted: Vec<&Pair> =
            table.pairs.iter().filter(|pair| pair.name.contains(&options.only)).collect();
        let Some(first) = wanted.first() else { continue };
        report::header(table.titles);
        for pair in &wanted {
            report::row(pair, &compare(pair, options.rounds));
        }
        report::missing(first.second.proxy);
        if options.system_calls {
            system_calls::table(table.titles, &wanted);
        }
    }
}

/// The figures of each round, the second's only if it is here.
///
/// Each round has fresh processes, since one may be a little faster or slower than the next for
/// as long as it lives, by the addresses it got. Who goes first changes from round to round.
fn compare(pair: &Pair, rounds: u32) -> Vec<Sample> {
    let load = &pair.load;
    let second_is_available = pair.second.proxy.is_available();
    let mut samples = Vec::new();
    for round in 0..rounds {
        let mut ours = Lane::start(pair.first, load);
        let mut other = second_is_available.then(|| Lane::start(pair.second, load));
        let early = (round % 2 == 1).then(|| other.as_mut().map(|lane| lane.measure(load.queries)));
        let first = ours.measure(load.queries);
        let second = early.unwrap_or_else(|| other.as_mut().map(|lane| lane.measure(load.queries)));
        samples.push(Sample { first, second });
    }
    samples
}

/// A proxy with its clients.
pub struct Lane {
    running: Running,
    clients: Vec<Client>,
    answer: usize,
}

impl Lane {
    /// Starts a proxy, connects and sends a tenth of the load, so that all that is done once is done.
    pub fn start(variant: Variant, load: &Load) -> Self {
        let running = variant.start(load.backend);
        let login = |_| {
            let client = Client::login(running.address(), variant.tls).expect("a login");
            client.asking(load.statement)
        };
        let clients = (0..load.clients).map(login).collect();
        let mut lane = Self { running, clients, answer: load.reply.len() };
        lane.query(load.queries.div_ceil(10));
        lane
    }

    /// The proxy's process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// Sends queries and waits for their answers; each client sends the same number.
    pub fn query(&mut self, queries: u32) -> u32 {
        let clients = u32::try_from(self.clients.len()).expect("few clients");
        let each = queries.div_ceil(clients);
        let answer = self.answer;
        let work = |client: &mut Client| {
            for _ in 0..each {
                client.query(answer, None).expect("an answer");
            }
        };
        match self.clients.as_mut_slice() {
            [client] => work(client),
            clients => thread::scope(|scope| {
                for client in clients {
                    scope.spawn(|| work(client));
                }
            }),
        }
        each * clients
    }

    /// Nanoseconds of the proxy's processor time per query.
    fn measure(&mut self, queries: u32) -> f64 {
        sleep(SETTLE);
        let before = self.running.processor_nanoseconds();
        let sent = self.query(queries);
        sleep(SETTLE);
        let spent = self.running.processor_nanoseconds() - before;
        Duration::from_nanos(spent).as_secs_f64() * 1e9 / f64::from(sent)
    }
}
