//! How hooks that wait come to their end.

use testkit::client::COM_QUERY;
use testkit::wait::PATIENCE;
use testkit::{MariaDb, RawClient, eventually};

use super::waiting;
use crate::support::*;

/// Waits for ever, and tells how it ends.
const FOR_EVER: &str = "
import asyncio

async def read_query(proxy, packet):
    if b'wait' not in packet:
        return
    print('waits', flush=True)
    try:
        if b'query' in packet:
            await proxy.query(\"SELECT SLEEP(1000), 'of a hook'\")
        else:
            await asyncio.sleep(1000)
    except asyncio.CancelledError:
        print('cancelled', proxy.connection.client.username is not None, flush=True)
        await asyncio.sleep(0.05)
        raise
    finally:
        print('ended', flush=True)

def disconnect_client(proxy):
    print('disconnected', flush=True)
";

fn sleeps() -> bool {
    let sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%of a hook%' \
               AND INFO NOT LIKE '%PROCESSLIST%'";
    MariaDb::shared().query(sql).value() != "0"
}

#[test]
fn a_client_that_leaves_cancels_the_hook_and_its_query() {
    let host = waiting(FOR_EVER).with_counters().start();
    let mut begun = 0;
    for leave in [drop, RawClient::abort] {
        for sql in [&b"SELECT 'wait'"[..], b"SELECT 'wait', 'query'"] {
            let mut client = host.client();
            client.send_command(COM_QUERY, sql).unwrap();
            begun += 1;
            assert!(eventually(PATIENCE, || host.stdout().matches("waits").count() == begun));
            if sql.ends_with(b"'query'") {
                assert!(eventually(PATIENCE, sleeps));
            }
            leave(client);
            host.wait_for_clients(&[0]);
            assert!(eventually(PATIENCE, || !sleeps()), "its query goes on");
        }
    }
    let one = "waits\ncancelled True\nended\ndisconnected\n";
    assert!(eventually(PATIENCE, || host.stdout() == one.repeat(4)), "{}", host.stdout());
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn a_hook_that_takes_too_long_fails() {
    let host = waiting(FOR_EVER).option("pyproxy-hook-timeout", "0.3").start();
    let mut client = host.client();
    assert_query_fails(&mut client, "SELECT 'wait'", "read_query");
    assert_in_step(&mut client);
    let log = host.log();
    assert!(log.contains("read_query took longer than pyproxy-hook-timeout"), "{log}");
    assert!(log.contains("await asyncio.sleep(1000)"), "it does not tell where: {log}");
}

#[test]
fn time_in_queries_is_not_the_hooks() {
    let host = waiting(
        "
async def read_query(proxy, packet):
    for _ in range(3):
        await proxy.query('SELECT SLEEP(0.2)')
",
    )
    .option("pyproxy-hook-timeout", "0.3")
    .start();
    assert_eq!(host.client().query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn a_query_that_takes_too_long_raises_in_the_hook() {
    let host = waiting(
        "
import pyproxy

async def read_query(proxy, packet):
    try:
        await proxy.query('SELECT SLEEP(1000)')
    except pyproxy.ServerLost as error:
        return pyproxy.Error(str(error), code=3024)
",
    )
    .option("pyproxy-query-timeout", "0.3")
    .start();
    let mut client = host.client();
    let error = client.query("SELECT 1").unwrap();
    assert_eq!((error.err().code, &*error.err().message), (3024, "backend timed out"));
    client.expect_closed();
}

#[test]
fn the_end_of_the_proxy_cancels_what_waits() {
    for threads in [1, 4] {
        let host =
            waiting(FOR_EVER).event_threads(threads).option("pyproxy-drain-timeout", "0.2").start();
        let mut clients: Vec<_> = (0..6).map(|_| host.client()).collect();
        for (n, client) in clients.iter_mut().enumerate() {
            let sql: &[u8] = if n % 2 == 0 { b"SELECT 'wait'" } else { b"SELECT 'wait', 'query'" };
            client.send_command(COM_QUERY, sql).unwrap();
        }
        let all_wait = || host.stdout().matches("waits\n").count() == 6;
        assert!(eventually(PATIENCE, all_wait));
        let ended = host.stop();
        assert!(ended.status.success(), "{ended:?}");
        assert_eq!(ended.stdout.matches("ended\n").count(), 6, "{}", ended.stdout);
    }
}

#[test]
fn a_waiting_hook_belongs_to_its_version_of_the_script() {
    let script = |name: &str| {
        format!(
            "
import asyncio
import pyproxy

async def read_query(proxy, packet):
    if b'wait' in packet:
        print('waits', flush=True)
        while not hasattr(proxy.globals, 'go'):
            await asyncio.sleep(0.01)
    if b'go' in packet:
        proxy.globals.go = True
    return pyproxy.Rows(['version'], [('{name}',)])
"
        )
    };
    let host = waiting(&script("old")).option("pyproxy-reload", "true").start();
    let mut waiter = host.client();
    waiter.send_command(COM_QUERY, b"SELECT 'wait'").unwrap();
    host.wait_for_stdout("waits");
    std::fs::write(host.file("hooks.py"), script("new")).unwrap();
    let is_new = || host.client().query("SELECT 1").unwrap().value() == "new";
    assert!(eventually(PATIENCE, is_new));
    host.client().query("SELECT 'go'").unwrap();
    assert_eq!(waiter.read_answer(1).unwrap().value(), "old");
}

#[test]
fn an_exception_is_a_script_error() {
    let host = waiting(
        "
import asyncio

async def read_query(proxy, packet):
    await asyncio.sleep(0)
    if b'raise' in packet:
        raise ValueError('on purpose')
    if b'wrong' in packet:
        return 'what is this'
    if b'exit' in packet:
        raise SystemExit(1)
",
    )
    .start();
    let mut client = host.client();
    for sql in ["SELECT 'raise'", "SELECT 'wrong'", "SELECT 'exit'"] {
        assert_query_fails(&mut client, sql, "read_query");
        assert_in_step(&mut client);
    }
}
