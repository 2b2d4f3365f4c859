//! Every rule that the probe breaks ends the host with SIGABRT and a line that names state and rule.

mod common;

use std::os::unix::process::ExitStatusExt;

use common::{Host, scripted_server, write_packet};

/// Starts a host whose plugin breaks `rule` when a client connects, or (`log_in`) sends a query.
fn broken(rule: &str, log_in: bool) -> String {
    let backend = scripted_server(1);
    let mut host = Host::start(Some(backend), &[&format!("--probe-break={rule}")]);
    let _client = if log_in {
        let mut client = host.login();
        write_packet(&mut client, 0, b"\x03select 1");
        client
    } else {
        host.connect()
    };
    let status = host.wait();
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{}", host.log());
    let log = host.log();
    let line = log.lines().rfind(|line| line.starts_with("plugin broke a rule of the host: "));
    line.unwrap_or_else(|| panic!("no line about the rule in:\n{log}")).to_owned()
}

fn assert_names(line: &str, parts: [&str; 2]) {
    for part in parts {
        assert!(line.contains(part), "{part:?} in {line:?}");
    }
}

#[test]
fn a_state_that_does_not_change() {
    assert_names(&broken("dead-state", false), ["CON_STATE_INIT", "the connection is dead"]);
}

#[test]
fn a_state_that_does_not_exist() {
    assert_names(&broken("bad-state", false), ["unknown state", "99"]);
}

#[test]
fn connected_to_nothing() {
    assert_names(&broken("no-server", false), ["CON_STATE_CONNECT_SERVER", "neither a server"]);
}

#[test]
fn retrying_without_progress() {
    assert_names(&broken("retry-for-ever", false), ["CON_STATE_CONNECT_SERVER", "endless retries"]);
}

#[test]
fn an_empty_chunk() {
    assert_names(&broken("empty-chunk", false), ["CON_STATE_SEND_HANDSHAKE", "is empty"]);
}

#[test]
fn a_header_that_lies() {
    assert_names(&broken("bad-header", false), ["CON_STATE_SEND_HANDSHAKE", "not whole packets"]);
}

#[test]
fn a_command_that_was_not_queued() {
    let line = broken("send-query-without-server", false);
    assert_names(&line, ["CON_STATE_SEND_QUERY", "send queue is empty"]);
    let line = broken("empty-send-queue", true);
    assert_names(&line, ["CON_STATE_SEND_QUERY", "send queue is empty"]);
}

#[test]
fn packets_that_are_left_behind() {
    assert_names(&broken("client-queue", true), ["after con_read_query", "left in the Client"]);
    assert_names(&broken("stale-answer", true), ["CON_STATE_SEND_QUERY", "left in the Server"]);
}
