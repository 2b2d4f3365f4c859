//! What is counted while hooks run.

use super::*;

/// What changed between two reports of a connection's counters, zeros left out.
fn counted(script: &str, hooks: &[Hook]) -> Vec<(String, u64)> {
    let mut connection = Connection::new(script);
    for hook in hooks {
        connection.call(*hook);
    }
    connection.shared.stats.report(0).into_iter().filter(|(_, number)| *number != 0).collect()
}

fn number(report: &[(String, u64)], name: &str) -> u64 {
    report.iter().find(|(known, _)| known == name).map_or(0, |(_, number)| *number)
}

#[test]
fn calls_and_errors_are_counted_by_hook() {
    let script = "def read_query(proxy, packet): pass\n\
        def read_auth(proxy): raise SystemExit\n\
        def connect_server(proxy): return 77\n\
        def read_query_result(proxy, inj): return proxy.PROXY_SEND_RESULT\n";
    let hooks = [
        Hook::ReadQuery,
        Hook::ReadQuery,
        Hook::ReadAuth,
        Hook::ConnectServer,
        Hook::ReadQueryResult,
        Hook::DisconnectClient,
    ];
    let report = counted(script, &hooks);
    for (hook, calls, errors) in [
        (Hook::ReadQuery, 2, 0),
        (Hook::ReadAuth, 1, 1),
        (Hook::ConnectServer, 1, 1),
        (Hook::ReadQueryResult, 1, 1),
        // The script has no such hook.
        (Hook::DisconnectClient, 0, 0),
    ] {
        let name = hook.name();
        let seen = ["calls", "errors"].map(|what| number(&report, &format!("{name}.{what}")));
        assert_eq!(seen, [calls, errors], "{name}");
    }
}

#[test]
fn time_in_a_hook_and_time_before_it_are_told_apart() {
    let slow = "import time\ndef read_query(proxy, packet): time.sleep(0.05)\n";
    let report = counted(slow, &[Hook::ReadQuery]);
    assert!(number(&report, "read_query.micros") >= 50_000, "{report:?}");
    assert!(number(&report, "read_query.micros") < 20_000_000, "{report:?}");

    // Meanwhile another thread holds Python.
    let mut connection = Connection::new("def read_query(proxy, packet): pass\n");
    let (holding, held) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            python(|_| {
                holding.send(()).expect("the test waits");
                std::thread::sleep(std::time::Duration::from_millis(60));
            });
        });
        held.recv().expect("Python is held");
        connection.call(Hook::ReadQuery);
    });
    let report = connection.shared.stats.report(0);
    assert!(number(&report, "python_wait_micros") >= 20_000, "{report:?}");
}
