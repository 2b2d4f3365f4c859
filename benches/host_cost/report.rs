//! The printed report: machine, method, one line per comparison.

use std::fs;
use std::thread::available_parallelism;

use testkit::artifacts::{host_program, plugin_library};

use crate::options::Options;
use crate::variant::Plugin;

/// How a figure is shown.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// For one query.
    Microseconds,
    /// For one large result.
    Milliseconds,
}

/// One comparison.
#[derive(Debug)]
pub struct Row {
    /// What was measured.
    pub name: &'static str,
    /// Unit of the printed figures.
    pub unit: Unit,
    /// Nanoseconds of each round: ours and, if there is one, the Lua plugin's.
    pub samples: Vec<(f64, Option<f64>)>,
}

/// Says where this runs and what is measured.
pub fn machine() {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = available_parallelism().map_or(1, usize::from);
    println!("machine  {model}, {processors} processors, Linux {}", kernel.trim());
    println!("host     {}", host_program().display());
    println!("plugin   {}", plugin_library().display());
}

/// Says how it is measured.
pub fn method(options: &Options) {
    println!(
        "method   processor time (user and system) of the host process per query; one connection,\n\
         \x20        one query at a time, {} queries a round, {} rounds, plugins in turn, fresh\n\
         \x20        hosts for each round, all on one processor; medians",
        options.queries, options.rounds
    );
}

/// Prints the column names.
pub fn header() {
    println!("\n{:<24}{:>12}{:>12}{:>9}   range of the ratio", "", "pyproxy", "Lua", "ratio");
}

/// Prints the medians of one comparison, and the spread of its ratios.
pub fn row(row: &Row) {
    let ours = median(row.samples.iter().map(|(ours, _)| *ours).collect());
    let lua: Vec<f64> = row.samples.iter().filter_map(|(_, lua)| *lua).collect();
    print!("{:<24}{:>12}", row.name, row.unit.show(ours));
    if lua.is_empty() {
        println!("{:>12}{:>9}", "-", "-");
        return;
    }
    let mut ratios: Vec<f64> =
        row.samples.iter().filter_map(|(ours, lua)| lua.map(|lua| ours / lua)).collect();
    ratios.sort_by(f64::total_cmp);
    let (first, last) = (ratios.first().copied(), ratios.last().copied());
    println!(
        "{:>12}{:>9.3}   {:.3} to {:.3}",
        row.unit.show(median(lua)),
        median(ratios),
        first.unwrap_or(f64::NAN),
        last.unwrap_or(f64::NAN),
    );
}

/// Says what was left out.
pub fn notes() {
    if !Plugin::Lua.is_available() {
        println!(
            "\nNo Lua plugin: its figures were not measured. Set PYPROXY_HOST to an installed\n\
             mysql-proxy to compare the two plugins in the same host."
        );
    }
}

impl Unit {
    fn show(self, nanoseconds: f64) -> String {
        match self {
            Self::Microseconds => format!("{:.2} µs", nanoseconds / 1e3),
            Self::Milliseconds => format!("{:.1} ms", nanoseconds / 1e6),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        return values[middle];
    }
    (values[middle - 1] + values[middle]) / 2.0
}
