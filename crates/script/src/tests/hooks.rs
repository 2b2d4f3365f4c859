//! What hooks return and what they raise.

use super::guest::wrong_hooks;
use super::*;
use crate::asked::{FromScript, Mailbox};

/// Every hook with these lines as its body.
fn all_hooks(body: &str) -> String {
    let parameters = |hook| match hook {
        Hook::ReadAuthResult | Hook::ReadQuery | Hook::ReadQueryResult => "proxy, what",
        _ => "proxy",
    };
    let function = |hook: Hook| format!("def {}({}):\n    {body}\n", hook.name(), parameters(hook));
    Hook::ALL.map(function).concat()
}

fn outcome_of(hook: Hook, returned: &str) -> Verdict {
    let body = format!("proxy.response.type = proxy.MYSQLD_PACKET_OK; return {returned}");
    Connection::new(&all_hooks(&body)).call(hook)
}

#[test]
fn none_and_no_decision_proceed_in_every_hook() {
    for hook in Hook::ALL {
        for returned in ["None", "0", "proxy.PROXY_NO_DECISION"] {
            assert_eq!(outcome_of(hook, returned), Verdict::Proceed, "{hook:?}: {returned}");
        }
    }
}

#[test]
fn every_hook_permits_what_the_contract_says_and_nothing_else() {
    let permitted = |hook, value| match value {
        "proxy.PROXY_SEND_QUERY" => matches!(hook, Hook::ReadAuth | Hook::ReadQuery),
        "proxy.PROXY_SEND_RESULT" => hook != Hook::DisconnectClient,
        _ => {
            matches!(hook, Hook::ConnectServer | Hook::ReadQueryResult | Hook::DisconnectClient)
        }
    };
    for hook in Hook::ALL {
        for value in
            ["proxy.PROXY_SEND_QUERY", "proxy.PROXY_SEND_RESULT", "proxy.PROXY_IGNORE_RESULT"]
        {
            let outcome = outcome_of(hook, value);
            let as_expected = match (permitted(hook, value), value) {
                (false, _) => outcome == Verdict::Failed,
                (true, "proxy.PROXY_SEND_QUERY") => outcome == Verdict::SendQuery,
                (true, "proxy.PROXY_SEND_RESULT") => matches!(outcome, Verdict::SendResult(_)),
                (true, _) => outcome == Verdict::IgnoreResult,
            };
            assert!(as_expected, "{hook:?} returning {value} gives {outcome:?}");
        }
    }
}

#[test]
fn other_values_are_script_errors_that_the_log_names() {
    for value in ["True", "False", "3", "-1", "2**70", "'2'", "1.0", "proxy"] {
        assert_eq!(outcome_of(Hook::ReadQuery, value), Verdict::Failed, "{value}");
        let log = logged(log::Level::Error);
        assert!(log.contains("connection 7 (10.0.0.1:5555): read_query returned"), "{log}");
    }
}

#[test]
fn an_integer_like_constant_counts() {
    let script = "import enum\n\
                  class Answer(enum.IntEnum):\n    GO = 1\n\
                  def read_query(proxy, packet):\n    return Answer.GO\n";
    assert_eq!(Connection::new(script).call(Hook::ReadQuery), Verdict::SendQuery);
}

#[test]
fn what_is_raised_is_logged_once_with_its_traceback() {
    let kinds = [
        "ValueError('secret')",
        "SystemExit(3)",
        "KeyboardInterrupt()",
        "GeneratorExit()",
        "RecursionError()",
        "MemoryError()",
        "type('Own', (BaseException,), {})()",
    ];
    for hook in Hook::ALL {
        for kind in kinds {
            let mut connection = Connection::new(&all_hooks(&format!("raise {kind}")));
            assert_eq!(connection.call(hook), Verdict::Failed, "{hook:?} raising {kind}");
            let log = logged(log::Level::Error);
            let name = hook.name();
            let head = format!("connection 7 (10.0.0.1:5555): {name} failed:\nTraceback");
            assert!(log.starts_with(&head), "{log}");
            assert!(log.contains(&format!("in {name}")) && log.contains("script.py"), "{log}");
            assert!(log.contains(&format!("raise {kind}")), "the source line: {log}");
            assert!(!log.contains("---"), "one entry: {log}");
        }
    }
}

