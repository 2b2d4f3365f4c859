//! Clients that vanish at every stage leave no descriptor and no counted connection behind, nor do those that are too slow to
//! log in.

use testkit::{Host, MariaDb};

use crate::random::{Random, seed};
use crate::session::{SCRIPT, prepare_table, vanishing};
use crate::setting;
use crate::slow::Slow;

fn churn(event_threads: u32) {
    let seed = seed();
    let mut random = Random::new(seed);
    prepare_table();
    let mut host = Host::builder()
        .backend(MariaDb::shared().address())
        .script(SCRIPT)
        .option("log-level", "critical")
        .option("pyproxy-login-timeout", "1.5")
        .event_threads(event_threads)
        .with_counters()
        .start();
    drop(host.client());
    let idle = host.idle_fds();
    let (mut refused, mut slow) = (0, Slow::default());
    let count = setting("PYPROXY_SOAK_ABORTS", 2_000);
    for _ in 0..count {
        refused += usize::from(vanishing(&host, &mut random).is_err());
        slow.one_goes_on(&host).expect("one more client");
    }
    let cut_off = slow.cut_off;
    drop(slow);
    // One in seven clients is sent away for its password only if it waits for that, which none does.
    assert!(refused < count / 10, "{refused} of {count} clients could not do their part");
    host.wait_for_fds(idle);
    host.wait_for_clients(&[0]);
    host.assert_serves();
    println!(
        "{event_threads} event threads, seed {seed}: {count} vanishing clients, {refused} cut short, \
         {cut_off} slow ones cut off, {idle} descriptors before, {} after, peak memory {} KiB",
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
