//! System calls of the proxy per query, counted by strace(1).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use testkit::scratch::ScratchDir;
use testkit::{eventually, process, wait};

use crate::measure::Lane;
use crate::pairs::{Load, Pair};
use crate::variant::Variant;

/// Point selects while strace counts. It makes each call many times slower, but not more of them.
const QUERIES: u32 = 2000;

/// Prints the calls of every variant of the pairs.
pub fn table(titles: [&str; 2], pairs: &[&Pair]) {
    if let Err(error) = Command::new("strace").arg("-V").stdout(Stdio::null()).status() {
        println!("system calls: not counted, strace: {error}");
        return;
    }
    println!("\nsystem calls per query");
    for pair in pairs {
        for (title, variant) in titles.into_iter().zip([pair.first, pair.second]) {
            if variant.proxy.is_available() {
                println!("  {:<34}{title:<10}{}", pair.name, count(variant, &pair.load));
            }
        }
    }
}

/// The total and the most frequent calls, as text.
fn count(variant: Variant, load: &Load) -> String {
    let queries = load.queries.min(QUERIES);
    let mut lane = Lane::start(variant, load);
    let folder = ScratchDir::new("strace");
    let summary = folder.file("summary.txt");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-c", "-o"])
        .arg(&summary)
        .args(["-p", &lane.pid().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.file("stderr.txt")).expect("a file"));
    let mut strace = process::spawn(strace).expect("strace starts");
    if !eventually(wait::PATIENCE, || is_traced(lane.pid())) {
        process::kill_group(&mut strace);
        return format!("not counted: {:?}", fs::read_to_string(folder.file("stderr.txt")));
    }
    let sent = lane.query(queries);
    finish(&mut strace);
    let calls = parse(&fs::read_to_string(&summary).expect("a summary"));
    let per_query = |calls: u64| calls as f64 / f64::from(sent);
    let mut sorted: Vec<_> = calls.iter().collect();
    sorted.sort_by_key(|(_, calls)| std::cmp::Reverse(**calls));
    let most: Vec<String> = sorted
        .into_iter()
        .map(|(name, calls)| (name, per_query(*calls)))
        .filter(|(_, calls)| *calls >= 0.05)
        .map(|(name, calls)| format!("{name} {calls:.1}"))
        .collect();
    format!("{:>8.1}   {}", per_query(calls.values().sum()), most.join(", "))
}

/// Has strace let go and write its summary.
fn finish(strace: &mut Child) {
    process::signal(strace.id(), process::SIGINT);
    assert!(process::wait_for(strace, wait::PATIENCE).is_some(), "SIGINT does not end strace");
}

/// Whether strace has seized every thread.
fn is_traced(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the proxy runs");
    tasks.flatten().all(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        status
            .lines()
            .any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
    })
}

/// Calls by name, from lines `% time, seconds, usecs/call, calls, [errors,] name`.
fn parse(summary: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let name = fields.last().filter(|name| **name != "total")?;
        Some(((*name).to_owned(), fields.get(3)?.parse().ok()?))
    };
    summary.lines().filter_map(line).collect()
}
