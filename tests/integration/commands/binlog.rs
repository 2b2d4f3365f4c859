//! COM_BINLOG_DUMP: events pass as they come, and the connection goes on behind them.

use std::sync::Arc;

use testkit::client::COM_PING;
use testkit::proto::ok_err;
use testkit::wait::Gate;

use crate::support::*;

const COM_BINLOG_DUMP: u8 = 0x12;

const COM_BINLOG_DUMP_GTID: u8 = 0x1e;

#[test]
fn binlog_events_come_as_they_are_sent() {
    for command in [COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID] {
        let gate = Arc::new(Gate::default());
        let go_on = Arc::clone(&gate);
        let (host, _server) = host_before(move |conn| {
            conn.read()?;
            conn.write(1, b"\0first event")?;
            go_on.wait();
            conn.write(2, b"\0second event")?;
            conn.write(3, &ok_err::eof(0))?;
            conn.serve(|_| vec![ok_err::plain_ok()])
        });
        let mut client = host.client();
        client.send_command(command, b"\x04\0\0\0\0\0\x01\0\0\0log.1").unwrap();
        expect_packet(&mut client, 1, b"\0first event");
        gate.open();
        expect_packet(&mut client, 2, b"\0second event");
        expect_packet(&mut client, 3, &ok_err::eof(0));
        let pong = client.simple(COM_PING, b"").unwrap();
        assert_eq!((pong.id, pong.kind()), (1, Some(0)));
    }
}

#[test]
fn binlog_refused() {
    let refusal = ok_err::err(1236, "HY000", "no such log");
    let sent = refusal.clone();
    let (host, _server) = host_before(move |conn| {
        conn.read()?;
        conn.write(1, &sent)?;
        conn.serve(|_| vec![ok_err::plain_ok()])
    });
    let mut client = host.client();
    client.send_command(COM_BINLOG_DUMP, b"\x04\0\0\0\0\0\x01\0\0\0log.1").unwrap();
    expect_packet(&mut client, 1, &refusal);
    let pong = client.simple(COM_PING, b"").unwrap();
    assert_eq!((pong.id, pong.kind()), (1, Some(0)));
}
