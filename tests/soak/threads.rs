//! Eight event threads, a script with busy threads of its own, and clients that do anything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Host, MariaDb, RawClient};

use crate::random::{Random, seed};
use crate::session::{self, SCRIPT, WORDS};
use crate::setting;

const EVENT_THREADS: u32 = 8;
const CLIENTS: u64 = 6;

/// Keeps Python busy between the hooks, with garbage for its collector.
const BUSY: &str = r#"
import threading as _threading


def _busy():
    while True:
        ring = [{"text": str(number)} for number in range(500)]
        ring.append(ring)
        sorted(ring[:-1], key=lambda entry: entry["text"])


for _ in range(3):
    _threading.Thread(target=_busy, daemon=True).start()
"#;

#[test]
#[ignore = "takes minutes; scripts/memcheck.sh runs it"]
fn busy_threads_and_random_clients() {
    let seed = seed();
    session::prepare_table();
    let mut host = Host::builder()
        .backend(MariaDb::shared().address())
        // The threads are started by the script's text, before any hook.
        .script(&format!("{SCRIPT}\n{}", indented(BUSY)))
        .option("log-level", "warning")
        .event_threads(EVENT_THREADS)
        .with_counters()
        .start();
    let seconds = u64::try_from(setting("PYPROXY_SOAK_SECONDS", 300)).expect("a duration");
    let end = Instant::now() + Duration::from_secs(seconds);
    let (whole, vanished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (host, whole, vanished) = (&host, &whole, &vanished);
            scope.spawn(move || {
                let mut random = Random::new(seed + number);
                while Instant::now() < end {
                    if random.below(2) == 0 {
                        several_queries(host, &mut random);
                        whole.fetch_add(1, Ordering::Relaxed);
                    } else {
                        // Cut short or not, it is over.
                        let _ = session::vanishing(host, &mut random);
                        vanished.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    host.wait_for_clients(&[0]);
    host.assert_serves();
    println!(
        "{seconds} s, {EVENT_THREADS} event threads, seed {seed}: {} whole sessions, {} vanishing clients, peak memory {} KiB",
        whole.load(Ordering::Relaxed),
        vanished.load(Ordering::Relaxed),
        host.rss_peak_kib(),
    );
    assert!(whole.into_inner() > 0, "no session came to its end");
}

fn several_queries(host: &Host, random: &mut Random) {
    let mut client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    for _ in 0..=random.below(12) {
        let kind = usize::try_from(random.below(7)).expect("below 7");
        assert!(kind < WORDS.len());
        session::query(&mut client, kind).unwrap();
    }
    client.quit();
}

/// Brings Python source to the indentation of [`SCRIPT`].
fn indented(source: &str) -> String {
    source.lines().map(|line| format!("    {line}\n")).collect()
}
