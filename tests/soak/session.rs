//! What the clients do: a script that uses every hook, well-behaved sessions, clients that vanish.

use std::io;

use testkit::client::COM_QUERY;
use testkit::{Host, Login, MariaDb, RawClient};

use crate::random::Random;

/// Uses every hook and every kind of answer. Queries tell by a word what becomes of them.
pub const SCRIPT: &str = r#"
    import gc
    from collections import Counter

    calls = Counter()
    last = []

    def init(proxy):
        calls["init"] += 1

    def connect_server(proxy):
        calls["connect_server"] += 1
        proxy.connection.seen = []
        str(proxy.connection.client.src)
        [backend.state for backend in proxy.globals.backends]

    def read_handshake(proxy):
        calls["read_handshake"] += 1
        server = proxy.connection.server
        (server.mysqld_version, server.thread_id, server.scramble_buffer, str(server.dst))

    def read_auth(proxy):
        calls["read_auth"] += 1
        client = proxy.connection.client
        (client.username, client.default_db, client.auth_plugin_name)

    def read_auth_result(proxy, auth):
        calls["read_auth_result"] += 1
        proxy.connection.seen.append(auth.packet)

    def read_query(proxy, packet):
        calls["read_query"] += 1
        if b"injected" in packet or b"dropped" in packet or b"replaced" in packet:
            proxy.queries.append(1, packet, resultset_is_needed=True)
            proxy.queries.append(2, "\x03SELECT 'second', 2", resultset_is_needed=True)
            proxy.queries.prepend(3, "\x03SELECT 'first', 1", {"resultset_is_needed": True})
            return proxy.PROXY_SEND_QUERY
        if b"answered" in packet:
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {
                    "fields": [("a", proxy.MYSQL_TYPE_STRING), {"name": "b", "type": proxy.MYSQL_TYPE_LONG}],
                    "rows": (("x" * 1000, number) for number in range(20)),
                },
            }
            return proxy.PROXY_SEND_RESULT
        if b"refused" in packet:
            proxy.response.type = proxy.MYSQLD_PACKET_ERR
            proxy.response.errmsg = "refused"
            return proxy.PROXY_SEND_RESULT
        if b"raised" in packet:
            raise RuntimeError("raised")

    def read_query_result(proxy, inj):
        calls["read_query_result"] += 1
        result = inj.resultset
        [field.name for field in result.fields]
        for row in result.rows:
            row[0]
        (inj.query, inj.query_time, inj.response_time, result.row_count, result.raw)
        last[:] = [inj, result, result.rows, proxy]
        if inj.id != 1 or b"dropped" in inj.query:
            return proxy.PROXY_IGNORE_RESULT
        if b"replaced" in inj.query:
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {"fields": list(result.fields), "rows": result.rows},
            }
            return proxy.PROXY_SEND_RESULT

    def disconnect_client(proxy):
        calls["disconnect_client"] += 1

    def shutdown(proxy):
        print(*(name for name in calls), flush=True)
        last.clear()
        gc.collect()
    "#;

/// The hooks that [`SCRIPT`] prints at the end if they were called.
pub const HOOKS: [&str; 8] = [
    "init",
    "connect_server",
    "read_handshake",
    "read_auth",
    "read_auth_result",
    "read_query",
    "read_query_result",
    "disconnect_client",
];

/// What queries ask the script for.
pub const WORDS: [&str; 7] =
    ["plain", "injected", "dropped", "replaced", "answered", "refused", "raised"];

/// Runs the query number `number` of a client, in turn one of each kind.
pub fn query(client: &mut RawClient, number: usize) -> io::Result<()> {
    let word = WORDS[number % WORDS.len()];
    let answer = client.query(&format!("SELECT '{word}', REPEAT('x', 5000)"))?;
    let fails = matches!(word, "dropped" | "refused" | "raised");
    assert_eq!(answer.packets[0].is_err(), fails, "{word}");
    Ok(())
}

/// Logs in, runs one query of each kind, and leaves.
pub fn whole(host: &Host) {
    let mut client = host.client();
    for number in 0..WORDS.len() {
        query(&mut client, number).unwrap();
    }
    client.quit();
}

/// Makes the table that [`vanishing`] clients load files into.
pub fn prepare_table() {
    MariaDb::shared().query("CREATE TABLE IF NOT EXISTS test.soak (a INT)").ok();
}

/// LOAD DATA, up to some place.
fn in_a_file(client: &mut RawClient, random: &mut Random) -> io::Result<()> {
    client.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.soak")?;
    for id in 2..2 + random.below(4) {
        client.send_packet(u8::try_from(id).expect("below 6"), b"1\n2\n3\n")?;
    }
    Ok(())
}

/// A statement with a cursor, up to some place.
fn in_a_statement(client: &mut RawClient, random: &mut Random) -> io::Result<()> {
    client.send_command(0x16, b"SELECT seq FROM test.seq_1_to_1000")?;
    let id = client.read_packet()?.payload[1..5].to_vec();
    // One column and an EOF.
    (0..2).try_for_each(|_| client.read_packet().map(drop))?;
    let (execute, fetch) = (b"\x01\x01\0\0\0".as_slice(), b"\x10\0\0\0".as_slice());
    let steps = usize::try_from(random.below(3)).expect("below 3");
    for (command, rest) in [(0x17, execute), (0x1c, fetch)].into_iter().take(steps) {
        client.send_command(command, &[id.as_slice(), rest].concat())?;
        if random.below(2) == 0 {
            client.read_packet()?;
        }
    }
    Ok(())
}

/// A client that does a part of what a client does, and then vanishes: with a FIN or with a reset.
///
/// # Errors
/// Those of the streams. With a refused login they are part of the game.
pub fn vanishing(host: &Host, random: &mut Random) -> io::Result<()> {
    let mut client = RawClient::connect(host.address())?;
    let stage = random.below(9);
    if stage > 0 {
        let handshake = client.read_handshake()?;
        let login = if stage == 1 { Login::new("u", "wrong") } else { MariaDb::user() };
        let payload = login.payload(&handshake);
        if stage == 2 {
            client.send_bytes(&[90, 0, 0, 1, 5])?;
        } else {
            let id = client.send_packet(1, &payload)?;
            if stage > 3 {
                client.finish_login(&login, id)?;
            }
        }
    }
    let word = WORDS[usize::try_from(random.below(7)).expect("below 7")];
    match stage {
        4 => client.send_bytes(b"\x50\0\0\0\x03SEL")?,
        5 => {
            let sql = format!("SELECT '{word}', REPEAT('x', 1000000)");
            client.send_command(COM_QUERY, sql.as_bytes())?;
            if random.below(2) == 0 {
                client.read_packet()?;
            }
        }
        6 => {
            let count = usize::try_from(random.below(10)).expect("below 10");
            (0..count).try_for_each(|number| query(&mut client, number))?;
        }
        7 => in_a_file(&mut client, random)?,
        8 => in_a_statement(&mut client, random)?,
        _ => (),
    }
    match random.below(3) {
        0 => client.abort(),
        1 => client.shutdown_write(),
        _ => drop(client),
    }
    Ok(())
}
