//! Every hook, every way to fail, both policies (`docs/scripting.md#errors`).

use testkit::proto::ok_err::parse_err;
use testkit::{Host, MariaDb};

use super::remote::{HOOKS, QUEUE, Remote, Visit};
use crate::support::*;

/// Ways to leave a hook, and what the log says of each.
const WAYS: &[(&str, &str)] = &[
    ("raise ValueError('hunter2')", "ValueError: hunter2"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("import sys\nsys.exit('bye')", "SystemExit: bye"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("raise GeneratorExit", "GeneratorExit"),
    ("raise MemoryError", "MemoryError"),
    ("bytearray(1 << 62)", "MemoryError"),
    ("def again(): return again()\nreturn again()", "RecursionError"),
    ("raise type('Own', (BaseException,), {})", "Own"),
    ("raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})", "Mute"),
    ("raise ValueError('lone \\ud800 surrogate')", "ValueError: lone"),
    ("raise ValueError('before\\0after')", "ValueError: before"),
    ("return 'query'", "returned 'query'"),
    ("return 17", "returned 17"),
    ("return 3", "returned 3"),
    ("return -1", "returned -1"),
    ("return True", "returned True"),
    ("return 2.0", "returned 2.0"),
    ("return 1 << 80", "returned 1208925819614629174706176"),
    ("return (proxy.PROXY_SEND_RESULT,)", "returned (2,)"),
    ("return type('Mute', (), {'__repr__': lambda self: 1 / 0})()", "Mute"),
    ("del proxy.connection", "AttributeError"),
    ("proxy.connection = None", "AttributeError"),
    ("proxy.queries = []", "AttributeError"),
    ("proxy.globals = {}", "AttributeError"),
    ("proxy.globals.backends = []", "AttributeError"),
    ("proxy.response = 5", "TypeError"),
    ("proxy.response = {1: 2}", "TypeError"),
    ("proxy.connection.client.username = 'x'", "AttributeError"),
    ("proxy.no_such_thing", "AttributeError"),
];

/// Responses that cannot be encoded.
const RESPONSES: &[&str] = &[
    "{}",
    "{'type': None}",
    "{'type': 'OK'}",
    "{'type': 7}",
    "{'type': 1 << 80}",
    "{'type': 0, 'resultset': 5}",
    "{'type': 0, 'resultset': {}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)]}}",
    "{'type': 0, 'resultset': {'rows': []}}",
    "{'type': 0, 'resultset': {'fields': [], 'rows': []}}",
    "{'type': 0, 'resultset': {'fields': 'ab', 'rows': []}}",
    "{'type': 0, 'resultset': {'fields': [('a',)], 'rows': []}}",
    "{'type': 0, 'resultset': {'fields': [('a', 'text')], 'rows': []}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': 5}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': [5]}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': [()]}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': [(1,), (1, 2)]}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': ((1 / (2 - n),) for n in range(9))}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': (exit(n) for n in range(9))}}",
    "{'type': 0, 'resultset': {'fields': [('a', 3)], 'rows': [(float('nan'),)]}}",
    "{'type': 0, 'affected_rows': -1}",
    "{'type': 0, 'insert_id': 1 << 64}",
    "{'type': 0, 'warnings': 'many'}",
    "{'type': 255, 'errcode': 70000}",
    "{'type': 255, 'sqlstate': 'HY'}",
    "{'type': 255, 'errmsg': 5}",
    "{'type': 250}",
    "{'type': 250, 'packets': []}",
    "{'type': 250, 'packets': 5}",
    "{'type': 250, 'packets': [b'x', 5]}",
];

/// Hooks in which a client is not let in yet.
const LOGIN: [&str; 4] = ["connect_server", "read_handshake", "read_auth", "read_auth_result"];

/// One host with a policy, and what its clients meet.
struct Trial {
    remote: Remote,
    policy: &'static str,
}

impl Trial {
    fn with(policy: &'static str) -> Self {
        let builder = Host::builder().backend(db()).option("pyproxy-on-script-error", policy);
        Self { remote: Remote::of(builder), policy }
    }

    /// A client of a script whose `hook` has this body, which fails; `trace` is in the log.
    fn run(&mut self, hook: &str, body: &str, trace: &str) {
        let what = format!("{}, {hook}: {body}", self.policy);
        let before = self.remote.host.log().len();
        if hook == "read_query_result" {
            self.remote.plan("read_query", QUEUE);
        }
        self.remote.plan(hook, body);
        let visit = self.remote.visit("SELECT 40 + 2");
        let peer = visit.peer.clone();
        if hook == "disconnect_client" {
            let (answer, client) = visit.served();
            assert_eq!(answer.value(), "42", "{what}");
            client.quit();
            self.remote.host.wait_for_log(trace);
            self.remote.forget();
        } else {
            self.remote.forget();
            match self.policy {
                "reject" => assert_rejected(visit, hook, &what),
                _ => assert_forwarded(visit, &what),
            }
        }
        self.assert_logged(before, &peer, hook, trace, &what);
    }

    /// Exactly one new critical entry names the connection; it names the hook, and has `trace`.
    fn assert_logged(&self, before: usize, peer: &str, hook: &str, trace: &str, what: &str) {
        let log = self.remote.host.log();
        let new = &log[before..];
        let of_connection = |line: &&str| line.contains("(critical)") && line.contains(peer);
        let entries: Vec<_> = new.lines().filter(of_connection).collect();
        assert_eq!(entries.len(), 1, "{what}: one entry expected:\n{new}");
        assert!(entries[0].contains(hook), "{what}: {}", entries[0]);
        assert!(new.contains(trace), "{what}: no {trace:?} in\n{new}");
    }
}

fn assert_rejected(visit: Visit, hook: &str, what: &str) {
    if LOGIN.contains(&hook) {
        let packet = visit.refused();
        let error = parse_err(&packet.payload).unwrap();
        let text = format!("pyproxy: {hook} failed, see the proxy log");
        assert_eq!((error.code, &error.message), (ER_UNKNOWN_ERROR, &text), "{what}");
        let greeted = hook.starts_with("read_auth");
        assert_eq!(packet.id, if greeted { 2 } else { 0 }, "{what}");
        assert_eq!(error.sqlstate.as_deref(), greeted.then_some("HY000"), "{what}");
    } else {
        let (answer, mut client) = visit.served();
        assert_script_error(answer.err(), hook);
        assert_eq!(answer.packets[0].id, 1, "{what}");
        // The bodies are forgotten by now: the connection goes on as if nothing was.
        assert_in_step(&mut client);
    }
}

fn assert_forwarded(visit: Visit, what: &str) {
    let (answer, mut client) = visit.served();
    assert_eq!(answer.value(), "42", "{what}");
    assert_in_step(&mut client);
}

fn every_way(policy: &'static str) {
    let mut trial = Trial::with(policy);
    for hook in HOOKS {
        for (body, trace) in WAYS {
            trial.run(hook, body, trace);
        }
    }
    trial.remote.host.assert_serves();
}

#[test]
fn every_way_in_every_hook_with_reject() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    every_way("reject");
}

#[test]
fn every_way_in_every_hook_with_forward() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    every_way("forward");
}

