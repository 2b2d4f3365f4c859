//! `await proxy.query(...)`.

use testkit::client::COM_QUERY;
use testkit::{Greeting, MariaDb, RawServer};
use testkit::{Host, proto::resultset};

use super::waiting;
use crate::support::*;

/// Answers every query with what its own server says to it.
const ECHO: &str = "
import asyncio

async def read_query(proxy, packet):
    if packet[0] in (proxy.COM_QUERY, proxy.COM_STMT_EXECUTE, proxy.COM_STMT_PREPARE, proxy.COM_STMT_FETCH):
        await asyncio.sleep(0)
        return await proxy.query(packet)
";

#[test]
fn a_result_goes_to_the_client_as_it_came() {
    let host = waiting(ECHO).start();
    let mut client = host.client();
    for sql in [
        "SELECT 1",
        "SELECT REPEAT('x', 100000) AS x FROM information_schema.COLLATIONS",
        "SELECT * FROM information_schema.COLLATIONS WHERE FALSE",
        "DO 1",
        "SELECT nonsense",
        "SET @a = 1",
    ] {
        assert_same_as_direct(&mut client, sql);
    }
    assert_in_step(&mut client);
}

#[test]
fn the_packets_of_a_result_can_be_sent_again() {
    let host = waiting(
        "
import pyproxy

kept = {}

async def read_query(proxy, packet):
    if packet not in kept:
        kept[packet] = (await proxy.query(packet)).packets
    else:
        assert type(kept[packet]) is tuple and type(kept[packet][0]) is bytes
    return pyproxy.Raw(kept[packet])
",
    )
    .start();
    let mut client = host.client();
    for sql in [
        "SELECT 1, NULL, 'x'",
        "SELECT REPEAT('x', 100000) AS x FROM information_schema.COLLATIONS",
        "SELECT * FROM information_schema.COLLATIONS WHERE FALSE",
        "SELECT REPEAT('x', 0xffffff + 10)",
        "DO 1",
        "SELECT nonsense",
    ] {
        for _ in 0..2 {
            assert_same_as_direct(&mut client, sql);
        }
    }
    assert_in_step(&mut client);
}

#[test]
fn several_queries_run_in_order_also_at_once() {
    let host = waiting(
        "
import asyncio
import pyproxy

async def read_query(proxy, packet):
    first = await proxy.query('SELECT CONNECTION_ID()')
    several = await asyncio.gather(*(proxy.query(f'SELECT @n := {n}') for n in range(20)))
    last = await proxy.query('SELECT @n, CONNECTION_ID()')
    n, session = list(last.rows)[0]
    assert [list(one.rows)[0][0] for one in several] == [str(n) for n in range(20)]
    assert session == list(first.rows)[0][0]
    return pyproxy.Rows(['n'], [(n,)])
",
    )
    .start();
    assert_eq!(host.client().query("SELECT 1").unwrap().value(), "19");
}

#[test]
fn errors_of_the_server_are_results_and_can_be_raised() {
    let host = waiting(
        "
import pyproxy

async def read_query(proxy, packet):
    result = await proxy.query('SELECT nonsense')
    assert result.error is not None
    try:
        result.raise_for_error()
    except pyproxy.ServerError as error:
        (await proxy.query('SELECT 1')).raise_for_error()
        return pyproxy.Rows(['e'], [(f'{error.code} {error.sqlstate}',)])
",
    )
    .start();
    assert_eq!(host.client().query("SELECT 1").unwrap().value(), "1054 42S22");
}

#[test]
fn a_transaction_goes_on_through_queries_of_a_hook() {
    let host = waiting(
        "
async def read_query(proxy, packet):
    if b'COUNT' in packet:
        await proxy.query('INSERT INTO test.tx VALUES (2)')
        return await proxy.query(packet)
",
    )
    .start();
    let mut client = host.client();
    for sql in [
        "CREATE TEMPORARY TABLE test.tx (a INT) ENGINE=InnoDB",
        "START TRANSACTION",
        "INSERT INTO test.tx VALUES (1)",
    ] {
        client.query(sql).unwrap().ok();
    }
    assert_eq!(client.query("SELECT COUNT(*) FROM test.tx").unwrap().value(), "2");
    client.query("ROLLBACK").unwrap().ok();
    assert_eq!(client.query("SELECT COUNT(*) FROM test.tx").unwrap().value(), "1");
}

