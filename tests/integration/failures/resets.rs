//! TCP resets at every step of a connection, from clients and from servers: nothing stays, nobody else notices, no client waits
//! for ever. `killed.rs` has what a real server sends, cut packet by packet.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use testkit::client::COM_QUERY;
use testkit::proto::packet::frame;
use testkit::proto::{caps, packet, resultset};
use testkit::reset::reset;
use testkit::wait::{Gate, PATIENCE};
use testkit::{Greeting, Host, MariaDb, RawClient, RawServer, ServerConn, artifacts, eventually};

use crate::support::*;

const COM_CHANGE_USER: u8 = 0x11;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
const COM_STMT_FETCH: u8 = 0x1c;

const TABLE: &str = "test.resets";
/// A hundred megabytes: more than fits on the way.
const MUCH: &[u8] = b"SELECT REPEAT('x', 1000000) FROM test.seq_1_to_100";
/// Long enough to be under way when the reset comes.
const SLEEP: &[u8] = b"SELECT SLEEP(1)";

/// Takes a client to a step.
type ClientStep = fn(&Host) -> TcpStream;

const PLAIN: &[(&str, ClientStep)] = &[
    ("accepted", |host| host.connect().into_stream()),
    ("greeted", |host| greeted(host).into_stream()),
    ("half a login", |host| {
        let mut client = greeted(host);
        client.send_bytes(b"\x50\0\0\x01half").unwrap();
        client.into_stream()
    }),
    ("login sent", |host| send_login(host, &MariaDb::user()).0.into_stream()),
    ("asked for another password", |host| {
        let (mut client, _) = send_login(host, &MariaDb::user().method("no_such_method"));
        assert_eq!(client.read_packet().unwrap().kind(), Some(0xfe));
        client.into_stream()
    }),
    ("idle", |host| host.client().into_stream()),
    ("half a command", |host| {
        let mut client = host.client();
        client.send_bytes(b"\x50\0\0\0\x03half").unwrap();
        client.into_stream()
    }),
    ("half a long command", |host| {
        let mut client = host.client();
        client.send_bytes(b"\xff\xff\xff\0\x03").unwrap();
        client.send_bytes(&vec![b' '; 1 << 20]).unwrap();
        client.into_stream()
    }),
    ("command sent", |host| commanded(host, COM_QUERY, SLEEP).into_stream()),
    ("answered with much", |host| {
        let mut client = commanded(host, COM_QUERY, MUCH);
        client.read_packet().unwrap();
        client.into_stream()
    }),
    ("asked for a file", |host| asked_for_a_file(host).into_stream()),
    ("half a file sent", |host| {
        let mut client = asked_for_a_file(host);
        client.send_packet(2, b"1\n").unwrap();
        client.into_stream()
    }),
    ("prepared", |host| prepared(host).0.into_stream()),
    ("half a parameter sent", |host| {
        let (mut client, id) = prepared(host);
        let data = [id.as_slice(), b"\0\0long"].concat();
        client.send_command(COM_STMT_SEND_LONG_DATA, &data).unwrap();
        client.into_stream()
    }),
    ("a cursor opened", |host| with_cursor(host).0.into_stream()),
    ("rows fetched", |host| {
        let (mut client, id) = with_cursor(host);
        client.send_command(COM_STMT_FETCH, &[id.as_slice(), b"\x10\0\0\0"].concat()).unwrap();
        client.read_packet().unwrap();
        client.into_stream()
    }),
    ("changing the user", |host| {
        let mut client = commanded(host, COM_CHANGE_USER, b"u\0\0\0\x2d\0no_such_method\0");
        client.read_packet().unwrap();
        client.into_stream()
    }),
];