#[test]
fn responses_that_cannot_be_encoded() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    for policy in ["reject", "forward"] {
        let mut trial = Trial::with(policy);
        for hook in HOOKS.into_iter().filter(|hook| *hook != "disconnect_client") {
            for response in RESPONSES {
                let body = format!("proxy.response = {response}\nreturn proxy.PROXY_SEND_RESULT");
                trial.run(hook, &body, "proxy.response cannot be encoded");
            }
        }
        trial.remote.host.assert_serves();
    }
}

/// The decisions that the table of hooks does not permit.
const NOT_PERMITTED: &[(&str, &[&str])] = &[
    ("connect_server", &["PROXY_SEND_QUERY"]),
    ("read_handshake", &["PROXY_SEND_QUERY", "PROXY_IGNORE_RESULT"]),
    ("read_auth", &["PROXY_IGNORE_RESULT"]),
    ("read_auth_result", &["PROXY_SEND_QUERY", "PROXY_IGNORE_RESULT"]),
    ("read_query", &["PROXY_IGNORE_RESULT"]),
    ("read_query_result", &["PROXY_SEND_QUERY"]),
    ("disconnect_client", &["PROXY_SEND_QUERY", "PROXY_SEND_RESULT"]),
];

#[test]
fn decisions_that_a_hook_may_not_return() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    for policy in ["reject", "forward"] {
        let mut trial = Trial::with(policy);
        for (hook, names) in NOT_PERMITTED {
            for name in *names {
                // Even with a response that could be sent.
                let body = format!("proxy.response = {{'type': 0}}\nreturn proxy.{name}");
                trial.run(hook, &body, "which it may not return");
            }
        }
    }
}

#[test]
fn no_decision_is_the_same_as_none() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
    let mut remote = Remote::start();
    for hook in HOOKS {
        for value in ["None", "0", "proxy.PROXY_NO_DECISION"] {
            if hook == "read_query_result" {
                remote.plan("read_query", QUEUE);
            }
            remote.plan(hook, &format!("return {value}"));
            let visit = remote.visit("SELECT 40 + 2");
            remote.forget();
            assert_forwarded(visit, &format!("{hook}: {value}"));
        }
    }
    assert_eq!(remote.host.criticals(), Vec::<String>::new());
}