#[test]
fn a_query_that_nobody_waits_for_delays_the_next_command_only() {
    let host = waiting(
        "
import asyncio
import pyproxy

async def read_query(proxy, packet):
    if b'slow' in packet:
        try:
            await asyncio.wait_for(proxy.query(\"SELECT GET_LOCK('waiting', 1000)\"), 0.1)
        except asyncio.TimeoutError:
            return pyproxy.Error('too slow', code=3024)
",
    )
    .start();
    let mut owner = direct();
    assert_eq!(owner.query("SELECT GET_LOCK('waiting', 0)").unwrap().value(), "1");
    let mut client = host.client();
    let error = client.query("SELECT 'slow'").unwrap();
    assert_eq!((error.err().code, &*error.err().message), (3024, "too slow"));
    client.send_command(COM_QUERY, b"SELECT 'next'").unwrap();
    owner.query("DO RELEASE_LOCK('waiting')").unwrap().ok();
    assert_eq!(client.read_answer(1).unwrap().value(), "next");
    assert_in_step(&mut client);
}

#[test]
fn a_server_that_goes_raises_and_ends_the_session() {
    let host = waiting(
        "
import pyproxy

async def read_query(proxy, packet):
    if b'kill' in packet:
        try:
            await proxy.query('KILL CONNECTION_ID()')
            await proxy.query('SELECT 1')
        except pyproxy.ServerLost as error:
            print('lost', flush=True)
            if b'answer' in packet:
                return pyproxy.Error('lost', code=2013)
            raise
",
    )
    .with_counters()
    .start();
    let mut client = host.client();
    let error = client.query("SELECT 'kill', 'answer'").unwrap();
    assert!([1317, 1927, 2013].contains(&error.err().code), "{error:?}");
    client.expect_closed();
    let mut client = host.client();
    let error = client.query("SELECT 'kill'").unwrap();
    assert!(error.err().message.contains("the server closed the connection"), "{error:?}");
    client.expect_closed();
    host.wait_for_clients(&[0]);
}

#[test]
fn a_result_that_is_too_large_raises() {
    let host = waiting(
        "
import pyproxy

async def read_query(proxy, packet):
    try:
        await proxy.query(\"SELECT REPEAT('x', 1000000)\")
    except pyproxy.ResultTooLarge:
        return pyproxy.Rows(['x'], [('too large',)])
",
    )
    .option("pyproxy-max-kept-bytes", 100_000)
    .start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "too large");
    assert_eq!(client.query("SELECT 1").unwrap().value(), "too large");
}

#[test]
fn what_cannot_be_asked_is_an_error_of_the_script() {
    let host = waiting(
        "
import pyproxy

async def attempt(proxy, what):
    try:
        await proxy.query(what)
    except (ValueError, TypeError, RuntimeError) as error:
        return type(error).__name__
    return 'nothing'

async def read_query(proxy, packet):
    tried = [await attempt(proxy, what) for what in (b'\\x01', b'\\x11x', b'\\x12', b'', 5, b'SELECT 1')]
    return pyproxy.Rows(['tried'], [(' '.join(tried),)])

def read_auth(proxy):
    try:
        proxy.query('SELECT 1')
    except RuntimeError as error:
        print(error, flush=True)
",
    )
    .start();
    let tried = host.client().query("SELECT 1").unwrap().value();
    assert_eq!(tried, "ValueError ValueError ValueError ValueError TypeError ValueError");
    host.wait_for_stdout("async def");
}

#[test]
fn a_file_that_a_query_asks_for_is_the_clients() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        conn.write_all(1, &[b"\xfbname".to_vec()])?;
        let mut length = 0;
        loop {
            let packet = conn.read()?;
            if packet.payload.is_empty() {
                let id = packet.id.wrapping_add(1);
                conn.write_all(id, &[vec![0, length, 0, 2, 0, 0, 0]])?;
                return conn.serve(|_| resultset::one_cell("v", "next"));
            }
            length += u8::try_from(packet.payload.len()).unwrap();
        }
    });
    let host = Host::builder()
        .option("pyproxy-event-loop", "own")
        .backend(server.address())
        .script(ECHO)
        .start();
    let login = MariaDb::user().with(testkit::proto::caps::LOCAL_FILES);
    let mut client = host.login(&login);
    client.send_command(COM_QUERY, b"LOAD DATA LOCAL INFILE 'name' INTO TABLE t").unwrap();
    expect_packet(&mut client, 1, b"\xfbname");
    client.send_packet(2, b"some lines").unwrap();
    client.send_packet(3, b"").unwrap();
    assert_eq!(client.read_answer(4).unwrap().ok().affected_rows, 10);
    assert_eq!(client.query("SELECT 1").unwrap().value(), "next");
}
