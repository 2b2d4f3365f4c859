//! Clients that vanish at every stage leave no descriptor and no counted connection behind.

use testkit::{Host, MariaDb};

use crate::random::{Random, seed};
use crate::session::{SCRIPT, vanishing};
use crate::setting;

fn churn(event_threads: u32) {
    let seed = seed();
    let mut random = Random::new(seed);
    let mut host = Host::builder()
        .backend(MariaDb::shared().address())
        .script(SCRIPT)
        .option("log-level", "critical")
        .event_threads(event_threads)
        .with_counters()
        .start();
    drop(host.client());
    let idle = host.idle_fds();
    let mut refused = 0;
    let count = setting("PYPROXY_SOAK_ABORTS", 2_000);
    for _ in 0..count {
        refused += usize::from(vanishing(&host, &mut random).is_err());
    }
    // One in seven clients is sent away for its password only if it waits for that, which none does.
    assert!(refused < count / 10, "{refused} of {count} clients could not do their part");
    host.wait_for_fds(idle);
    host.wait_for_clients(&[0]);
    host.assert_serves();
    println!(
        "{event_threads} event threads, seed {seed}: {count} vanishing clients, {refused} cut short, \
         {idle} descriptors before, {} after, peak memory {} KiB",
        host.idle_fds(),
        host.rss_peak_kib(),
    );
}

#[test]
#[ignore = "takes minutes; scripts/memcheck.sh runs it"]
fn with_one_event_thread() {
    churn(1);
}

#[test]
#[ignore = "takes minutes; scripts/memcheck.sh runs it"]
fn with_four_event_threads() {
    churn(4);
}
