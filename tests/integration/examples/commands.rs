//! Tutorials that look at commands: basic, constants, monitor, tokenize.

use testkit::client::COM_PING;

use super::*;

/// A query whose ERR is the same in every version of the server.
const FAILING: &str = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'fails on purpose'";

#[test]
fn basic_prints_each_query() {
    let host = run("tutorial_basic.py");
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1");
    assert_eq!(client.simple(COM_PING, b"").unwrap().kind(), Some(0));
    assert_same_as_direct(&mut client, "SELECT 'žluť'");
    client.quit();
    assert_eq!(printed(host), ["query: SELECT 1", "query: SELECT 'žluť'"]);
}

#[test]
fn constants_prints_versions_and_the_names_of_commands() {
    let host = run("tutorial_constants.py");
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1");
    assert_eq!(client.simple(COM_PING, b"").unwrap().kind(), Some(0));
    client.send_command(0x7e, b"xy").unwrap();
    client.expect_err();
    client.quit();
    let lines = printed(host);
    let version = lines[0].strip_prefix("mysql-proxy 0.8.").expect("a version");
    let patch = &version[..1];
    let rest = version.strip_prefix(&format!("{patch} (0x0080{patch}), Python 3."));
    assert!(rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())), "{lines:?}");
    assert_eq!(lines[1..], ["COM_QUERY 9", "COM_PING 1", "unknown command 126 3", "COM_QUIT 1"]);
}

#[test]
fn monitor_prints_commands_and_dumps_answers() {
    let host = run("tutorial_monitor.py");
    let mut client = host.client();
    let number = client.query("SELECT CONNECTION_ID()").unwrap().value();
    assert_eq!(client.simple(COM_PING, b"").unwrap().kind(), Some(0));
    assert_same_as_direct(&mut client, FAILING);
    client.quit();
    let expected = [
        "[COM_QUERY] SELECT CONNECTION_ID()",
        "< 00000000  01                                                .",
        "[COM_PING]",
        &format!("[COM_QUERY] {FAILING}"),
        "< 00000000  ff 6c 06 23 34 35 30 30  30 66 61 69 6c 73 20 6f  .l.#45000fails o",
        "< 00000010  6e 20 70 75 72 70 6f 73  65                       n purpose",
        "[COM_QUIT]",
    ];
    assert_eq!(printed(host), expected.map(|line| format!("[{number}] {line}")));
}

#[test]
fn tokenize_prints_tokens_and_the_normalized_text() {
    let host = run("tutorial_tokenize.py");
    let mut client = host.client();
    assert_same_as_direct(&mut client, "SELECT 1 AS a /* one */ FROM dual WHERE 'x' = \"y\"");
    client.quit();
    let lines = printed(host);
    let (normalized, tokens) = lines.split_last().unwrap();
    assert_eq!(normalized, "SELECT ? AS `a` FROM DUAL WHERE ? = ? ");
    let words: Vec<Vec<&str>> =
        tokens.iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words,
        [
            vec!["1", "TK_SQL_SELECT", "SELECT"],
            vec!["2", "TK_INTEGER", "1"],
            vec!["3", "TK_SQL_AS", "AS"],
            vec!["4", "TK_LITERAL", "a"],
            vec!["5", "TK_COMMENT", "one"],
            vec!["6", "TK_SQL_FROM", "FROM"],
            vec!["7", "TK_SQL_DUAL", "dual"],
            vec!["8", "TK_SQL_WHERE", "WHERE"],
            vec!["9", "TK_STRING", "x"],
            vec!["10", "TK_EQ", "="],
            vec!["11", "TK_STRING", "y"],
        ]
    );
}
