//! Hooks that wait, among clients that vanish and servers that are killed: nothing is left of any of them.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use testkit::client::COM_QUERY;
use testkit::{Host, MariaDb, RawClient};

use crate::random::{Random, seed};
use crate::setting;

const CLIENTS: u64 = 8;

/// Every hook waits. Queries tell by a word what else becomes of them.
const SCRIPT: &str = r#"
    import asyncio
    import gc
    import warnings

    import pyproxy

    warnings.simplefilter("error", RuntimeWarning)
    alive = 0

    async def connect_server(proxy):
        await asyncio.sleep(0)

    async def read_auth(proxy):
        await asyncio.sleep(0)
        proxy.connection.user = proxy.connection.client.username

    async def read_auth_result(proxy, auth):
        await proxy.query("DO 1")

    async def read_query(proxy, packet):
        global alive
        alive += 1
        try:
            return await answer(proxy, packet)
        finally:
            alive -= 1

    async def answer(proxy, packet):
        if packet[0] != proxy.COM_QUERY or b"plain" in packet:
            return None
        if b"tasks" in packet:
            gc.collect()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            return pyproxy.Rows(["tasks", "hooks"], [(str(len(others)), str(alive - 1))])
        if b"sleeps" in packet:
            await asyncio.sleep(0.001)
        if b"several" in packet:
            await asyncio.gather(*(proxy.query(f"SELECT {n}") for n in range(4)))
        if b"abandoned" in packet:
            try:
                await asyncio.wait_for(proxy.query("SELECT SLEEP(0.02)"), 0.001)
            except asyncio.TimeoutError:
                return pyproxy.Error("abandoned")
        if b"left" in packet:
            asyncio.ensure_future(proxy.query("SELECT SLEEP(0.01)"))
            await asyncio.sleep(0)
            return None
        if b"raised" in packet:
            raise RuntimeError("on purpose")
        if b"queued" in packet:
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY
        if b"killed" in packet:
            await proxy.query("KILL CONNECTION_ID()")
        return await proxy.query(packet)

    async def read_query_result(proxy, inj):
        await asyncio.sleep(0)
        return await proxy.query("SELECT 'instead'")
    "#;

const WORDS: [&str; 9] =
    ["plain", "sleeps", "several", "abandoned", "left", "raised", "queued", "killed", "passed"];

/// One session, which ends at any point.
fn session(host: &Host, random: &mut Random) -> io::Result<()> {
    let mut client = RawClient::login(host.address(), &MariaDb::user())?;
    for _ in 0..random.below(6) {
        let word = WORDS[usize::try_from(random.below(9)).expect("below 9")];
        client.send_command(COM_QUERY, format!("SELECT '{word}', REPEAT('x', 3000)").as_bytes())?;
        match random.below(12) {
            0 => {
                client.abort();
                return Ok(());
            }
            1 => return Ok(()),
            _ => drop(client.read_answer(1)?),
        }
    }
    if random.below(2) == 0 {
        client.quit();
    }
    Ok(())
}

#[test]
#[ignore = "takes minutes; scripts/memcheck.sh runs it"]
fn waiting_hooks_leave_nothing_behind() {
    let sessions = setting("PYPROXY_SOAK_SESSIONS", 20_000);
    for threads in [1, 4] {
        let seed = seed();
        let mut host = Host::builder()
            .backend(MariaDb::shared().address())
            .script(SCRIPT)
            .option("log-level", "warning")
            .event_threads(threads)
            .with_counters()
            .start();
        host.assert_serves();
        host.wait_for_clients(&[0]);
        let descriptors = host.idle_fds();
        let (left, ended) = (AtomicUsize::new(sessions), AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (host, left, ended) = (&host, &left, &ended);
                scope.spawn(move || {
                    let mut random = Random::new(seed + number);
                    let next = |left: usize| left.checked_sub(1);
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() {
                        // Cut short or not, it is over.
                        let result = session(host, &mut random);
                        ended.fetch_add(usize::from(result.is_ok()), Ordering::Relaxed);
                    }
                });
            }
        });
        host.wait_for_clients(&[0]);
        let mut client = host.client();
        let tasks = client.query("SELECT 'tasks'").unwrap().text();
        client.quit();
        assert_eq!(tasks, [["0", "0"]], "tasks and hooks that are left");
        host.wait_for_clients(&[0]);
        host.wait_for_fds(descriptors);
        host.assert_serves();
        let log = host.log();
        assert!(!log.contains("never awaited"), "a coroutine was forgotten");
        assert!(!log.contains("was never retrieved"), "an exception was forgotten");
        println!(
            "{threads} event threads, seed {seed}: {sessions} sessions, {} to their end, peak memory {} KiB",
            ended.into_inner(),
            host.rss_peak_kib(),
        );
    }
}
