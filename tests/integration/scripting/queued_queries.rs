//! Several queries queued for one command: one of their results is the answer.

use testkit::Host;

use crate::support::*;

/// The packet ids of an answer start at 1 and follow each other: `RawClient::query` asserts that,
/// and that nothing else came is seen by the next query.
fn one_answer(host: &Host, sql: &str, expected: &str) {
    let mut client = host.client();
    for _ in 0..2 {
        assert_eq!(client.query(sql).unwrap().value(), expected);
        assert_in_step(&mut client);
    }
}

fn two_needed(first: &str, second: &str, ignored: u8) -> Host {
    Host::with_script(&format!(
        r#"
        def read_query(proxy, packet):
            if b"two" not in packet:
                return None
            proxy.queries.{first}(1, b"\x03SELECT 'one'", resultset_is_needed=True)
            proxy.queries.{second}(2, b"\x03SELECT 'two'", {{"resultset_is_needed": True}})
            return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print("result", inj.id, flush=True)
            if inj.id == {ignored}:
                return proxy.PROXY_IGNORE_RESULT
        "#
    ))
}

#[test]
fn appended_first_ignored() {
    let host = two_needed("append", "append", 1);
    one_answer(&host, "two", "two");
    assert_eq!(host.stdout().lines().take(2).collect::<Vec<_>>(), ["result 1", "result 2"]);
}

#[test]
fn appended_second_ignored() {
    one_answer(&two_needed("append", "append", 2), "two", "one");
}

#[test]
fn prepended_ignored() {
    let host = two_needed("append", "prepend", 2);
    one_answer(&host, "two", "one");
    assert_eq!(host.stdout().lines().take(2).collect::<Vec<_>>(), ["result 2", "result 1"]);
}

#[test]
fn two_injections_not_needed() {
    for hook in ["", "\n\ndef read_query_result(proxy, inj):\n    pass\n"] {
        let source = r#"
def read_query(proxy, packet):
    if b"two" not in packet:
        return None
    proxy.queries.append(1, b"\x03SELECT 'first'")
    proxy.queries.append(2, b"\x03SELECT 'second'")
    return proxy.PROXY_SEND_QUERY
"#;
        let host = Host::with_script(&(source.to_owned() + hook));
        one_answer(&host, "two", "first");
        assert!(host.log().contains("(warning)"), "a warning is due:\n{}", host.log());
    }
}

fn needed_with_hook(hook: &str) -> Host {
    Host::with_script(&format!(
        r#"
def read_query(proxy, packet):
    if b"inject" not in packet:
        return None
    proxy.queries.append(1, b"\x03SELECT 'injected'", True)
    return proxy.PROXY_SEND_QUERY

{hook}
"#
    ))
}

#[test]
fn all_results_ignored() {
    let hook = "def read_query_result(proxy, inj): return proxy.PROXY_IGNORE_RESULT";
    let host = needed_with_hook(hook);
    let mut client = host.client();
    for _ in 0..2 {
        assert_eq!(client.query("inject").unwrap().err().code, ER_UNKNOWN_ERROR);
        assert_in_step(&mut client);
    }
}

#[test]
fn hook_missing() {
    one_answer(&needed_with_hook(""), "inject", "injected");
}

#[test]
fn hook_returns_something_else() {
    for value in ["1", "3", "99", "-1", "'yes'", "2.5", "1 << 70"] {
        let hook = format!("def read_query_result(proxy, inj): return {value}");
        let host = needed_with_hook(&hook);
        let mut client = host.client();
        assert_query_fails(&mut client, "inject", "read_query_result");
        assert_in_step(&mut client);
    }
}

#[test]
fn hook_raises() {
    let host = needed_with_hook("def read_query_result(proxy, inj): raise ValueError('hidden')");
    let mut client = host.client();
    assert_query_fails(&mut client, "inject", "read_query_result");
    assert_in_step(&mut client);
    assert!(host.log().contains("ValueError: hidden"), "the traceback is in the log");
}

#[test]
fn a_response_for_both_results() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"two" not in packet:
                return None
            for number in (1, 2):
                proxy.queries.append(number, b"\x03SELECT 1", resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {
                    "fields": [("n", proxy.MYSQL_TYPE_STRING)],
                    "rows": [[f"answer {inj.id}"]],
                },
            }
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    one_answer(&host, "two", "answer 1");
}

#[test]
fn queues_then_raises() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            print("queued", len(proxy.queries), flush=True)
            if b"raise" in packet:
                proxy.queries.append(1, b"\x03SELECT 'must not run'", resultset_is_needed=True)
                raise KeyError("hidden")

        def read_query_result(proxy, inj):
            print("unexpected result", inj.id, flush=True)
        "#,
    );
    let mut client = host.client();
    for _ in 0..2 {
        assert_query_fails(&mut client, "raise", "read_query");
        assert_in_step(&mut client);
    }
    client.quit();
    let output = host.stop().stdout;
    assert!(output.lines().all(|line| line == "queued 0"), "{output}");
}
