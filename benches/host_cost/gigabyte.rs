//! Peak memory of the host while results of 1 GiB pass.

use std::sync::Arc;
use std::time::Duration;

use crate::peers::{Client, Reply, serve};
use crate::variant::{Proxy, Running};

const GIB: usize = 1 << 30;
/// A rest after each MiB makes the client slower than any server.
const SLOW: Duration = Duration::from_millis(2);

/// Streams results through hosts of their own and prints the memory before and the peak.
pub fn run() {
    println!(
        "method   peak resident memory (VmHWM) of the host while one result of 1 GiB passes\n"
    );
    println!("{:<40}{:>12}{:>12}", "", "before", "peak");
    for proxy in [Proxy::Pyproxy, Proxy::Lua] {
        if !proxy.is_available() {
            println!("{proxy}: not in this host, not measured");
            continue;
        }
        for (width, size) in [(1 << 10, "1 KiB"), (1 << 20, "1 MiB")] {
            for (pause, pace) in [(None, "fast"), (Some(SLOW), "slow")] {
                let (before, peak) = stream(proxy, width, pause);
                let name = format!("{proxy}, rows of {size}, {pace} client");
                println!("{name:<40}{:>8} KiB{:>8} KiB", before, peak);
            }
        }
    }
}

/// Peak memory before and after, in KiB.
fn stream(proxy: Proxy, width: usize, pause: Option<Duration>) -> (u64, u64) {
    let reply = Arc::new(Reply::rows(GIB / width, width));
    let Running::Host(host) = proxy.plain().start(serve(Arc::clone(&reply))) else {
        unreachable!("both are plugins");
    };
    let mut client = Client::login(host.address(), false).expect("a login");
    let before = host.rss_peak_kib();
    client.query(reply.len(), pause).expect("an answer");
    (before, host.rss_peak_kib())
}
