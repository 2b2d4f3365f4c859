//! The statements that took the most time, and those that were slow: without the options these numbers are not told.
//!
//! Each has its digest as label, which is short and stays; what it stands for is the label of one series more.

use metrics::top::{Entry, Report};
use metrics::{Exposition, Kind};

use crate::drive::Context;
use crate::http::api::digest;

/// How many are told: each has the series of a histogram.
const MOST: usize = 20;
/// How long the text in a label is at most, in characters.
const TEXT: usize = 200;

pub fn collect(ctx: &Context, out: &mut Exposition) {
    if let Some(queries) = &ctx.shared.queries {
        let mut report = queries.report();
        report.top.truncate(MOST);
        top(&report, out);
    }
    if let Some(slow) = &ctx.shared.slow {
        let help = "Commands that took longer than pyproxy-slow-query.";
        out.family(Kind::Counter, "pyproxy_slow_queries", help)
            .number(&[], ctx.shared.stats.slow_queries.get());
        let help = "Slow commands that are not in the slow log, as the disk is too slow or full.";
        out.family(Kind::Counter, "pyproxy_slow_log_dropped", help).number(&[], slow.log.dropped());
    }
}

fn top(report: &Report, out: &mut Exposition) {
    let top: Vec<_> = report.top.iter().map(|entry| (digest(entry), entry)).collect();
    let help = "What a fingerprint stands for: statements without their values.";
    let mut samples = out.family(Kind::Info, "pyproxy_query", help);
    for (digest, entry) in &top {
        samples.number(&[("fingerprint", digest), ("query", &text(entry))], 1);
    }
    let help = "How long the statement took. Of the 20 that took the most time in all.";
    let mut samples = out.family(Kind::Histogram, "pyproxy_query_seconds", help);
    for (digest, entry) in &top {
        samples.distribution(&[("fingerprint", digest)], &entry.times);
    }
    let mut count = |name, help, count: &dyn Fn(&Entry) -> u64| {
        let mut samples = out.family(Kind::Counter, name, help);
        for (digest, entry) in &top {
            samples.number(&[("fingerprint", digest)], count(entry));
        }
    };
    count("pyproxy_query_errors", "How often the statement failed.", &|entry| entry.errors);
    count("pyproxy_query_rows", "Rows that clients got of it.", &|entry| entry.rows);
    count("pyproxy_query_row_bytes", "The bytes of these rows.", &|entry| entry.bytes);
    let help = "Statements that made room for others, and begin at 0 when they come again.";
    out.family(Kind::Counter, "pyproxy_query_forgotten", help).number(&[], report.totals.forgotten);
}

/// The fingerprint, or its beginning.
fn text(entry: &Entry) -> String {
    let text = String::from_utf8_lossy(&entry.texts.fingerprint);
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(TEXT).collect();
    if chars.next().is_some() {
        shown.push_str("...");
    }
    shown
}
