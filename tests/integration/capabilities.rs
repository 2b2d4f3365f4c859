//! Capabilities: MariaDB's extended metadata is followed, compression that is off is refused in a way its clients understand.
//! `docs/protocol.md` has the whole table.

use testkit::client::{COM_PING, COM_QUERY};
use testkit::proto::bytes::put_lenenc_bytes;
use testkit::proto::{caps, ok_err, resultset};
use testkit::{Greeting, Host, Login, MariaDb, Packet, RawClient, RawServer, Relay};

use crate::pooling::support::Pooling;
use crate::support::*;

/// MARIADB_CLIENT_EXTENDED_METADATA, in the extended word.
const EXTENDED_METADATA: u32 = 1 << 3;
/// MARIADB_CLIENT_STMT_BULK_OPERATIONS, which is followed, too.
const BULK_OPERATIONS: u32 = 1 << 2;
/// MariaDB's extended bit for one result per unit of a bulk execution.
const BULK_UNIT_RESULTS: u32 = 1 << 5;
const COM_FIELD_LIST: u8 = 0x04;
const COM_STMT_PREPARE: u8 = 0x16;

/// What a client sends that wants extended metadata. A set LONG_PASSWORD bit would say that it knows nothing of
/// MariaDB's bits.
fn extended(login: Login) -> Login {
    login.without(caps::LONG_PASSWORD).extended(EXTENDED_METADATA)
}

fn directly(login: &Login) -> RawClient {
    RawClient::login(db(), login).expect("a direct login")
}

/// Makes a table with columns that have extended metadata, of kind format and of kind type, and one that has none.
fn table(name: &str) -> String {
    let db = MariaDb::shared();
    db.query(&format!("CREATE TABLE test.{name} (j JSON, p POINT, i INT)")).ok();
    let json = r#"'{"key": [1, null]}'"#;
    db.query(&format!("INSERT INTO test.{name} VALUES ({json}, POINT(1, 2), 3)")).ok();
    format!("SELECT j, p, i FROM test.{name}")
}

/// One row of `SELECT 1`-like results by a script: the definition of column `a` behind its names.
fn behind_the_names(packet: &Packet) -> &[u8] {
    let mut names = Vec::new();
    for name in ["def", "", "", "", "a", ""] {
        put_lenenc_bytes(&mut names, name.as_bytes());
    }
    packet.payload.strip_prefix(names.as_slice()).expect("the names of column a")
}

#[test]
fn extended_metadata_reach_who_asks_for_them() {
    let sql = table("caps_plain");
    let host = Host::plain(db());
    let login = extended(MariaDb::user());
    let (mut client, handshake) = send_login(&host, &login);
    assert_eq!(handshake.filler, [0, 0, 0, 0, 0, 0, 12, 0, 0, 0], "with bulk operations, no more");
    client.finish_login(&login, 2).unwrap();
    let through = client.query(&sql).unwrap();
    assert_eq!(through.payloads(), directly(&login).query(&sql).unwrap().payloads());
    let definitions = &through.packets[1..4];
    let ends = [&b"\x01j\x06\x01\x04json\x0c"[..], b"\x01p\x07\x00\x05point\x0c", b"\x01i\x00\x0c"];
    for (definition, end) in definitions.iter().zip(ends) {
        assert!(definition.payload.windows(end.len()).any(|part| part == end), "{definition:?}");
    }
    assert_in_step(&mut client);

    let mut other = host.client();
    assert_same_as_direct(&mut other, &sql);
}

#[test]
fn extended_metadata_of_statements_and_field_lists() {
    let sql = table("caps_statement");
    let host = Host::plain(db());
    let login = extended(MariaDb::user().database("test"));
    let mut clients = [host.login(&login), directly(&login)];
    let answers = clients.each_mut().map(|client| {
        let mut payloads = Vec::new();
        for (command, argument, packets) in [
            (COM_STMT_PREPARE, sql.as_bytes(), 5),
            (COM_FIELD_LIST, b"caps_statement\0".as_slice(), 4),
        ] {
            client.send_command(command, argument).unwrap();
            payloads.extend((0..packets).map(|_| client.read_packet().unwrap().payload));
        }
        // MariaDB numbers the statements of all connections in one sequence.
        payloads[0][1..5].fill(0);
        assert_in_step(client);
        payloads
    });
    assert_eq!(answers[0], answers[1]);
}

/// Keeps every result and answers with its own fields and rows.
const HAND_BACK: &str = r#"
def read_query(proxy, packet):
    if b"FROM" in packet:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    if b"made" in packet:
        resultset = {"fields": [("a", proxy.MYSQL_TYPE_LONG)], "rows": [[1]]}
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": resultset}
        return proxy.PROXY_SEND_RESULT

