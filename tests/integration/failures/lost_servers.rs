//! A server that goes: idle, with a last word or without, or in the middle of a command.

use std::time::Duration;

use testkit::{Greeting, Host, MariaDb, RawClient, RawServer};

use crate::support::*;

/// ER_CLIENT_INTERACTION_TIMEOUT of MySQL, which the server sends before it ends an idle session.
const IDLE_TOO_LONG: u16 = 4031;
const MESSAGE: &str = "The client was disconnected by the server because of inactivity.";

/// What the plugin takes for long enough for a server to change its mind, and a bit.
const IDLE: Duration = Duration::from_millis(1200);

/// A script that queues every command, its result needed.
const QUEUES_EVERYTHING: &str = r"
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY
";

/// Connects a client whose server ends the session as `end` does, and waits until it did.
fn left_idle(
    script: Option<&str>,
    end: impl Fn(&mut testkit::ServerConn) + Send + Sync + 'static,
) -> (Host, RawServer, RawClient) {
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        end(conn);
        conn.close();
        Ok(())
    });
    let mut builder = Host::builder().backend(server.address());
    if let Some(script) = script {
        builder = builder.script(script);
    }
    let host = builder.start();
    let client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    std::thread::sleep(IDLE);
    (host, server, client)
}

#[test]
fn the_last_words_of_an_idle_server_reach_the_client_as_they_are() {
    for script in [None, Some(QUEUES_EVERYTHING)] {
        let (host, _server, mut client) = left_idle(script, |conn| {
            conn.err(0, IDLE_TOO_LONG, "HY000", MESSAGE).unwrap();
        });
        client.send_command(3, b"SELECT 1").unwrap();
        let error = assert_err_and_close(&mut client, 0);
        assert_eq!((error.code, error.message.as_str()), (IDLE_TOO_LONG, MESSAGE));
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn a_server_that_left_without_a_word_leaves_its_client_so() {
    for script in [None, Some(QUEUES_EVERYTHING)] {
        let (host, _server, mut client) = left_idle(script, |_| {});
        client.send_command(3, b"SELECT 1").unwrap();
        client.expect_closed();
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn last_words_that_come_between_two_commands_reach_the_client_too() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        // The number that MySQL gives it, where the answer to the command would have 1.
        conn.err(0, IDLE_TOO_LONG, "HY000", MESSAGE)?;
        conn.close();
        Ok(())
    });
    let host = Host::plain(server.address());
    let mut client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    client.send_command(3, b"SELECT 1").unwrap();
    let error = assert_err_and_close(&mut client, 0);
    assert_eq!(error.code, IDLE_TOO_LONG);
}

/// What MariaDB does to a session that is killed while it executes a statement.
#[test]
fn a_server_that_leaves_a_command_without_an_answer_leaves_its_client_so() {
    for script in [None, Some(QUEUES_EVERYTHING)] {
        let server = RawServer::start(|conn| {
            conn.accept_login(&Greeting::default())?;
            conn.read()?;
            conn.close();
            Ok(())
        });
        let mut builder = Host::builder().backend(server.address());
        if let Some(script) = script {
            builder = builder.script(script);
        }
        let host = builder.start();
        let mut client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
        client.send_command(3, b"SELECT 1").unwrap();
        client.expect_closed();
        assert_eq!(host.criticals(), Vec::<String>::new());
    }
}

#[test]
fn nothing_of_a_kept_result_that_breaks_off_reaches_the_client() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        let result = testkit::proto::resultset::one_cell("v", "1");
        conn.write_all(1, &result[..2])?;
        conn.close();
        Ok(())
    });
    let host = Host::builder().backend(server.address()).script(QUEUES_EVERYTHING).start();
    let mut client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    client.send_command(3, b"SELECT 1").unwrap();
    client.expect_closed();
}

#[test]
fn a_server_that_fails_in_an_answer_takes_its_client_with_it() {
    let (host, _server) = host_before(|conn| {
        conn.read()?;
        let result = testkit::proto::resultset::one_cell("v", "1");
        conn.write_all(1, &result[..2])?;
        conn.close();
        Ok(())
    });
    let mut client = RawClient::login(host.address(), &MariaDb::user()).unwrap();
    client.send_command(3, b"SELECT 1").unwrap();
    let rest = client.read_to_close();
    assert!(rest.len() < 100 && !rest.windows(7).any(|part| part == b"pyproxy"), "{rest:?}");
}
