//! Real servers that are down at the start, go down, come back.

use testkit::host::counters::{STATE_DOWN, STATE_UP};
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, RawClient, Relay, eventually};

use crate::support::*;

#[test]
fn down_at_the_start_then_up() {
    let mut server = MariaDb::start();
    server.stop();
    let host = Host::builder().backend(server.address()).with_counters().start();
    assert_err_and_close(&mut host.connect(), 0);
    assert_eq!(host.counters()[0].state, STATE_DOWN);
    server.start_again();
    let used_again =
        eventually(PATIENCE, || RawClient::login(host.address(), &MariaDb::user()).is_ok());
    assert!(used_again, "the backend is not used again: {:?}", host.counters());
    assert_eq!(host.counters()[0].state, STATE_UP);
}

#[test]
fn goes_down_and_comes_back() {
    let mut first = MariaDb::start();
    let host = Host::builder().backend(first.address()).backend(db()).with_counters().start();
    let mut client = host.client();
    assert_in_step(&mut client);
    assert_eq!(host.connected_clients(), [1, 0]);
    first.kill();
    // An open connection is lost with an ERR or a close, never silently.
    let _ = client.send_command(3, b"SELECT 1");
    if let Ok(packet) = client.read_packet() {
        assert!(packet.is_err(), "{packet:?}");
    }
    drop(client);
    host.wait_for_clients(&[0, 0]);
    for _ in 0..3 {
        let mut client = host.client();
        assert_in_step(&mut client);
        client.quit();
    }
    assert_eq!(host.counters()[0].state, STATE_DOWN);
    first.start_again();
    let mut newest = None;
    let used_again = eventually(PATIENCE, || {
        newest = Some(host.client());
        host.counters()[0].state == STATE_UP
    });
    assert!(used_again, "{:?}", host.counters());
    drop(newest);
    host.wait_for_clients(&[0, 0]);
}

#[test]
fn read_only_backends_have_their_type() {
    let host = Host::builder().backend(db()).readonly(refusing()).with_counters().start();
    let kinds: Vec<_> = host.counters().iter().map(|backend| backend.kind).collect();
    // BACKEND_TYPE_RW is 1, BACKEND_TYPE_RO is 2.
    assert_eq!(kinds, [1, 2]);
}

#[test]
fn the_script_chooses_the_backend() {
    let second = Relay::start(db());
    let host = Host::builder()
        .backend(refusing())
        .readonly(second.address())
        .script(
            r#"
            def connect_server(proxy):
                proxy.connection.backend_ndx = 1
            "#,
        )
        .start();
    let mut client = host.client();
    assert_in_step(&mut client);
    assert_eq!(second.passed().len(), 1);
}

#[test]
fn a_script_that_takes_long_marks_no_backend_down() {
    // While a hook runs, time limits go on: here one elapses after the server accepted the connection, and before the
    // host can see that.
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-connect-timeout", "0.3")
        .script(
            r#"
            import time

            def read_query(proxy, packet):
                if b"slow" in packet:
                    print("in the hook", flush=True)
                    time.sleep(1)
            "#,
        )
        .start();
    let mut slow = [host.client(), host.client(), host.client()];
    let mut ask = |number: usize| slow[number].send_command(3, b"SELECT 'slow'").unwrap();
    // While the first query is in its hook, a client and more queries arrive: the host finds them together.
    ask(0);
    host.wait_for_stdout("in the hook");
    ask(1);
    let mut new = host.connect();
    ask(2);
    for client in &mut slow {
        client.read_answer(1).unwrap();
    }
    new.read_handshake().expect("the backend is up");
    assert!(!host.log().contains("marked DOWN"), "{}", host.log());
}

#[test]
fn a_script_that_takes_long_times_no_answer_out() {
    // The answer arrives in time, while the host is in a hook, and so does the end of the time limit.
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-read-timeout", "0.6")
        .script(
            r#"
            import time

            def read_query(proxy, packet):
                if b"slow hook" in packet:
                    time.sleep(1.2)
            "#,
        )
        .start();
    let mut waiting = host.client();
    let mut slow = host.client();
    waiting.send_command(3, b"SELECT 'answer', SLEEP(0.3)").unwrap();
    slow.send_command(3, b"SELECT 'slow hook'").unwrap();
    assert_eq!(waiting.read_answer(1).unwrap().text(), [["answer", "0"]]);
}

#[test]
fn a_backend_that_refuses_is_named_in_the_log() {
    let down = refusing();
    let host = Host::builder().backend(down).start();
    assert_err_and_close(&mut host.connect(), 0);
    host.wait_for_log(&format!(
        "backend {down} is not reachable (Connection refused (os error 111)), marked DOWN"
    ));
}
