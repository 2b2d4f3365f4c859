//! Answers of more than one result, and answers that break in the middle: compared with the same directly.

use std::io;

use testkit::client::COM_QUERY;
use testkit::client::answer::Outcome;
use testkit::proto::packet::frame;
use testkit::proto::{caps, ok_err, resultset};
use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

const BUFFERED: &str = r#"
def read_query(proxy, packet):
    if b"step" not in packet:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
"#;

/// Without a script, with one that looks on, and with one that keeps every result.
fn hosts() -> [Host; 3] {
    let looking = "def read_query(proxy, packet): pass";
    [Host::plain(db()), Host::with_script(looking), Host::with_script(BUFFERED)]
}

#[test]
fn several_results_with_an_error_in_the_middle() {
    MariaDb::shared()
        .query(
            "CREATE OR REPLACE PROCEDURE test.wire_breaks(n INT) BEGIN SELECT n; \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'in the middle'; SELECT n + 1; END",
        )
        .ok();
    for host in hosts() {
        let mut client = host.client();
        for sql in [
            "SELECT 1; SELECT nosuch; SELECT 2",
            "DO 0; SELECT seq FROM test.seq_1_to_1000; CALL test.wire_breaks(5); SELECT 2",
            "CALL test.wire_breaks(1)",
            "SELECT 1; CALL nosuch.nosuch()",
            "SELECT 1; this is no SQL",
            // The error comes behind rows.
            "SELECT seq, IF(seq < 3, 1, (SELECT 1 UNION SELECT 2)) FROM test.seq_1_to_5; SELECT 3",
        ] {
            let answer = assert_same_as_direct(&mut client, sql);
            assert!(matches!(answer.outcomes.last(), Some(Outcome::Err(_))), "{sql}");
            assert_in_step(&mut client);
        }
    }
}

#[test]
fn out_parameters_as_text() {
    MariaDb::shared()
        .query(
            "CREATE OR REPLACE PROCEDURE test.wire_out(IN a INT, OUT b INT, INOUT c VARCHAR(9)) \
             BEGIN SELECT a AS first; SET b = a + 1, c = CONCAT(c, '!'); END",
        )
        .ok();
    for host in hosts() {
        let mut client = host.client();
        client.query("SET @c = 'x'").unwrap().ok();
        let answer = client.query("CALL test.wire_out(5, @b, @c); SELECT @b, @c").unwrap();
        let rows: Vec<_> = answer
            .outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Outcome::Rows { rows, .. } => Some(rows.clone()),
                _ => None,
            })
            .collect();
        let row = |cells: &[&str]| {
            vec![cells.iter().map(|cell| Some(cell.as_bytes().to_vec())).collect()]
        };
        let want: [Vec<Vec<Option<Vec<u8>>>>; 2] = [row(&["5"]), row(&["6", "x!"])];
        assert_eq!(rows, want);
        assert_in_step(&mut client);
    }
}

/// CALL as a prepared statement: the OUT parameters come as a result set of their own, with a flag in its status.
fn out_parameters(client: &mut RawClient) -> Vec<Vec<u8>> {
    client.send_command(0x16, b"CALL test.wire_out_binary(5, ?, ?)").unwrap();
    let id = client.read_packet().unwrap().payload[1..5].to_vec();
    for _ in 0..3 {
        client.read_packet().unwrap();
    }
    // Two parameters, both of them strings.
    let execute = [b"\x17", id.as_slice(), b"\0\x01\0\0\0\0\x01\xfd\0\xfd\0\x01y\x01x"].concat();
    client.send_packet(0, &execute).unwrap();
    let mut payloads = Vec::new();
    loop {
        let packet = client.read_packet().unwrap();
        let last = matches!(packet.kind(), Some(0 | 0xff)) && is_final(&packet.payload);
        payloads.push(packet.payload);
        if last {
            return payloads;
        }
    }
}

/// Whether this OK or ERR ends an answer, which a binary row does not, though it starts like OK.
fn is_final(payload: &[u8]) -> bool {
    payload[0] == 0xff || payload.len() == 7 && payload[1..3] == [0, 0]
}