def read_query_result(proxy, inj):
    result = inj.resultset
    print([field.name for field in result.fields], [row[0] for row in result.rows], flush=True)
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": result.fields, "rows": result.rows},
    }
    return proxy.PROXY_SEND_RESULT
"#;

#[test]
fn results_of_a_script_have_the_metadata_that_the_client_expects() {
    let sql = table("caps_script");
    let host = Host::with_script(HAND_BACK);
    for (login, element) in [(extended(MariaDb::user()), 1), (MariaDb::user(), 0)] {
        let mut client = host.login(&login);
        let back = client.query(&sql).unwrap();
        let direct = directly(&login).query(&sql).unwrap();
        // Everything but the status, which a script does not pass on.
        assert_eq!(back.payloads()[..4], direct.payloads()[..4]);
        assert_eq!(back.text(), direct.text());
        let made = client.query("made").unwrap();
        assert_eq!(made.text(), [["1"]]);
        let rest = behind_the_names(&made.packets[1]);
        assert_eq!(rest.iter().position(|byte| *byte == 0x0c), Some(element), "an empty element");
    }
    let seen = "['j', 'p', 'i'] ['{\"key\": [1, null]}']\n";
    assert_eq!(host.stdout(), seen.repeat(2));
}

#[test]
fn a_server_that_does_not_offer_them_is_not_asked() {
    let greetings = [
        Greeting::default(),
        Greeting::default()
            .without(caps::LONG_PASSWORD)
            .extended(!(EXTENDED_METADATA | BULK_OPERATIONS | BULK_UNIT_RESULTS)),
    ];
    for greeting in greetings {
        let server = RawServer::start(move |conn| {
            conn.accept_login(&greeting)?;
            conn.serve(|_| resultset::one_cell("a", "of the server"))
        });
        let host = Host::builder().backend(server.address()).script(HAND_BACK).start();
        let login = extended(MariaDb::user());
        let (mut client, handshake) = send_login(&host, &login);
        assert_eq!(handshake.filler, [0; 10]);
        client.finish_login(&login, 2).unwrap();
        assert_eq!(server.seen()[0].packets[0].payload[28..32], [0; 4], "taken unasked");
        assert_eq!(client.query("SELECT FROM").unwrap().value(), "of the server");
        let made = client.query("made").unwrap();
        assert_eq!(behind_the_names(&made.packets[1])[0], 0x0c, "no element");
    }
}

#[test]
fn a_login_made_by_a_script_asks_for_what_the_client_expects() {
    let sql = table("caps_login");
    let login = |client: &Login| {
        let scramble_free = client.clone().auth_data(b"").method("pyproxy_test_no_method");
        let handshake = RawClient::connect(db()).unwrap().read_handshake().unwrap();
        python_bytes(&scramble_free.payload(&handshake))
    };
    for (own, other) in
        [(extended(MariaDb::user()), MariaDb::user()), (MariaDb::user(), extended(MariaDb::user()))]
    {
        let host = Host::with_script(&format!(
            "LOGIN = {}\n\
             def read_auth(proxy):\n    \
                 proxy.queries.append(1, LOGIN)\n    \
                 return proxy.PROXY_SEND_QUERY\n",
            login(&other)
        ));
        let mut client = host.login(&own);
        let through = client.query(&sql).unwrap();
        assert_eq!(through.payloads(), directly(&own).query(&sql).unwrap().payloads());
    }
}

#[test]
fn a_pooled_connection_is_for_clients_that_read_its_metadata() {
    let sql = table("caps_pool");
    let pooling = Pooling::before(db());
    let [with, without] = [extended(MariaDb::user()), MariaDb::user()];
    let expected = [&with, &without].map(|login| directly(login).query(&sql).unwrap());
    for _ in 0..3 {
        for (login, expected) in [&with, &without].into_iter().zip(&expected) {
            let mut client = pooling.host.login(login);
            assert_eq!(client.query(&sql).unwrap().payloads(), expected.payloads());
            client.quit();
        }
    }
    pooling.wait_for(&[(0, "u:2")]);
}

/// A client that was refused compression and compresses all the same: what it sends, and its first answer.
fn compress(host: &Host, bits: u32, frame: &[u8]) -> RawClient {
    let mut client = host.login(&MariaDb::user().with(bits));
    client.send_bytes(frame).unwrap();
    client
}

