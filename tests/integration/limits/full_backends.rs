//! Backends that have all the connections that they may have.

use std::thread;

use testkit::host::builder::Builder;
use testkit::{Host, eventually, wait::PATIENCE};

use super::*;
use crate::support::*;

const POOLING: &str = "
import asyncio

from pyproxy import COM_QUIT, Ok, Rows

def init(proxy):
    proxy.globals.backends[0].max_connections = 2

def read_auth_result(proxy, auth):
    if auth.packet[:1] == b'\\0':
        proxy.connection.backend_ndx = -1

async def read_query(proxy, packet):
    if packet[0] == COM_QUIT:
        return Ok()
    sql = packet[1:].decode()
    if sql == 'IMPATIENT':
        waiting = proxy.connection.wait_for_backend([0])
        try:
            await asyncio.wait_for(waiting, 0.05)
        except asyncio.TimeoutError:
            return Rows(['came'], [['too long']])
    if proxy.connection.server is None:
        ndx = await proxy.connection.wait_for_backend([0])
        assert ndx == 0
        proxy.connection.backend_ndx = ndx
        assert proxy.connection.server is not None
        assert proxy.globals.backends[0].open_connections <= 2
    proxy.queries.append(1, packet)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    proxy.connection.backend_ndx = -1
";

/// A host whose only backend may have so many connections. Clients that wait have all the time that a busy machine needs.
fn with_limit(limit: usize) -> Builder {
    Host::builder()
        .backend(db())
        .option("pyproxy-backend-max-connections", limit)
        .option("pyproxy-connect-timeout", PATIENCE.as_secs())
        .option("pyproxy-login-timeout", PATIENCE.as_secs())
}

#[test]
fn who_comes_to_a_full_backend_waits_for_a_place() {
    let host = with_limit(2).start();
    let (first, mut second) = (host.client(), host.client());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut third = host.client();
            third.query("SELECT 3").unwrap().value()
        });
        assert!(
            eventually(PATIENCE, || host.log().contains("is full, waits for a place")),
            "nobody waits"
        );
        assert_in_step(&mut second);
        first.quit();
        assert_eq!(waiting.join().unwrap(), "3");
    });
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn who_waits_for_too_long_is_refused() {
    let host = Host::builder()
        .backend(db())
        .script(TELLING)
        .option("pyproxy-backend-max-connections", 1)
        .option("pyproxy-connect-timeout", 1)
        .start();
    let mut first = host.client();
    let error = assert_err_and_close(&mut host.connect(), 0);
    assert_eq!(error.code, 1040);
    assert!(error.message.starts_with("Too many connections to backend "), "{}", error.message);
    assert_eq!(counted(&mut first, "full_backends"), 1);
    // A backend that is full is not down.
    first.quit();
    host.client().quit();
}

#[test]
fn nobody_waits_in_the_chassis() {
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-backend-max-connections", 1)
        .option("pyproxy-event-loop", "chassis")
        .start();
    let first = host.client();
    assert_eq!(assert_err_and_close(&mut host.connect(), 0).code, 1040);
    first.quit();
    assert_place_is_free(&host);
}

#[test]
fn who_leaves_while_it_waits_takes_no_place() {
    let host = with_limit(1).start();
    let first = host.client();
    let waiting = host.connect();
    assert!(eventually(PATIENCE, || host.log().contains("is full, waits for a place")));
    drop(waiting);
    thread::scope(|scope| {
        let next = scope.spawn(|| host.client().quit());
        first.quit();
        next.join().unwrap();
    });
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn many_clients_share_few_connections() {
    share_few_connections(1);
}

#[test]
fn many_clients_of_several_threads_share_few_connections() {
    share_few_connections(4);
}

fn share_few_connections(event_threads: u32) {
    let host = with_limit(2).script(POOLING).event_threads(event_threads).start();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let mut client = host.client();
                for n in 0..10 {
                    assert_eq!(
                        client.query(&format!("SELECT {n}")).unwrap().value(),
                        n.to_string()
                    );
                }
                client.quit();
            });
        }
    });
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn who_gives_up_waiting_leaves_what_came_to_others() {
    let host = with_limit(2).script(POOLING).start();
    let mut impatient = host.client();
    let mut busy: Vec<_> = (0..2).map(|_| host.client()).collect();
    let mut holder = RawClient::login(db(), &MariaDb::user()).unwrap();
    for (n, client) in busy.iter_mut().enumerate() {
        holder.query(&format!("SELECT GET_LOCK('full{n}', 0)")).unwrap();
        let waits = format!("SELECT GET_LOCK('full{n}', 60) + RELEASE_LOCK('full{n}')");
        client.send_command(3, waits.as_bytes()).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(impatient.query("IMPATIENT").unwrap().value(), "too long");
    }
    holder.quit();
    for client in &mut busy {
        client.read_answer(1).unwrap();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "1");
    }
    assert_eq!(impatient.query("SELECT 2").unwrap().value(), "2");
    assert_eq!(host.criticals(), Vec::<String>::new());
}