#[test]
fn out_parameters_of_a_statement() {
    MariaDb::shared()
        .query(
            "CREATE OR REPLACE PROCEDURE test.wire_out_binary(IN a INT, OUT b INT, INOUT c CHAR(9)) \
             BEGIN SELECT a AS first, 'more'; SET b = a + 1, c = CONCAT(c, '!'); END",
        )
        .ok();
    let want = out_parameters(&mut direct());
    let is_out =
        |payload: &Vec<u8>| payload.len() == 5 && payload[0] == 0xfe && payload[4] & 0x10 != 0;
    assert!(want.iter().any(is_out), "the server sends the parameters: {want:?}");
    for host in hosts() {
        let mut client = host.client();
        assert_eq!(out_parameters(&mut client), want);
        assert_in_step(&mut client);
    }
}

/// Answers a request for a file: with one row and the end, or as a client does that cannot read its file.
fn load(client: &mut RawClient, sql: &str, file: &[u8]) -> Vec<Vec<u8>> {
    let request = client.query(sql).unwrap();
    assert!(matches!(request.single(), Outcome::LocalInfile(_)), "{request:?}");
    let mut id = 2;
    if !file.is_empty() {
        id = client.send_packet(id, file).unwrap();
    }
    id = client.send_packet(id, b"").unwrap();
    client.read_answer(id).unwrap().payloads().into_iter().map(<[u8]>::to_vec).collect()
}

#[test]
fn load_data_with_an_error_on_either_side() {
    let db = MariaDb::shared();
    db.query("CREATE OR REPLACE TABLE test.wire_load (a INT PRIMARY KEY, CHECK (a < 100))").ok();
    let sql = "LOAD DATA LOCAL INFILE 'f' INTO TABLE test.wire_load";
    let strict = "SET sql_mode = 'STRICT_ALL_TABLES'";
    for host in hosts() {
        let mut through = host.client();
        let mut straight = direct();
        for file in [
            // The client could not read its file: nothing comes.
            b"".as_slice(),
            b"1\n2\n",
            // A number that is refused, a key that is there already, a row with too much.
            b"500\n",
            b"1\n",
            b"7\tand more\n",
            b"no number\n",
        ] {
            let answers = [&mut through, &mut straight].map(|client| {
                client.query(strict).unwrap().ok();
                client.query("TRUNCATE test.wire_load").unwrap().ok();
                client.query("INSERT INTO test.wire_load VALUES (1)").unwrap().ok();
                let answer = load(client, sql, file);
                assert_in_step(client);
                answer
            });
            assert_eq!(answers[0], answers[1], "{}", file.escape_ascii());
        }
        // Refused before a file is asked for, and with statements before and behind.
        for sql in [
            "LOAD DATA LOCAL INFILE 'f' INTO TABLE test.nosuch",
            "LOAD DATA INFILE '/nosuch' INTO TABLE test.wire_load",
            "SELECT 1; LOAD DATA LOCAL INFILE 'f' INTO TABLE test.nosuch; SELECT 2",
        ] {
            assert_same_as_direct(&mut through, sql);
            assert_in_step(&mut through);
        }
    }
}

#[test]
fn load_data_is_refused_to_a_client_that_does_not_allow_it() {
    let login = MariaDb::user().without(caps::LOCAL_FILES);
    MariaDb::shared().query("CREATE OR REPLACE TABLE test.wire_no_load (a INT)").ok();
    let sql = "LOAD DATA LOCAL INFILE 'f' INTO TABLE test.wire_no_load";
    let straight = RawClient::login(db(), &login).unwrap().query(sql).unwrap();
    for host in hosts() {
        let mut client = host.login(&login);
        assert_eq!(client.query(sql).unwrap().payloads(), straight.payloads());
        assert_in_step(&mut client);
    }
}

#[test]
fn a_client_that_leaves_instead_of_sending_its_file() {
    MariaDb::shared().query("CREATE OR REPLACE TABLE test.wire_left (a INT)").ok();
    for mut host in hosts() {
        let mut client = host.client();
        let request = client.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.wire_left").unwrap();
        assert!(matches!(request.single(), Outcome::LocalInfile(_)), "{request:?}");
        client.abort();
        host.assert_serves();
    }
}

