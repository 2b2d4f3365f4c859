//! The printed report: machine, method, one line per pair.

use std::fs;
use std::thread::available_parallelism;

use testkit::artifacts::{host_program, plugin_library};

use crate::options::Options;
use crate::pairs::Pair;
use crate::variant::Proxy;

/// How a figure is shown.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// For one query.
    Microseconds,
    /// For one large result.
    Milliseconds,
}

/// Nanoseconds per query in one round.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// What is measured.
    pub first: f64,
    /// What it is measured by, if it is here.
    pub second: Option<f64>,
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
        "method   processor time (user and system) of the proxy's process per query; one connection\n\
         \x20        and one event thread if nothing else is said, one query at a time on each\n\
         \x20        connection, {} point selects a round, {} rounds, both of a pair in turn, fresh\n\
         \x20        processes for each round, all on one processor; medians (ranges); ratio and\n\
         \x20        difference are those of each round",
        options.queries, options.rounds
    );
}

/// Prints the column names.
pub fn header([first, second]: [&str; 2]) {
    println!("\n{:<34}{first:>26}{second:>26}{:>22}{:>28}", "", "ratio", "difference");
}

/// Prints the medians of one comparison, and the ranges.
pub fn row(pair: &Pair, samples: &[Sample]) {
    let show = |values: &[f64]| pair.unit.show(values);
    let first: Vec<f64> = samples.iter().map(|sample| sample.first).collect();
    let second: Vec<f64> = samples.iter().filter_map(|sample| sample.second).collect();
    print!("{:<34}{:>26}", pair.name, show(&first));
    if second.is_empty() {
        println!("{:>26}{:>22}{:>28}", "-", "-", "-");
        return;
    }
    let pairs = || first.iter().zip(&second);
    let ratios: Vec<f64> = pairs().map(|(first, second)| first / second).collect();
    let differences: Vec<f64> = pairs().map(|(first, second)| first - second).collect();
    let (low, high) = range(&ratios);
    let ratio = format!("{:.3} ({low:.3}..{high:.3})", median(&ratios));
    println!("{:>26}{ratio:>22}{:>28}", show(&second), show(&differences));
}

/// Says why a column is empty, if it is.
pub fn missing(proxy: Proxy) {
    if proxy.is_available() {
        return;
    }
    match proxy {
        Proxy::Lua => println!(
            "No Lua plugin: its figures were not measured. Set PYPROXY_HOST to an installed\n\
             mysql-proxy to compare the two plugins in the same host."
        ),
        _ => println!("{proxy} is not installed: its figures were not measured."),
    }
}

impl Unit {
    fn show(self, nanoseconds: &[f64]) -> String {
        let (low, high) = range(nanoseconds);
        let median = median(nanoseconds);
        match self {
            Self::Microseconds => {
                format!("{:.2} µs ({:.2}..{:.2})", median / 1e3, low / 1e3, high / 1e3)
            }
            Self::Milliseconds => {
                format!("{:.1} ms ({:.1}..{:.1})", median / 1e6, low / 1e6, high / 1e6)
            }
        }
    }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        return values[middle];
    }
    (values[middle - 1] + values[middle]) / 2.0
}

/// The smallest and the greatest.
pub fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(*value), high.max(*value))
    })
}
