//! Instructions of the proxy per query, counted by callgrind: the same on a busy machine, and exact enough for a change of 1 %.

use std::fs;
use std::path::Path;

use crate::measure::Lane;
use crate::options::Options;
use crate::pairs::Load;
use crate::report::{median, range};
use crate::script::Script;
use crate::variant::{Proxy, Variant};

/// Point selects of the two runs whose difference is shown: what is done once is in both.
const QUERIES: [u32; 2] = [1000, 6000];
/// How often each figure is measured.
const ROUNDS: u32 = 2;
/// What is measured.
fn variants() -> [(&'static str, Variant, Load); 7] {
    let plain = Proxy::Pyproxy.plain();
    let point = Load::point(0);
    [
        ("no script", plain, point.clone()),
        ("empty read_query", plain.script(Script::EmptyReadQuery), point.clone()),
        ("each query queued, its result kept", plain.script(Script::KeepRows), point.clone()),
        ("empty async read_query", plain.script(Script::AsyncReadQuery), point.clone()),
        ("HTTP endpoint", plain.http(), point.clone()),
        ("query stats", plain.query_stats(), point.ranges()),
        ("query stats, long statements", plain.query_stats(), point.joins()),
    ]
}

/// Measures those that are wanted. The host runs in callgrind, which writes its counts to a file for each process id.
pub fn run(options: &Options) {
    let [short, long] = QUERIES;
    println!(
        "method   callgrind; one connection, one event thread; ({long} point selects - {short} point selects) / {}",
        long - short
    );
    println!("\ninstructions per query");
    for (name, variant, load) in
        variants().into_iter().filter(|(name, ..)| name.contains(&options.only))
    {
        let per_query = |_| {
            let [short, long] =
                QUERIES.map(|queries| count(variant, &load, queries, &options.profiles));
            (long - short) as f64 / f64::from(QUERIES[1] - QUERIES[0])
        };
        let rounds: Vec<f64> = (0..ROUNDS).map(per_query).collect();
        let (low, high) = range(&rounds);
        println!("  {name:<36}{:>9.0}   ({low:.0}..{high:.0})", median(&rounds));
    }
}

/// All instructions of a host that carried so many queries.
fn count(variant: Variant, load: &Load, queries: u32, folder: &Path) -> u64 {
    let mut lane = Lane::start(variant, load);
    lane.query(queries);
    let profile = folder.join(lane.pid().to_string());
    drop(lane);
    let text = fs::read_to_string(&profile)
        .unwrap_or_else(|error| panic!("{}: {error}: use scripts/bench.sh", profile.display()));
    let total = text.lines().find_map(|line| line.strip_prefix("totals:")?.trim().parse().ok());
    total.unwrap_or_else(|| panic!("{}: no totals", profile.display()))
}