#[test]
fn a_server_that_closes_in_the_middle_of_the_second_result() {
    let mut status = resultset::text_result(&["a"], &[&[Some(b"1")]], caps::STATUS_MORE_RESULTS);
    status.extend(resultset::one_cell("b", "never complete"));
    let whole: Vec<u8> =
        status.iter().zip(1..).flat_map(|(payload, id)| frame(id, payload)).collect();
    for cut in [3, 9, 20, 60] {
        let bytes = whole[..whole.len() - cut].to_vec();
        for script in [None, Some(BUFFERED)] {
            let sent = bytes.clone();
            let (mut host, server) = match script {
                None => host_before(move |conn| {
                    conn.read()?;
                    conn.write_bytes(&sent)
                }),
                Some(script) => buffering_host(script, sent),
            };
            let mut client = host.client();
            client.send_command(COM_QUERY, b"SELECT 1; SELECT 2").unwrap();
            server.wait_all_ended();
            match client.read_answer(1) {
                // All that was kept is dropped, and the client is told.
                Ok(answer) => assert!(answer.packets[0].is_err(), "{answer:?}"),
                Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "silence"),
            }
            client.read_to_close();
            assert!(host.is_alive());
        }
    }
}

/// A host with a script in front of a server that answers the first command with these bytes and closes.
fn buffering_host(script: &str, bytes: Vec<u8>) -> (Host, testkit::RawServer) {
    let server = testkit::RawServer::start(move |conn| {
        conn.accept_login(&testkit::Greeting::default())?;
        conn.read()?;
        conn.write_bytes(&bytes)
    });
    (Host::builder().backend(server.address()).script(script).start(), server)
}

#[test]
fn an_error_of_the_server_ends_a_streamed_result() {
    let error = ok_err::err(1317, "70100", "Query execution was interrupted");
    let mut payloads = resultset::one_cell("a", "1");
    payloads.pop();
    payloads.push(error.clone());
    for script in ["def read_query(proxy, packet): pass", BUFFERED] {
        let sent = payloads.clone();
        let server = testkit::RawServer::start(move |conn| {
            conn.accept_login(&testkit::Greeting::default())?;
            conn.serve(|command| match command {
                b"\x03SELECT a" => sent.clone(),
                _ => resultset::text_result(&["in", "step"], &[&[Some(b"in"), Some(b"step")]], 2),
            })
        });
        let host = Host::builder().backend(server.address()).script(script).start();
        let mut client = host.client();
        let answer = client.query("SELECT a").unwrap();
        assert_eq!(answer.packets.last().unwrap().payload, error);
        assert_eq!(answer.packets.len(), payloads.len());
        assert_in_step(&mut client);
    }
}

const SEVERAL: [&str; 5] = [
    "SELECT 1 AS a; SELECT 2 AS b, 'x' AS c",
    "DO 0; SELECT 1; DO 0",
    "CALL test.several_results()",
    "SELECT 1; SELECT 2; SELECT * FROM nowhere.nothing",
    "SELECT * FROM nowhere.nothing; SELECT 1",
];

fn make_procedure() {
    let sql = "CREATE OR REPLACE PROCEDURE test.several_results() BEGIN SELECT 1; SELECT 2, 3; END";
    MariaDb::shared().query(sql).ok();
}

#[test]
fn several_results() {
    make_procedure();
    let host = Host::plain(db());
    let mut client = host.client();
    for sql in SEVERAL {
        assert_same_as_direct(&mut client, sql);
    }
    assert_in_step(&mut client);
}

#[test]
fn several_results_buffered() {
    make_procedure();
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"step" not in packet:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print("hook", flush=True)
        "#,
    );
    let mut client = host.client();
    for sql in SEVERAL {
        assert_same_as_direct(&mut client, sql);
        assert_in_step(&mut client);
    }
    let calls = host.stdout().lines().filter(|line| *line == "hook").count();
    assert_eq!(calls, SEVERAL.len(), "one call of the hook per command");
}
