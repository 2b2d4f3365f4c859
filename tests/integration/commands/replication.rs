//! A MariaDB replica that reads its master's binary log through the proxy.

use std::io;
use std::sync::{Mutex, mpsc};

use testkit::client::COM_PING;
use testkit::client::answer::Outcome;
use testkit::mariadb::{PASSWORD, USER};
use testkit::proto::ok_err;
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, eventually};

use crate::support::*;

const COM_BINLOG_DUMP: u8 = 0x12;

/// A master with a binary log. Statements that prepared the server are in it, too, and harmless on the replica.
fn master() -> MariaDb {
    MariaDb::start_with(&["--server-id=1", "--log-bin=binlog", "--binlog-format=ROW"])
}

fn replica() -> MariaDb {
    MariaDb::start_with(&["--server-id=2", "--slave-net-timeout=4", "--slave-skip-errors=all"])
}

/// Runs a statement that must not fail.
fn run(server: &MariaDb, sql: &str) {
    server.query(sql).ok();
}

/// The value of a column of SHOW SLAVE STATUS.
fn status(replica: &MariaDb, column: &str) -> String {
    let answer = replica.query("SHOW SLAVE STATUS");
    let Outcome::Rows { columns, rows, .. } = answer.single() else { panic!("{answer:?}") };
    let at = columns.iter().position(|name| name == column).expect("a column of the status");
    rows.first()
        .and_then(|row| row[at].as_deref())
        .map(String::from_utf8_lossy)
        .unwrap_or_default()
        .into()
}

/// Starts to replicate through `host`; `position` says from where.
fn replicate(replica: &MariaDb, host: &Host, position: &str) {
    let port = host.address().port();
    run(
        replica,
        &format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = '{USER}', \
             MASTER_PASSWORD = '{PASSWORD}', MASTER_CONNECT_RETRY = 1, {position}"
        ),
    );
    run(replica, "START SLAVE");
}

/// Waits until the replica has a table with this sum.
fn wait_for_sum(replica: &MariaDb, table: &str, sum: &str) {
    let arrived = || {
        let answer = replica.query(&format!("SELECT SUM(a) FROM test.{table}"));
        matches!(answer.single(), Outcome::Rows { .. }) && answer.text() == [[sum]]
    };
    assert!(
        eventually(PATIENCE, arrived),
        "not replicated: {} / {}",
        status(replica, "Last_IO_Error"),
        status(replica, "Last_SQL_Error")
    );
}

fn first_log(master: &MariaDb) -> String {
    master.query("SHOW BINARY LOGS").text()[0][0].clone()
}

/// Replicates what is in the log already, what is added, and what comes after the proxy's side was cut.
fn replicates(host_script: Option<&str>, by_gtid: bool) {
    let (master, replica) = (master(), replica());
    run(&master, "CREATE TABLE test.before (a INT)");
    run(&master, "INSERT INTO test.before VALUES (1), (2)");
    let builder = Host::builder().backend(master.address());
    let host = match host_script {
        Some(script) => builder.script(script).start(),
        None => builder.start(),
    };
    let position = if by_gtid {
        "MASTER_USE_GTID = slave_pos".to_owned()
    } else {
        format!("MASTER_LOG_FILE = '{}', MASTER_LOG_POS = 4", first_log(&master))
    };
    replicate(&replica, &host, &position);
    wait_for_sum(&replica, "before", "3");

    run(&master, "CREATE TABLE test.later (a INT, b LONGBLOB)");
    run(&master, "INSERT INTO test.later SELECT seq, REPEAT('x', 1000) FROM test.seq_1_to_1000");
    wait_for_sum(&replica, "later", "500500");
    // An event of more than one packet.
    run(&master, "INSERT INTO test.later VALUES (1, REPEAT('y', 20000000))");
    wait_for_sum(&replica, "later", "500501");
    let length = replica.query("SELECT MAX(LENGTH(b)) FROM test.later").value();
    assert_eq!(length, "20000000");

    run(&replica, "STOP SLAVE");
    run(&master, "INSERT INTO test.later VALUES (2, NULL)");
    run(&replica, "START SLAVE");
    wait_for_sum(&replica, "later", "500503");
    // The proxy served other clients meanwhile.
    assert_in_step(&mut host.client());
    run(&replica, "STOP SLAVE");
}

