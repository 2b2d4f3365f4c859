//! LOAD DATA LOCAL INFILE with a real client.

use std::io::Write;

use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler};
use testkit::{Host, MariaDb};

use crate::support::*;

fn loads(host: &Host, table: &str, rows: u32) {
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    conn.query_drop(format!("CREATE TABLE test.{table} (a INT, b VARCHAR(100))")).unwrap();
    conn.set_local_infile_handler(Some(LocalInfileHandler::new(move |_name, stream| {
        (0..rows).try_for_each(|row| writeln!(stream, "{row}\t{}", "x".repeat(90)))
    })));
    conn.query_drop(format!("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.{table}")).unwrap();
    assert_eq!(conn.affected_rows(), u64::from(rows));
    let sum: Option<(u64, u64)> =
        conn.query_first(format!("SELECT COUNT(*), SUM(a) FROM test.{table}")).unwrap();
    assert_eq!(sum, Some((u64::from(rows), u64::from(rows) * u64::from(rows - 1) / 2)));
}

#[test]
fn file_of_50_000_rows() {
    loads(&Host::plain(db()), "infile_plain", 50_000);
}

#[test]
fn through_a_script_that_injects() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"LOAD DATA" in packet:
                proxy.queries.append(1, packet)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print("loaded", inj.resultset.affected_rows, flush=True)
        "#,
    );
    loads(&host, "infile_script", 1_000);
}

#[test]
fn client_aborts_in_the_middle_of_the_file() {
    MariaDb::shared().query("CREATE TABLE test.infile_abort (a INT)").ok();
    let host = Host::builder().backend(db()).with_counters().start();
    drop(host.client());
    let base = host.idle_fds();
    for _ in 0..5 {
        let mut client = host.client();
        client.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.infile_abort").unwrap();
        client.send_packet(2, b"1\n").unwrap();
        client.abort();
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
}

/// What asks for a local file, and for which.
const REQUEST: &[u8] = b"\xfb/etc/passwd";

#[test]
fn a_client_that_offers_no_files_is_asked_for_none() {
    for script in [
        "",
        "def read_query(proxy, packet):\n    proxy.queries.append(1, packet, resultset_is_needed=True)\n    return 1\n",
    ] {
        let server = testkit::RawServer::start(|conn| {
            conn.accept_login(&testkit::Greeting::default())?;
            conn.read()?;
            conn.write(1, REQUEST)?;
            assert_eq!(conn.read()?, testkit::Packet { id: 2, payload: Vec::new() });
            conn.ok(3)?;
            conn.serve(|_| testkit::proto::resultset::one_cell("v", "next"))
        });
        let mut builder = Host::builder().backend(server.address());
        if !script.is_empty() {
            builder = builder.script(script);
        }
        let host = builder.start();
        let login = MariaDb::user().without(testkit::proto::caps::LOCAL_FILES);
        let mut client = testkit::RawClient::login(host.address(), &login).unwrap();
        let answer = client.query("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t").unwrap();
        assert_eq!((answer.err().code, answer.packets[0].id), (1148, 1));
        assert_eq!(client.query("SELECT 1").unwrap().value(), "next");
    }
}
