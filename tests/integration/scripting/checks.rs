//! Many small checks in one host: functions of the script, each run by a query, each answered with
//! "ok" or with its traceback.

use testkit::host::builder::Builder;
use testkit::{Host, RawClient};

use crate::support::*;

/// The module `checks`: `read_query, read_query_result = runner(globals())` runs the functions
/// `check_*(proxy)`, and those that `@result_of(sql)` marks with the injection of that query.
const CHECKS: &str = r#"
import traceback


def raises(kind, function, *arguments, **named):
    try:
        result = function(*arguments, **named)
    except kind:
        return
    except BaseException as error:
        raise AssertionError(f"{error!r} instead of {kind.__name__}") from error
    raise AssertionError(f"{result!r} instead of {kind.__name__}")


def result_of(sql):
    def mark(function):
        function.sql = sql
        return function

    return mark


def runner(scope):
    def answer(proxy, texts):
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {
                "fields": [("text", proxy.MYSQL_TYPE_STRING)],
                "rows": [[text] for text in texts],
            },
        }
        return proxy.PROXY_SEND_RESULT

    def run(proxy, function, *arguments):
        try:
            function(proxy, *arguments)
        except BaseException:
            return answer(proxy, [traceback.format_exc()])
        return answer(proxy, ["ok"])

    def read_query(proxy, packet):
        if packet == b"\x03checks":
            return answer(proxy, [name for name in scope if name.startswith("check_")])
        name = packet[1:].decode(errors="replace")
        if not name.startswith("check_"):
            return None
        function = scope[name]
        if not hasattr(function, "sql"):
            return run(proxy, function)
        proxy.connection.waiting = function
        proxy.queries.reset()
        proxy.queries.append(7, "\x03" + function.sql, True)
        return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        return run(proxy, proxy.connection.waiting, inj)

    return read_query, read_query_result
"#;

/// A host with a script that uses the module.
pub fn with_checks(source: &str) -> Builder {
    Host::builder().backend(db()).file("checks.py", CHECKS).script(source)
}

/// Runs every check of the script; all must pass.
pub fn assert_all_pass(client: &mut RawClient) {
    let names = client.query("checks").unwrap().text();
    assert!(!names.is_empty(), "no checks");
    let mut failures = String::new();
    for name in names.concat() {
        let told = client.query(&name).unwrap().value();
        if told != "ok" {
            failures += &format!("{name}: {told}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