#[test]
fn by_log_position() {
    replicates(None, false);
}

#[test]
fn by_gtid() {
    replicates(None, true);
}

#[test]
fn through_a_script_that_looks_on() {
    replicates(Some("def read_query(proxy, packet): pass"), true);
}

#[test]
fn the_replica_survives_a_killed_dump() {
    let (master, replica) = (master(), replica());
    let host = Host::plain(master.address());
    replicate(&replica, &host, "MASTER_USE_GTID = slave_pos");
    run(&master, "CREATE TABLE test.killed (a INT)");
    run(&master, "INSERT INTO test.killed VALUES (1)");
    wait_for_sum(&replica, "killed", "1");
    let dump = master.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump' LIMIT 1",
    );
    run(&master, &format!("KILL {}", dump.value()));
    run(&master, "INSERT INTO test.killed VALUES (2)");
    wait_for_sum(&replica, "killed", "3");
    run(&replica, "STOP SLAVE");
}

/// The master does not get the acknowledgements and goes on without them, and the replica does not notice.
#[test]
fn semi_synchronous_replication_becomes_asynchronous() {
    let master = MariaDb::start_with(&[
        "--server-id=1",
        "--log-bin=binlog",
        "--rpl-semi-sync-master-enabled=1",
        "--rpl-semi-sync-master-timeout=100",
    ]);
    let replica = MariaDb::start_with(&[
        "--server-id=2",
        "--slave-skip-errors=all",
        "--rpl-semi-sync-slave-enabled=1",
    ]);
    let host = Host::plain(master.address());
    run(&master, "CREATE TABLE test.semi (a INT)");
    replicate(&replica, &host, "MASTER_USE_GTID = slave_pos");
    for number in 1..=20 {
        run(&master, &format!("INSERT INTO test.semi VALUES ({number})"));
    }
    wait_for_sum(&replica, "semi", "210");
    let told = master.query("SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'").text();
    assert_eq!(told[0][1], "1", "the replica asked for it, on one connection");
    assert_eq!(host.criticals(), Vec::<String>::new());
    run(&replica, "STOP SLAVE");
}

#[test]
fn a_master_without_binary_log_refuses_as_directly() {
    let replica = replica();
    let host = Host::plain(db());
    replicate(&replica, &host, "MASTER_USE_GTID = slave_pos");
    let refused = || status(&replica, "Last_IO_Error").contains("Binary log is not open");
    assert!(eventually(PATIENCE, refused), "{}", status(&replica, "Last_IO_Error"));
    run(&replica, "STOP SLAVE");
}

/// A server that numbers each event anew, and a replica whose acknowledgements are more than sockets hold.
#[test]
fn acknowledgements_are_taken_and_forgotten() {
    const EVENTS: usize = 200;
    const EVENT: &[u8] = b"\0\xef\x01an event";
    let (next, asked) = mpsc::channel::<()>();
    let asked = Mutex::new(asked);
    let (host, _server) = host_before(move |conn| {
        conn.read()?;
        for _ in 0..EVENTS {
            // An error: the test is over.
            asked.lock().unwrap().recv().map_err(io::Error::other)?;
            conn.write(1, EVENT)?;
        }
        conn.write(1, &ok_err::eof(0))?;
        conn.serve(|_| vec![ok_err::plain_ok()])
    });
    let mut replica = host.client();
    replica.send_command(COM_BINLOG_DUMP, b"\x04\0\0\0\0\0\x01\0\0\0log.1").unwrap();
    for number in 0..EVENTS {
        if number > 0 {
            replica.send_bytes(&[0xef; 65_536]).unwrap();
        }
        next.send(()).unwrap();
        expect_packet(&mut replica, 1, EVENT);
    }
    expect_packet(&mut replica, 1, &ok_err::eof(0));
    assert_eq!(replica.simple(COM_PING, b"").unwrap().kind(), Some(0));
}