/// A frame of the compressed protocol: `plain` is the length of the body before compression.
fn compressed_frame(plain: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&length[..3], &[0], &plain.to_le_bytes()[..3], body].concat()
}

#[test]
fn a_client_that_compresses_unasked_is_told() {
    let mut host = Host::builder().backend(db()).option("pyproxy-compression", "off").start();
    let ping = compressed_frame(0, b"\x01\0\0\0\x0e");
    let query = compressed_frame(0, b"\x09\0\0\0\x03SELECT 1");
    // Only the first bytes of a compressed body are looked at.
    let zlib = compressed_frame(70, &[&[0x78, 0x9c][..], &[0x55; 40]].concat());
    let zstd = compressed_frame(70, &[&[0x28, 0xb5, 0x2f, 0xfd][..], &[0x55; 40]].concat());
    for (bits, frame) in [
        (caps::COMPRESS, &ping),
        (caps::COMPRESS, &query),
        (caps::COMPRESS, &zlib),
        (caps::ZSTD_COMPRESSION, &query),
        (caps::COMPRESS | caps::ZSTD_COMPRESSION, &zstd),
    ] {
        let answer = compress(&host, bits, frame).read_to_close();
        let (header, body) = answer.split_at(7);
        let length = u8::try_from(body.len()).unwrap();
        assert_eq!(header, [length, 0, 0, 1, 0, 0, 0], "a frame that is not compressed");
        assert_eq!(body[..4], [length - 4, 0, 0, 1], "one packet");
        let error = ok_err::parse_err(&body[4..]).unwrap();
        assert_eq!((error.code, error.sqlstate.as_deref()), (1235, Some("42000")));
        assert_eq!(
            error.message,
            "pyproxy: compression is not supported by this proxy, connect without it"
        );
    }
    host.wait_for_log("the client compresses unasked");
    host.assert_serves();
}

#[test]
fn a_client_that_asks_for_compression_and_goes_on_without_it_is_served() {
    let host = Host::builder().backend(db()).option("pyproxy-compression", "off").start();
    let mut client = host.login(&MariaDb::user().with(caps::COMPRESS));
    assert_in_step(&mut client);
    // From then on nothing is taken for a frame.
    let mut straight = direct();
    let expected = straight.simple(0, b"\0\0\x01\0").unwrap();
    assert_eq!(client.simple(0, b"\0\0\x01\0").unwrap(), expected);
    assert_in_step(&mut client);
    let mut never_asked = host.client();
    assert_eq!(never_asked.simple(0, b"\0\0\x01\0").unwrap(), expected);
    assert_eq!(never_asked.simple(COM_PING, b"").unwrap().kind(), Some(0));
    never_asked.send_command(COM_QUERY, b"SELECT 1").unwrap();
    assert_eq!(never_asked.read_answer(1).unwrap().value(), "1");
}

#[test]
fn capabilities_that_cannot_be_followed() {
    const REFUSED: u32 = caps::COMPRESS
        | caps::OPTIONAL_METADATA
        | caps::ZSTD_COMPRESSION
        | caps::QUERY_ATTRIBUTES
        | caps::PROGRESS;
    // But for bulk operations, their units and extended metadata, which are followed (`capabilities`, `prepared_bulk`).
    const REFUSED_EXTENDED: u32 = 0xff & !(1 << 2 | 1 << 3 | 1 << 5);
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .option("pyproxy-compression", "off")
        .option("pyproxy-tls", "off")
        .start();
    // A set LONG_PASSWORD bit would tell the server that there are no MariaDB bits.
    let login =
        MariaDb::user().with(REFUSED).without(caps::LONG_PASSWORD).extended(REFUSED_EXTENDED);
    let (mut client, handshake) = send_login(&host, &login);
    assert_eq!(handshake.capabilities & (REFUSED | caps::SSL), 0, "offered to the client");
    let offered = u32::from_le_bytes(handshake.filler[6..].try_into().unwrap());
    assert_eq!(offered & REFUSED_EXTENDED, 0, "MariaDB's extended bits offered to the client");
    client.finish_login(&login, 2).unwrap();
    let seen = relay.passed()[0].to_server[0].payload.clone();
    let bits = u32::from_le_bytes(seen[..4].try_into().unwrap());
    assert_eq!(bits & REFUSED, 0, "bits at the server: {bits:#x}");
    assert_eq!(seen[28..32], [0; 4], "MariaDB's extended bits at the server");
    for _ in 0..2 {
        assert_same_as_direct(&mut client, "SELECT '', NULL, 1 UNION SELECT 'a', 'b', 2");
    }
    assert_in_step(&mut client);
}
