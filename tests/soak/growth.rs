//! Memory does not grow with connections or queries.
//!
//! Plain, the host's peak resident memory tells. Under valgrind it does not (memcheck keeps freed blocks for a while):
//! there `scripts/memcheck.sh` compares what is left at the end of a short and of a long run.

use testkit::artifacts::host_is_wrapped;
use testkit::{Host, MariaDb};

use crate::session::{self, HOOKS, SCRIPT};
use crate::setting;

/// What the heap may still grow after the first tenth: fragmentation, and tables that fill up.
const TOLERANCE_KIB: u64 = 4_000;

/// Starts a host, runs `part` with the whole load in ten parts, and ends the host.
fn watch(what: &str, count: usize, mut part: impl FnMut(&Host, usize)) {
    let backend = MariaDb::shared().address();
    let host =
        Host::builder().backend(backend).script(SCRIPT).option("log-level", "critical").start();
    // Not part of the load: the longer run must not be the only one that uses something.
    session::whole(&host);
    let fds = host.idle_fds();
    let mut peaks = Vec::new();
    for _ in 0..10 {
        part(&host, count.div_ceil(10));
        peaks.push(host.rss_peak_kib());
    }
    println!("{what}: {count}, peak memory after each tenth: {peaks:?} KiB");
    host.wait_for_fds(fds);
    let grown = peaks[9] - peaks[0];
    assert!(host_is_wrapped() || grown < TOLERANCE_KIB, "{count} {what}: grown by {grown} KiB");
    let stdout = host.stop().stdout;
    for hook in HOOKS {
        assert!(stdout.split_whitespace().any(|name| name == hook), "{hook} not called: {stdout}");
    }
}

#[test]
#[ignore = "takes minutes; scripts/memcheck.sh runs it"]
fn connections_give_all_back() {
    watch("connections", setting("PYPROXY_SOAK_SESSIONS", 20_000), |host, count| {
        for _ in 0..count {
            session::whole(host);
        }
    });
}

#[test]
#[ignore = "takes minutes; scripts/memcheck.sh runs it"]
fn queries_give_all_back() {
    watch("queries", setting("PYPROXY_SOAK_QUERIES", 200_000), |host, count| {
        let mut client = host.client();
        for number in 0..count {
            session::query(&mut client, number).unwrap();
        }
        client.quit();
    });
}