/// The same with TLS, which the plugin's own loop has.
const SECURE: &[(&str, ClientStep)] = &[
    ("TLS wanted", |host| tls_wanted(host).into_stream()),
    ("half a hello sent", |host| {
        let mut client = tls_wanted(host);
        client.send_bytes(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03").unwrap();
        client.into_stream()
    }),
    ("TLS agreed on", |host| secured(host).get_ref().try_clone().unwrap()),
    ("answered with much through TLS", |host| {
        let mut stream = secured(host);
        io::Write::write_all(&mut stream, &frame(0, &[&[COM_QUERY], MUCH].concat())).unwrap();
        packet::read(&mut stream).unwrap();
        stream.get_ref().try_clone().unwrap()
    }),
];

fn greeted(host: &Host) -> RawClient {
    let mut client = host.connect();
    client.read_handshake().unwrap();
    client
}

fn commanded(host: &Host, command: u8, argument: &[u8]) -> RawClient {
    let mut client = host.client();
    client.send_command(command, argument).unwrap();
    client
}

fn asked_for_a_file(host: &Host) -> RawClient {
    let sql = format!("LOAD DATA LOCAL INFILE 'f' INTO TABLE {TABLE}");
    let mut client = commanded(host, COM_QUERY, sql.as_bytes());
    assert_eq!(client.read_packet().unwrap().kind(), Some(0xfb));
    client
}

/// A client with a statement, and the statement's id.
fn prepared(host: &Host) -> (RawClient, Vec<u8>) {
    let sql = b"SELECT seq, ? FROM test.seq_1_to_1000";
    let mut client = commanded(host, COM_STMT_PREPARE, sql);
    let id = client.read_packet().unwrap().payload[1..5].to_vec();
    // A parameter and an EOF, two columns and an EOF.
    (0..5).for_each(|_| drop(client.read_packet().unwrap()));
    (client, id)
}

fn with_cursor(host: &Host) -> (RawClient, Vec<u8>) {
    let (mut client, id) = prepared(host);
    let execute = [id.as_slice(), b"\x01\x01\0\0\0\0\x01\xfd\0\x01x"].concat();
    client.send_command(COM_STMT_EXECUTE, &execute).unwrap();
    // A count, two columns and an EOF.
    (0..4).for_each(|_| drop(client.read_packet().unwrap()));
    (client, id)
}

/// A client that wants TLS: what it sends is the beginning of a login.
fn tls_wanted(host: &Host) -> RawClient {
    let mut client = host.connect();
    let handshake = client.read_handshake().unwrap();
    let login = MariaDb::user().with(caps::SSL).payload(&handshake);
    client.send_packet(1, &login[..32]).unwrap();
    client
}

/// A session through TLS.
fn secured(host: &Host) -> SslStream<TcpStream> {
    let mut client = host.connect();
    let handshake = client.read_handshake().unwrap();
    let login = MariaDb::user().with(caps::SSL).payload(&handshake);
    client.send_packet(1, &login[..32]).unwrap();
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let mut stream = connector.build().connect("localhost", client.into_stream()).unwrap();
    io::Write::write_all(&mut stream, &frame(2, &login)).unwrap();
    assert_eq!(packet::read(&mut stream).unwrap().kind(), Some(0));
    stream
}

fn clients_reset(threads: u32, steps: &[&[(&str, ClientStep)]]) {
    MariaDb::shared().query(&format!("CREATE TABLE IF NOT EXISTS {TABLE} (a INT)")).ok();
    let host = Host::builder()
        .backend(db())
        .event_threads(threads)
        .option("pyproxy-tls", if steps.len() > 1 { "optional" } else { "off" })
        .with_counters()
        .start();
    let mut other = host.client();
    host.wait_for_clients(&[1]);
    let fds = host.idle_fds();
    for (name, step) in steps.iter().copied().flatten() {
        for _ in 0..3 {
            reset(&step(&host));
        }
        assert_in_step(&mut other);
        host.wait_for_clients(&[1]);
        host.wait_for_fds(fds);
        assert_eq!(host.criticals(), Vec::<String>::new(), "{name}");
    }
}

fn all_steps() -> &'static [&'static [(&'static str, ClientStep)]] {
    if artifacts::event_loop() == "own" { &[PLAIN, SECURE] } else { &[PLAIN] }
}

#[test]
fn clients_reset_at_every_step() {
    clients_reset(1, all_steps());
}

#[test]
fn clients_reset_at_every_step_with_four_event_threads() {
    clients_reset(4, all_steps());
}

/// What a client wants, and how far the server goes before it resets the connection.
struct ServerStep {
    name: &'static str,
    command: u8,
    goes: fn(&mut ServerConn) -> io::Result<()>,
}

/// A step of a query.
const fn of_query(name: &'static str, goes: fn(&mut ServerConn) -> io::Result<()>) -> ServerStep {
    ServerStep { name, command: COM_QUERY, goes }
}

const SERVER: &[ServerStep] = &[
    of_query("login read", |conn| {
        greet(conn)?;
        conn.read().map(drop)
    }),
    of_query("half an OK", |conn| {
        greet(conn)?;
        conn.read()?;
        conn.write_bytes(b"\x07\0\0\x02\0\0")
    }),
    of_query("another password asked for", ask_again),
    of_query("another password read", |conn| {
        ask_again(conn)?;
        conn.read().map(drop)
    }),
    of_query("idle", |conn| conn.accept_login(&Greeting::default()).map(drop)),
    of_query("command read", command),
    of_query("half a header", |conn| {
        command(conn)?;
        conn.write_bytes(b"\x01\0")
    }),
    of_query("half a result", |conn| {
        command(conn)?;
        conn.write_all(1, &resultset::one_cell("v", "half")[..3]).map(drop)
    }),
    of_query("much of a result", |conn| {
        command(conn)?;
        let head = conn.write_all(1, &resultset::one_cell("v", "much")[..3])?;
        let row = [b"\xfd\x40\x42\x0f".as_slice(), &[b'x'; 1_000_000]].concat();
        (0..20).try_fold(head, |id, _| conn.write(id, &row)).map(drop)
    }),
    of_query("a file asked for", |conn| {
        command(conn)?;
        conn.write(1, b"\xfbfile").map(drop)
    }),
    of_query("half a file read", |conn| {
        command(conn)?;
        conn.write(1, b"\xfbfile")?;
        conn.read().map(drop)
    }),
    ServerStep {
        name: "half a prepared statement",
        command: COM_STMT_PREPARE,
        goes: |conn| {
            command(conn)?;
            conn.write(1, b"\0\x01\0\0\0\x02\0\x01\0\0\0\0").map(drop)
        },
    },
    ServerStep { name: "another user wanted", command: COM_CHANGE_USER, goes: command },
];

fn greet(conn: &mut ServerConn) -> io::Result<()> {
    conn.write(0, &Greeting::default().payload()).map(drop)
}

fn ask_again(conn: &mut ServerConn) -> io::Result<()> {
    greet(conn)?;
    conn.read()?;
    conn.write(2, b"\xfemysql_native_password\0abcdefghijklmnopqrst\0").map(drop)
}

fn command(conn: &mut ServerConn) -> io::Result<()> {
    conn.accept_login(&Greeting::default())?;
    conn.read().map(drop)
}

/// A client that goes on until its connection ends, which it does.
fn until_the_end(host: &Host, command: u8) -> io::Result<()> {
    let mut client = RawClient::login(host.address(), &MariaDb::user())?;
    client.send_command(command, b"u\0\0\0\x2d\0mysql_native_password\0")?;
    loop {
        let packet = client.read_packet()?;
        if packet.kind() == Some(0xfb) {
            let next = client.send_packet(packet.id.wrapping_add(1), b"1\n")?;
            client.send_packet(next, b"")?;
        }
    }
}

/// Whether that is an end, and not that nothing came.
fn is_an_end(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn servers_reset(threads: u32, script: &str) {
    for step in SERVER {
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        let server = RawServer::start(move |conn| {
            (step.goes)(conn)?;
            conn.abort();
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let host = Host::builder()
            .backend(server.address())
            .event_threads(threads)
            .with_counters()
            .script(script)
            .start();
        host.wait_for_clients(&[0]);
        let fds = host.idle_fds();
        for _ in 0..3 {
            let error = until_the_end(&host, step.command).expect_err("an end");
            assert!(is_an_end(&error), "{}: the client waits for ever", step.name);
        }
        let all = eventually(PATIENCE, || reached.load(Ordering::SeqCst) == 3);
        assert!(all, "{}: {reached:?} of 3 connections came so far", step.name);
        host.wait_for_clients(&[0]);
        host.wait_for_fds(fds);
        assert_eq!(host.criticals(), Vec::<String>::new(), "{}", step.name);
    }
}

const QUEUES: &str = r"
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    [row for row in inj.resultset.rows or ()]
";

#[test]
fn servers_reset_at_every_step() {
    servers_reset(1, "def disconnect_client(proxy):\n    pass\n");
}

#[test]
fn servers_reset_at_every_step_with_a_script_that_queues() {
    servers_reset(4, QUEUES);
}

#[test]
fn a_server_that_resets_when_it_has_greeted() {
    let gate = Arc::new(Gate::default());
    let opened = Arc::clone(&gate);
    let server = RawServer::start(move |conn| {
        greet(conn)?;
        opened.wait();
        conn.abort();
        Ok(())
    });
    let host = Host::builder().backend(server.address()).with_counters().start();
    host.wait_for_clients(&[0]);
    let fds = host.idle_fds();
    let mut client = host.connect();
    let handshake = client.read_handshake().unwrap();
    gate.open();
    // The proxy may have noticed already, and have closed.
    let _ = client.send_packet(1, &MariaDb::user().payload(&handshake));
    client.read_to_close();
    host.wait_for_clients(&[0]);
    host.wait_for_fds(fds);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

/// Whether the proxy takes that for a connect that failed depends on what it looks at first.
#[test]
fn servers_that_reset_before_they_greet() {
    for bytes in [0, 20] {
        let first = RawServer::start(move |conn| {
            let greeting = frame(0, &Greeting::default().payload());
            conn.write_bytes(&greeting[..bytes])?;
            conn.abort();
            Ok(())
        });
        let host = Host::builder().backend(first.address()).backend(db()).with_counters().start();
        host.wait_for_clients(&[0, 0]);
        let fds = host.idle_fds();
        for _ in 0..20 {
            match RawClient::login(host.address(), &MariaDb::user()) {
                Ok(mut client) => assert_in_step(&mut client),
                Err(error) => assert!(is_an_end(&error), "the client waits for ever"),
            }
        }
        host.wait_for_clients(&[0, 0]);
        host.wait_for_fds(fds);
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}
