//! Scripts that fail, in every hook and in every way.

use testkit::{Host, MariaDb, Relay};

use crate::support::*;

/// Raises in one hook, for the first three connections.
fn raising_in(hook: &str, arguments: &str, option: Option<&str>) -> Host {
    let source = format!(
        r#"
raised = 0

def {hook}({arguments}):
    global raised
    if raised < 3:
        raised += 1
        # The host's log leaves out a line that repeats the last one.
        raise RuntimeError(f"raised on purpose, number {{raised}}")
"#
    );
    let mut builder = Host::builder().backend(db()).script(&source).with_counters();
    if let Some(value) = option {
        builder = builder.option("pyproxy-on-script-error", value);
    }
    builder.start()
}

const LOGIN_HOOKS: [(&str, &str, u8); 4] = [
    ("connect_server", "proxy", 0),
    ("read_handshake", "proxy", 0),
    ("read_auth", "proxy", 2),
    ("read_auth_result", "proxy, auth", 2),
];

#[test]
fn raising_in_a_login_hook_refuses_the_client() {
    for (hook, arguments, id) in LOGIN_HOOKS {
        let mut host = raising_in(hook, arguments, None);
        for _ in 0..3 {
            let mut client = host.connect();
            if id == 2 {
                let handshake = client.read_handshake().unwrap();
                client.send_packet(1, &MariaDb::user().payload(&handshake)).unwrap();
            }
            assert_script_error_and_close(&mut client, id, hook);
        }
        host.assert_serves();
        host.wait_for_clients(&[0]);
        let traces = host.log().matches("RuntimeError: raised on purpose").count();
        assert_eq!(traces, 3, "one traceback each:\n{}", host.log());
    }
}

fn assert_script_error_and_close(client: &mut testkit::RawClient, id: u8, hook: &str) {
    let packet = client.read_packet().unwrap();
    assert!(packet.is_err() && packet.id == id, "{hook}: {packet:?}");
    let error = testkit::proto::ok_err::parse_err(&packet.payload).unwrap();
    assert_eq!(error.code, ER_UNKNOWN_ERROR);
    assert_eq!(error.message, format!("pyproxy: {hook} failed, see the proxy log"));
    client.expect_closed();
}

#[test]
fn raising_in_a_login_hook_with_forward_goes_on() {
    for (hook, arguments, _) in LOGIN_HOOKS {
        let host = raising_in(hook, arguments, Some("forward"));
        for _ in 0..4 {
            assert_in_step(&mut host.client());
        }
        assert!(host.log().contains("RuntimeError: raised on purpose"), "{hook}");
    }
}

#[test]
fn raising_in_read_query() {
    let host = raising_in("read_query", "proxy, packet", None);
    let mut client = host.client();
    for _ in 0..3 {
        assert_query_fails(&mut client, "SELECT 1", "read_query");
    }
    assert_in_step(&mut client);
    // One entry at level critical names the hook.
    let entries = host.criticals().iter().filter(|line| line.contains("read_query")).count();
    assert_eq!(entries, 3, "{}", host.log());
}

#[test]
fn raising_in_read_query_with_forward_forwards() {
    let host = raising_in("read_query", "proxy, packet", Some("forward"));
    let mut client = host.client();
    for _ in 0..4 {
        assert_in_step(&mut client);
    }
    assert_eq!(host.log().matches("RuntimeError: raised on purpose").count(), 3);
}

#[test]
fn raising_in_disconnect_client_is_only_logged() {
    let mut host = raising_in("disconnect_client", "proxy", None);
    for _ in 0..4 {
        host.assert_serves();
    }
    host.wait_for_log("RuntimeError: raised on purpose");
    host.wait_for_clients(&[0]);
}

#[test]
fn raising_in_read_query_result_of_a_streamed_result_is_only_logged() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.queries.append(1, packet)
            return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            raise RuntimeError("too late")
        "#,
    );
    let mut client = host.client();
    assert_in_step(&mut client);
    assert_in_step(&mut client);
    host.wait_for_log("RuntimeError: too late");
}

#[test]
fn every_way_to_leave_a_hook_is_caught() {
    for statement in [
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "import sys; sys.exit('bye')",
        "return 'query'",
        "return 17",
        "return object()",
        "return proxy.PROXY_IGNORE_RESULT",
        "proxy.connection.backend_ndx = 'first'",
        "proxy.queries.append()",
        "proxy.queries.append(1, 5)",
        "proxy.no_such_thing",
        "def f(): return f()\n    f()",
    ] {
        let mut host = Host::with_script(&format!(
            "
def read_query(proxy, packet):
    if b'step' in packet or b'40 + 2' in packet or packet == b'\\x01':
        return None
    {statement}
"
        ));
        let mut client = host.client();
        let answer = client.query("SELECT 1").unwrap_or_else(|e| panic!("{statement}: {e}"));
        assert_script_error(answer.err(), "read_query");
        assert_in_step(&mut client);
        host.assert_serves();
    }
}

#[test]
fn nobody_sees_the_text_of_an_exception() {
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .script("def read_query(proxy, packet): raise RuntimeError('password=hunter2')")
        .start();
    let mut client = host.client();
    let answer = client.query("SELECT 1").unwrap();
    let bytes: Vec<u8> = answer.packets.iter().flat_map(|packet| packet.payload.clone()).collect();
    assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
    host.wait_for_log("hunter2");
}
