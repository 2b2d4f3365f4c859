//! Values of 20 and 64 MiB both ways, packets of exactly the longest length, and a large result with bounded memory.

use std::thread::sleep;
use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};
use testkit::client::COM_QUERY;
use testkit::proto::resultset;
use testkit::{Greeting, Host, MariaDb, RawServer};

use crate::support::*;

const MIB: usize = 1 << 20;

fn connect(host: &Host) -> Conn {
    let options = mysql::Opts::from_url(&host.url()).unwrap();
    let options = OptsBuilder::from_opts(options).max_allowed_packet(Some(200 * MIB));
    Conn::new(options).unwrap()
}

fn blob() -> Vec<u8> {
    (0..20 * MIB).map(|index| (index.wrapping_mul(31) >> 3).to_le_bytes()[0]).collect()
}

#[test]
fn blob_of_20_mib_prepared() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    conn.query_drop("CREATE TEMPORARY TABLE big (a LONGBLOB) ENGINE=Aria").unwrap();
    let sent = blob();
    conn.exec_drop("INSERT INTO big VALUES (?)", (&sent,)).unwrap();
    let back: Option<Vec<u8>> = conn.exec_first("SELECT a FROM big", ()).unwrap();
    assert!(back.as_deref() == Some(&sent), "the blob came back changed");
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn blob_of_20_mib_as_text() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    let hex: String = blob().iter().take(10 * MIB).map(|byte| format!("{byte:02x}")).collect();
    let back: Option<Vec<u8>> = conn.query_first(format!("SELECT x'{hex}'")).unwrap();
    assert!(back.as_deref() == Some(&blob()[..10 * MIB]), "the blob came back changed");
}

#[test]
fn long_command_reaches_the_script_in_one_piece() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            print("length", len(packet), packet[:1], packet[-3:], flush=True)
        "#,
    );
    let mut client = host.client();
    let sql = format!("SELECT LENGTH('{}')", "y".repeat(40_000_000));
    assert_eq!(client.query(&sql).unwrap().value(), "40000000");
    host.wait_for_stdout(&format!("length {} b'\\x03' b\"y')\"", sql.len() + 1));
    assert_in_step(&mut client);
}

#[test]
fn long_command_is_rewritten() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if len(packet) > 1000:
                proxy.queries.append(1, packet.replace(b"y", b"zz"), resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY
        "#,
    );
    let mut client = host.client();
    let sql = format!("SELECT LENGTH('{}')", "y".repeat(10_000_000));
    assert_eq!(client.query(&sql).unwrap().value(), "20000000");
    assert_in_step(&mut client);
}

#[test]
fn a_result_of_300_mb_streams_with_bounded_memory() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
    let before = host.rss_peak_kib();
    let rows = conn.query_iter("SELECT REPEAT('x', 10000) FROM test.seq_1_to_30000").unwrap();
    assert_eq!(rows.count(), 30_000);
    let grown = host.rss_peak_kib() - before;
    assert!(grown < 30_000, "the host grew by {grown} KiB");
}

/// Longest payload of one packet.
const FULL: usize = 0xff_ffff;
/// Text whose length takes four bytes in front, and one whose length takes nine.
const SHORT_HEAD: usize = 4;
const LONG_HEAD: usize = 9;

const BUFFERED: &str = r#"
    def read_query(proxy, packet):
        if b"REPEAT" in packet or len(packet) > 1000:
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        print("rows", [len(row[0]) for row in inj.resultset.rows or ()], flush=True)
    "#;

#[test]
fn rows_around_the_longest_packet() {
    let lengths = [
        FULL - SHORT_HEAD - 1,
        FULL - SHORT_HEAD,
        // From here on the length takes nine bytes, and the row a second packet.
        FULL + 1 - SHORT_HEAD,
        2 * FULL - LONG_HEAD - 1,
        2 * FULL - LONG_HEAD,
        2 * FULL - LONG_HEAD + 1,
    ];
    let plain = Host::plain(db());
    let buffered = Host::with_script(BUFFERED);
    // Bytes that would read as ERR, EOF or OK where a packet starts.
    for (length, byte) in lengths.into_iter().zip(["ff", "fe", "00"].into_iter().cycle()) {
        let sql = format!("SELECT REPEAT(x'{byte}', {length})");
        for host in [&plain, &buffered] {
            let mut client = host.client();
            assert_same_as_direct(&mut client, &sql);
            assert_in_step(&mut client);
        }
        buffered.wait_for_stdout(&format!("rows [{length}]"));
    }
}

#[test]
fn commands_around_the_longest_packet() {
    let plain = Host::plain(db());
    let buffered = Host::with_script(BUFFERED);
    let frame = "\x03SELECT LENGTH('')".len();
    for length in [FULL - 1, FULL, FULL + 1, 2 * FULL - 1, 2 * FULL, 2 * FULL + 1] {
        let sql = format!("SELECT LENGTH('{}')", "x".repeat(length - frame));
        for host in [&plain, &buffered] {
            let mut client = host.client();
            assert_eq!(client.query(&sql).unwrap().value(), (length - frame).to_string());
            assert_in_step(&mut client);
        }
    }
}