#[test]
fn endless_recursion_and_odd_exceptions_are_survived() {
    let script = "class Odd(Exception):\n\
                  \x20   def __str__(self): raise ValueError('no text')\n\
                  \x20   __repr__ = __str__\n\
                  def read_query(proxy, packet):\n\
                  \x20   if packet[1:] == b'deep': return read_query(proxy, packet)\n\
                  \x20   raise Odd()\n";
    let mut connection = Connection::new(script);
    assert_eq!(connection.query(b"\x03deep"), Verdict::Failed);
    assert!(logged(log::Level::Error).contains("RecursionError"));
    assert_eq!(connection.query(b"\x03odd"), Verdict::Failed);
    assert!(logged(log::Level::Error).contains("Odd"));
}

#[test]
fn running_out_of_stack_or_memory_is_an_error_like_others() {
    for (body, error) in [
        ("def again(): return again()\n    again()", "RecursionError"),
        ("bytearray(1 << 62)", "MemoryError"),
        ("return [proxy.PROXY_SEND_QUERY] * (1 << 62)", "MemoryError"),
    ] {
        for hook in Hook::ALL {
            let mut connection = Connection::new(&all_hooks(body));
            assert_eq!(connection.call(hook), Verdict::Failed, "{hook:?}: {body}");
            let log = logged(log::Level::Error);
            assert!(log.contains(error) && log.contains(hook.name()), "{hook:?}: {log}");
        }
    }
}

#[test]
fn a_response_that_cannot_be_encoded_is_a_script_error_in_every_hook_that_answers() {
    let generator = |end: &str| {
        format!(
            "def rows():\n        yield [1]\n        {end}\n    \
             proxy.response = {{'type': 0, 'resultset': {{'fields': [('a', 3)], 'rows': rows()}}}}\n    \
             return proxy.PROXY_SEND_RESULT"
        )
    };
    for (body, error) in [
        ("proxy.response = None; return 2".to_owned(), "type is not set"),
        ("proxy.response = {'type': 0, 'warnings': -1}; return 2".to_owned(), "out of range"),
        (generator("raise LookupError('half way')"), "LookupError: half way"),
        (generator("raise SystemExit('half way')"), "SystemExit: half way"),
        (generator("raise KeyboardInterrupt"), "KeyboardInterrupt"),
        (generator("yield [bytearray(1 << 62)]"), "MemoryError"),
        (generator("yield from rows()"), "RecursionError"),
        (generator("yield [1, 2]"), "row 1 has more"),
    ] {
        for hook in Hook::ALL.into_iter().filter(|hook| *hook != Hook::DisconnectClient) {
            let mut connection = Connection::new(&all_hooks(&body));
            assert_eq!(connection.call(hook), Verdict::Failed, "{hook:?}: {body}");
            let log = logged(log::Level::Error);
            let head =
                format!("connection 7 (10.0.0.1:5555): {} returned PROXY_SEND_RESULT", hook.name());
            assert!(log.starts_with(&head) && log.contains(error), "{hook:?}: {log}");
        }
    }
}

#[test]
fn missing_hooks_proceed_and_names_that_are_no_functions_are_ignored() {
    let script = load("read_query = 5\ndef read_auth(proxy): return 1\n");
    assert!(logged(log::Level::Warn).contains("read_query is not a function"));
    assert!(
        !script.hooks().defined().has(Hook::ReadQuery)
            && script.hooks().defined().has(Hook::ReadAuth)
    );
    let mut connection = Connection::of(script);
    assert_eq!(connection.call(Hook::ReadQuery), Verdict::Proceed);
    assert_eq!(connection.call(Hook::ReadAuth), Verdict::SendQuery);
}

