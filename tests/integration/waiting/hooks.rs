//! Who is served while a hook waits, and what may wait.

use testkit::client::COM_QUERY;
use testkit::wait::PATIENCE;
use testkit::{MariaDb, eventually};

use super::waiting;
use crate::support::*;

/// Waits until another client says `SELECT 'go'`.
const GATE: &str = "
import asyncio

gate = asyncio.Event()

async def read_query(proxy, packet):
    if packet[1:] == b\"SELECT 'wait'\":
        print('waits', flush=True)
        await gate.wait()
    elif packet[1:] == b\"SELECT 'go'\":
        gate.set()
";

#[test]
fn others_are_served_while_a_hook_waits() {
    for threads in [1, 4] {
        let host = waiting(GATE).event_threads(threads).start();
        let mut waiters: Vec<_> = (0..8).map(|_| host.client()).collect();
        for waiter in &mut waiters {
            waiter.send_command(COM_QUERY, b"SELECT 'wait'").unwrap();
        }
        host.wait_for_stdout(&"waits\n".repeat(8));
        let mut other = host.client();
        for n in 0..50 {
            assert_eq!(other.query(&format!("SELECT {n}")).unwrap().value(), n.to_string());
        }
        assert_eq!(other.query("SELECT 'go'").unwrap().value(), "go");
        for mut waiter in waiters {
            assert_eq!(waiter.read_answer(1).unwrap().value(), "wait");
            assert_in_step(&mut waiter);
        }
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn every_hook_of_a_login_may_wait() {
    let host = waiting(
        "
import asyncio

async def connect_server(proxy):
    await asyncio.sleep(0)
    print('connect', flush=True)

async def read_handshake(proxy):
    await asyncio.sleep(0)
    print('handshake', proxy.connection.server.thread_id > 0, flush=True)

async def read_auth(proxy):
    await asyncio.sleep(0)
    print('auth', proxy.connection.client.username, flush=True)

async def read_auth_result(proxy, auth):
    await asyncio.sleep(0)
    result = await proxy.query('SELECT CURRENT_USER()')
    print('result', auth.packet[0], list(result.rows)[0][0].split('@')[0], flush=True)

async def read_query_result(proxy, inj):
    await asyncio.sleep(0)
    print('query', inj.id, [row[0] for row in inj.resultset.rows], flush=True)
    result = await proxy.query(\"SELECT 'changed'\")
    return result

def read_query(proxy, packet):
    proxy.queries.append(7, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def disconnect_client(proxy):
    print('gone', flush=True)
",
    )
    .start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 'as it was'").unwrap().value(), "changed");
    client.quit();
    host.wait_for_stdout("gone");
    let user = MariaDb::user();
    let expected = format!(
        "connect\nhandshake True\nauth {0}\nresult 0\nquery 7 ['as it was']\ngone\n",
        user.user()
    );
    let seen = host.stdout().replace(&format!("result 0 {}", user.user()), "result 0");
    assert_eq!(seen, expected);
}

#[test]
fn a_login_that_a_hook_holds_up_may_be_refused() {
    let host = waiting(
        "
import asyncio

async def read_auth(proxy):
    await asyncio.sleep(0)
    raise RuntimeError('no')
",
    )
    .start();
    let (mut client, _) = send_login(&host, &MariaDb::user());
    let error = assert_err_and_close(&mut client, 2);
    assert_script_error(&error, "read_auth");
}

#[test]
fn objects_can_be_used_until_the_coroutine_has_ended_and_only_in_its_context() {
    let host = waiting(
        "
import asyncio
import pyproxy

kept = []

async def child(proxy):
    await asyncio.sleep(0)
    return proxy.connection.client.username

def elsewhere(proxy):
    try:
        return proxy.connection.client.username
    except ReferenceError:
        return 'ReferenceError'

async def read_query(proxy, packet):
    name = proxy.connection.client.username
    inside = await asyncio.gather(child(proxy), child(proxy))
    thread = await asyncio.to_thread(elsewhere, proxy)
    pyproxy.spawn(later())
    proxy.connection.seen = (await asyncio.create_task(child(proxy))) == name
    kept.append(proxy)
    return pyproxy.Rows(['r'], [(f'{inside == [name, name]} {thread} {proxy.connection.seen}',)])

async def later():
    await asyncio.sleep(0.05)
    print('later', elsewhere(kept[0]), flush=True)
",
    )
    .start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "True ReferenceError True");
    host.wait_for_stdout("later ReferenceError");
}

#[test]
fn a_shutdown_that_waits_may_be_the_first_to_need_the_loop() {
    let host = waiting(
        r#"
        import asyncio


        async def end():
            await asyncio.sleep(0)
            print("ended")


        def shutdown(proxy):
            return end()
        "#,
    )
    .start();
    host.client().query("SELECT 1").unwrap();
    let output = host.stop();
    assert!(output.stdout.contains("ended"), "{output:?}");
}

#[test]
fn init_and_shutdown_may_wait_and_background_tasks_end_with_the_proxy() {
    let host = waiting(
        "
import asyncio
import pyproxy

async def background():
    try:
        await asyncio.sleep(1000)
    finally:
        print('cancelled', flush=True)

async def fails():
    raise ValueError('in the background')

async def init(proxy):
    await asyncio.sleep(0)
    proxy.globals.ready = True
    pyproxy.spawn(background())
    pyproxy.spawn(fails())

async def shutdown(proxy):
    await asyncio.sleep(0)
    print('shut down', flush=True)

def read_query(proxy, packet):
    return pyproxy.Rows(['ready'], [(str(proxy.globals.ready),)])
",
    )
    .start();
    assert_eq!(host.client().query("SELECT 1").unwrap().value(), "True");
    host.wait_for_log("ValueError: in the background");
    let ended = host.stop();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stdout.contains("shut down") && ended.stdout.contains("cancelled"), "{ended:?}");
}

#[test]
fn a_thousand_waiting_hooks_need_no_threads() {
    const CLIENTS: usize = 1000;
    let host = waiting(GATE).option("pyproxy-tls", "off").start();
    let threads = || std::fs::read_dir(format!("/proc/{}/task", host.pid())).unwrap().count();
    let mut first = host.client();
    first.query("SELECT 1").unwrap();
    let before = threads();
    // As many as the server lets in.
    let mut clients: Vec<_> = (0..CLIENTS.min(100)).map(|_| host.client()).collect();
    for client in &mut clients {
        client.send_command(COM_QUERY, b"SELECT 'wait'").unwrap();
    }
    let all_wait = || host.stdout().matches("waits").count() == clients.len();
    assert!(eventually(PATIENCE, all_wait));
    assert_eq!(threads(), before);
    first.query("SELECT 'go'").unwrap();
    for client in &mut clients {
        assert_eq!(client.read_answer(1).unwrap().value(), "wait");
    }
}

#[test]
fn the_loop_of_mysql_proxy_lets_no_hook_wait() {
    let ended = waiting(GATE).option("pyproxy-event-loop", "chassis").run_to_end();
    assert!(!ended.status.success());
    let says = "read_query is an async def, which needs pyproxy-event-loop=own";
    assert!(ended.log.contains(says), "{}", ended.log);
}

#[test]
fn a_hook_of_the_end_cannot_wait() {
    let ended = waiting("async def disconnect_client(proxy): pass").run_to_end();
    assert!(!ended.status.success());
    assert!(ended.log.contains("disconnect_client cannot wait"), "{}", ended.log);
}

#[test]
fn a_function_may_give_a_coroutine() {
    let host = waiting(
        "
import asyncio

async def later(proxy, packet):
    await asyncio.sleep(0)
    return await proxy.query(\"SELECT 'later'\")

def read_query(proxy, packet):
    return later(proxy, packet)
",
    )
    .start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "later");
    assert_eq!(client.query("SELECT 1").unwrap().value(), "later");
}