/// 64 MiB in which no two packets are alike.
fn large_blob() -> Vec<u8> {
    const WORDS: u32 = 16 << 20;
    (0..WORDS).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn there_and_back(host: &Host) {
    let mut conn = connect(host);
    let sent = large_blob();
    conn.query_drop("CREATE TEMPORARY TABLE large (a LONGBLOB) ENGINE=Aria").unwrap();
    conn.exec_drop("INSERT INTO large VALUES (?)", (&sent,)).unwrap();
    let binary: Option<Vec<u8>> = conn.exec_first("SELECT a FROM large", ()).unwrap();
    assert!(binary.as_ref() == Some(&sent), "the blob came back changed from a statement");
    let text: Option<Vec<u8>> = conn.query_first("SELECT a FROM large").unwrap();
    assert!(text == Some(sent), "the blob came back changed as text");
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn blob_of_64_mib_there_and_back() {
    there_and_back(&Host::plain(db()));
}

#[test]
fn blob_of_64_mib_there_and_back_through_a_script_that_keeps_it() {
    there_and_back(&Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY
        "#,
    ));
}

#[test]
fn commands_of_more_than_one_packet() {
    let host = Host::plain(db());
    let mut client = host.client();
    for (length, packets) in [(17_000_000, 2), (FULL, 2), (FULL + 1, 2), (2 * FULL, 3)] {
        let head = "\x03SELECT LENGTH('";
        let fill = length - head.len() - 2;
        let next_id =
            client.send_packet(0, format!("{head}{}')", "x".repeat(fill)).as_bytes()).unwrap();
        assert_eq!(next_id, packets);
        assert_eq!(client.read_answer(next_id).unwrap().value(), fill.to_string());
        assert_in_step(&mut client);
    }
}

#[test]
fn server_that_reads_slowly() {
    // The host's writes end at places of the kernel's choice, among them chunk boundaries.
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        let mut lengths = Vec::new();
        for _ in 0..2 {
            // The pause is what is tested: meanwhile the buffers of the kernel fill.
            sleep(Duration::from_millis(200));
            lengths.push(conn.read()?.payload.len());
        }
        conn.write_all(2, &resultset::one_cell("v", &format!("{lengths:?}")))?;
        conn.serve(|_| resultset::one_cell("v", "next"))
    });
    let host = Host::plain(server.address());
    let mut client = host.client();
    // Text that would be taken for commands if a chunk were parsed as one.
    let text = "\x01\x0e\x19\x11".repeat(4_300_000);
    let next_id = client.send_command(3, text.as_bytes()).unwrap();
    let expected = format!("[{FULL}, {}]", text.len() + 1 - FULL);
    assert_eq!(client.read_answer(next_id).unwrap().value(), expected);
    assert_eq!(client.query("SELECT 1").unwrap().value(), "next");
}

const ROW_OF_FF: &str = "SELECT REPEAT(x'ff', 18000000), 1";

#[test]
fn long_row_whose_second_packet_looks_like_err() {
    let host = Host::plain(db());
    let mut client = host.client();
    let answer = assert_same_as_direct(&mut client, ROW_OF_FF);
    assert_eq!(answer.packets.len(), 7, "count, 2 columns, EOF, 2 parts of the row, EOF");
    assert_in_step(&mut client);
}

#[test]
fn long_row_buffered() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"REPEAT" in packet:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print("rows", inj.resultset.row_count, flush=True)
        "#,
    );
    let mut client = host.client();
    assert_same_as_direct(&mut client, ROW_OF_FF);
    assert_in_step(&mut client);
    host.wait_for_stdout("rows 1");
}

#[test]
fn slow_reader_does_not_fill_the_memory() {
    // The host reads at once what the kernel has: over TCP that may be tens of megabytes, over a unix socket it is little.
    let socket = MariaDb::shared().socket();
    let host = Host::builder().option("pyproxy-backend-addresses", socket.display()).start();
    let mut client = host.client();
    assert_in_step(&mut client);
    let before = host.rss_peak_kib();
    let rows = "SELECT REPEAT('x', 1000) FROM test.seq_1_to_100000";
    client.send_command(COM_QUERY, rows.as_bytes()).unwrap();
    // The pause is what is tested: meanwhile a host that reads on grows.
    sleep(Duration::from_secs(2));
    let answer = client.read_answer(1).unwrap();
    assert_eq!(answer.text().len(), 100_000);
    assert_in_step(&mut client);
    let grown = host.rss_peak_kib() - before;
    assert!(grown < 20_000, "the host grew by {grown} KiB for a result of 100 MB");
}