#[test]
fn arguments_are_what_the_contract_says() {
    let script = "seen = []\n\
                  def read_query(proxy, packet):\n\
                  \x20   assert type(packet) is bytes and packet == b'\\x03SELECT 1', packet\n\
                  \x20   seen.append(proxy)\n\
                  \x20   assert seen[0] is proxy\n\
                  def read_auth_result(proxy, auth):\n\
                  \x20   assert auth.packet == b'\\0\\0\\0'\n\
                  \x20   assert repr(auth) == \"<pyproxy.Auth packet=b'\\\\x00\\\\x00\\\\x00'>\", repr(auth)\n";
    let mut connection = Connection::new(script);
    for hook in [Hook::ReadQuery, Hook::ReadQuery, Hook::ReadAuthResult] {
        assert_eq!(connection.call(hook), Verdict::Proceed, "{}", logged(log::Level::Error));
    }
}

#[test]
fn hooks_are_those_that_were_loaded_whatever_becomes_of_their_names() {
    for spoil in [
        "del globals()['read_query']",
        "globals()['read_query'] = None",
        "globals().clear()",
        "__import__('sys').modules.pop(__name__)",
    ] {
        let script = format!("def read_query(proxy, packet):\n    {spoil}\n    return 1\n");
        let mut connection = Connection::new(&script);
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::SendQuery, "{spoil}");
    }
    let mut connection = Connection::new("def read_query(proxy, packet): return 1\n");
    for _ in 0..2 {
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::SendQuery);
    }
}

#[test]
fn arguments_that_are_rebound_or_emptied_are_whole_in_the_next_hook() {
    let script = "def read_auth_result(proxy, auth):\n\
                  \x20   proxy.connection.state = 1\n\
                  \x20   proxy.__dict__.clear(); proxy.connection.__dict__ = {}\n\
                  \x20   proxy.PROXY_SEND_RESULT = 99\n\
                  \x20   proxy.response = {'type': 0}; proxy.queries.append(1, b'\\x01')\n\
                  \x20   del proxy, auth\n\
                  def read_query(proxy, packet):\n\
                  \x20   assert proxy.PROXY_SEND_RESULT == 99, 'an attribute like others'\n\
                  \x20   assert not hasattr(proxy.connection, 'state') and proxy.connection.client.src.port == 5555\n\
                  \x20   assert proxy.response.type is None and len(proxy.queries) == 1\n\
                  \x20   packet = proxy = None\n";
    let mut connection = Connection::new(script);
    for hook in [Hook::ReadAuthResult, Hook::ReadQuery] {
        assert_eq!(connection.call(hook), Verdict::Proceed, "{}", logged(log::Level::Error));
    }
}

#[test]
fn a_function_of_another_kind_is_named() {
    for (script, text) in [
        (
            "async def read_query(proxy, packet): return 1\n",
            "returned a coroutine (hooks cannot wait here",
        ),
        (
            "def read_query(proxy, packet): yield 1\n",
            "returned a generator (there is a yield in it)",
        ),
        ("async def read_query(proxy, packet): yield 1\n", "returned a generator"),
    ] {
        let mut connection = Connection::new(script);
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::Failed, "{script}");
        let log = logged(log::Level::Error);
        assert!(log.contains(text) && !log.contains("0x"), "{log}");
    }
}

#[test]
fn a_hook_that_cannot_be_called_is_an_error_at_load() {
    for (script, text) in [
        (
            "def read_query(packet): pass",
            "the proxy calls read_query(proxy, packet), but the script has read_query(packet)",
        ),
        ("def read_query(): pass", "the script has read_query()"),
        (
            "def read_query(proxy, packet, more): pass",
            "the script has read_query(proxy, packet, more)",
        ),
        ("def read_query(proxy, *, packet): pass", "the script has read_query(proxy, *, packet)"),
        ("def connect_server(): pass", "the proxy calls connect_server(proxy), but"),
        (
            "def read_query_result(proxy): pass",
            "the proxy calls read_query_result(proxy, inj), but",
        ),
        ("def read_auth_result(proxy): pass", "the proxy calls read_auth_result(proxy, auth), but"),
    ] {
        assert!(wrong_hooks(script).contains(text), "{script}: {}", wrong_hooks(script));
    }
}

#[test]
fn parameters_may_have_any_form_that_can_be_called() {
    for script in [
        "def read_query(*arguments): pass",
        "def read_query(a, b, c=1, **more): pass",
        "class Hook:\n    def __call__(self, proxy, packet): pass\nread_query = Hook()",
        "read_query = lambda proxy, packet: None",
        "class Own:\n    def method(self, proxy, packet): pass\nread_query = Own().method",
        "import functools\nread_query = functools.partial(print, 1)",
        // Python knows no signature.
        "read_query = max",
    ] {
        assert!(load(script).hooks().defined().has(Hook::ReadQuery), "{script}");
    }
}

#[test]
fn a_name_that_nearly_is_a_hook_is_an_error_at_load() {
    for (name, meant) in [
        ("read_qeury", "read_query"),
        ("read_query_resutl", "read_query_result"),
        ("readQuery", "read_query"),
        ("conect_server", "connect_server"),
        ("disconnectclient", "disconnect_client"),
        ("shut_down", "shutdown"),
    ] {
        let error = wrong_hooks(&format!("def {name}(*arguments): pass\n"));
        let want = format!("the script's function {name} is no hook: did you mean {meant}?");
        assert!(error.contains(&want), "{error}");
    }
}

#[test]
fn other_names_are_the_scripts_own() {
    logged(log::Level::Warn);
    for script in [
        "def read_query(proxy, packet): pass\ndef read_query2(): pass",
        "def _read_qeury(): pass",
        "read_qeury = 5",
        "class ReadQuery: pass",
        "from os.path import join as read_qeury",
        "def read_queries(): pass",
        "def exit(): pass",
    ] {
        load(script);
        assert_eq!(logged(log::Level::Warn), "", "{script}");
    }
    load("def inti(): pass");
    assert!(logged(log::Level::Warn).contains("inti is no hook: did you mean init?"));
}

/// Where hooks that wait would say what they want.
#[derive(Debug)]
struct Unused;

impl Mailbox for Unused {
    fn put(&self, message: FromScript) {
        panic!("no hook waits here: {message:?}");
    }
}

#[test]
fn a_hook_that_could_wait_and_does_not_runs_no_code_but_its_own() {
    let script = "import sys\n\
                  called = []\n\
                  def note(frame, event, what):\n    \
                      if 'call' in event: called.append(frame.f_code.co_name)\n\
                  def read_query(proxy, packet):\n    \
                      if packet[1:] == b'begin': sys.setprofile(note)\n    \
                      if packet[1:] == b'end':\n        \
                          sys.setprofile(None)\n        \
                          assert called == ['read_query'] * 4, called\n";
    let mut connection = Connection::new(script);
    let (session, shared) = (connection.session.clone(), Arc::clone(&connection.shared));
    let mailbox: Arc<dyn Mailbox> = Arc::new(Unused);
    connection.binding =
        Binding::new(Arc::clone(&connection.script), session, shared, Some(mailbox));
    // What Python tells of calls is told of a thread as long as it stays attached.
    python(|_| {
        for text in [&b"\x03begin"[..], b"\x03SELECT 1", b"\x03SELECT 2", b"\x03end"] {
            assert_eq!(connection.query(text), Verdict::Proceed, "{}", logged(log::Level::Error));
        }
    });
}
