//! Tutorials about connections and logins: keepalive, routing, scramble, states.

use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};
use testkit::{Login, MariaDb, RawClient};

use super::*;

/// The account that `tutorial_scramble.py` logs in as; made on the shared server.
const DEMO: &str = "CREATE USER IF NOT EXISTS demo@'%' IDENTIFIED VIA mysql_native_password \
                    USING PASSWORD('demo')";

#[test]
fn keepalive_gives_idle_connections_to_new_clients() {
    let host = run("tutorial_keepalive.py");
    let mut client = host.client();
    let number = client.query("SELECT CONNECTION_ID()").unwrap().value();
    client.query("SET @left_behind = 1").unwrap().ok();
    let first = client.local_address();
    client.quit();
    host.wait_for_stdout("1 idle");

    let mut client = host.client();
    let reused = client.query("SELECT CONNECTION_ID(), @left_behind").unwrap().text();
    assert_eq!(reused, [[number.as_str(), "NULL"]]);
    let second = client.local_address();
    // While it is in use, another client needs a new one.
    let mut other = host.client();
    assert_ne!(other.query("SELECT CONNECTION_ID()").unwrap().value(), number);
    let third = other.local_address();
    client.quit();
    host.wait_for_stdout(&format!("client {second}: left"));
    other.quit();
    host.wait_for_stdout(&format!("client {third}: left"));

    let server = db();
    assert_eq!(
        printed(host),
        [
            format!("client {first}: new connection to {server}"),
            format!("client {first}: left, 1 idle at {server}"),
            format!("client {second}: idle connection to {server}"),
            format!("client {third}: new connection to {server}"),
            format!("client {second}: left, 1 idle at {server}"),
            format!("client {third}: left, 2 idle at {server}"),
        ]
    );
}

#[test]
fn keepalive_logs_each_client_in_as_itself() {
    MariaDb::shared().query(DEMO).ok();
    let host = run("tutorial_keepalive.py");
    let mut client = host.client();
    let number = client.query("SELECT CONNECTION_ID()").unwrap().value();
    client.quit();
    host.wait_for_stdout("1 idle");
    let mut demo = host.login(&Login::new("demo", "demo"));
    let who = demo.query("SELECT CONNECTION_ID(), CURRENT_USER()").unwrap().text();
    assert_eq!(who, [[number.as_str(), "demo@%"]]);
    demo.quit();
    let wrong = RawClient::login(host.address(), &Login::new("demo", "wrong")).unwrap_err();
    assert!(wrong.to_string().starts_with("1045 "), "{wrong}");
    assert_in_step(&mut host.client());
    printed(host);
}

#[test]
fn keepalive_parks_a_few_only() {
    let host = run("tutorial_keepalive.py");
    let clients: Vec<RawClient> = (0..10).map(|_| host.client()).collect();
    for client in clients {
        client.quit();
    }
    let lines = printed(host);
    let left: Vec<&String> = lines.iter().filter(|line| line.contains(": left, ")).collect();
    assert_eq!(left.len(), 8, "{lines:?}");
    assert!(left[7].contains(": left, 8 idle at "), "{lines:?}");
}

#[test]
fn routing_prints_both_ends_and_says_done() {
    let host = run("tutorial_routing.py");
    let mut client = host.connect();
    let error = assert_err_and_close(&mut client, 0);
    assert_eq!(error.message, "done");
    let (from, listening) = (client.local_address(), host.address());
    let lines = printed(host);
    assert_eq!(lines[0], format!("client {from} -> proxy {listening}"));
    let ours = lines[1].strip_prefix("proxy 127.0.0.1:").expect("our end");
    let (port, server) = ours.split_once(" -> server ").expect("the server's end");
    assert!(port.parse::<u16>().is_ok_and(|port| port != from.port()), "{lines:?}");
    assert_eq!(server, db().to_string());
    assert_eq!(lines.len(), 2);
}

#[test]
fn scramble_logs_replace_in_as_somebody_else() {
    MariaDb::shared().query(DEMO).ok();
    let host = run("tutorial_scramble.py");
    let replaced = Login::new("replace", "any password");
    let mut client = host.login(&replaced);
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "demo@%");
    assert_in_step(&mut client);
    client.quit();
    let mut client = host.login(&replaced.database("information_schema"));
    let who = client.query("SELECT CURRENT_USER(), DATABASE()").unwrap().text();
    assert_eq!(who, [["demo@%", "information_schema"]]);
    client.quit();
    let refused = RawClient::login(host.address(), &Login::new("demo", "wrong")).unwrap_err();
    assert!(refused.to_string().starts_with("1045 "), "{refused}");
    let mut client = host.client();
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "u@%");
    client.quit();

    let lines = printed(host);
    let users: Vec<&str> = lines
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!([words[0], words[2], words[4]], ["challenge", "user", "response"]);
            assert!(is_hex(words[1], 40) && is_hex(words[5], 40), "{line}");
            words[3]
        })
        .collect();
    assert_eq!(users, ["replace", "replace", "demo", "u"]);
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[test]
fn scramble_works_for_a_client_of_today() {
    MariaDb::shared().query(DEMO).ok();
    let host = run("tutorial_scramble.py");
    let url = host.url().replace("u:secret@", "replace:whatever@").replace("/test?", "/?");
    let mut conn = Conn::new(url.as_str()).unwrap();
    let who: Option<String> = conn.exec_first("SELECT CURRENT_USER()", ()).unwrap();
    assert_eq!(who.as_deref(), Some("demo@%"));
    let mut several = conn.query_iter("SELECT 1; SELECT 2").unwrap();
    let mut numbers = Vec::new();
    while let Some(rows) = several.iter() {
        numbers.extend(rows.map(|row| mysql::from_row::<u32>(row.unwrap())));
    }
    assert_eq!(numbers, [1, 2]);
    drop(several);
    drop(conn);
    printed(host);
}

#[test]
fn states_prints_every_step() {
    let host = run("tutorial_states.py");
    let mut client = host.client();
    let from = client.local_address();
    assert_eq!(client.query("SELECT 2 UNION SELECT 3").unwrap().text(), [["2"], ["3"]]);
    client.quit();
    host.wait_for_stdout("disconnect_client");
    let version = RawClient::connect(db()).unwrap().read_handshake().unwrap().version;
    let numbers: Vec<u32> =
        version.split(['.', '-']).take(3).map(|part| part.parse().expect("a number")).collect();
    let version = numbers[0] * 10_000 + numbers[1] * 100 + numbers[2];
    assert_eq!(
        printed(host),
        [
            "init: the script was loaded, 1 backends".to_owned(),
            format!("connect_server: a client came from {from}"),
            format!("read_handshake: the server has version {version}"),
            "read_auth: the client wants to log in as u".to_owned(),
            "read_auth_result: the server accepts".to_owned(),
            "read_query: command 3 with 23 bytes".to_owned(),
            "read_query_result: query 1 gave 2 rows".to_owned(),
            "read_query: command 1 with 0 bytes".to_owned(),
            "disconnect_client: the client has gone".to_owned(),
            "shutdown: the proxy ends".to_owned(),
        ]
    );
}

#[test]
fn states_answers_select_1_with_a_raw_error() {
    let host = run("tutorial_states.py");
    let mut client = host.client();
    let answer = client.query("SELECT 1").unwrap();
    let error = answer.err();
    assert_eq!((error.code, error.sqlstate.as_deref()), (1279, Some("HY000")));
    assert_eq!(error.message, "a raw error");
    assert_in_step(&mut client);
    client.quit();
    printed(host);
}

#[test]
fn states_refuses_evil_users_and_clients_from_elsewhere() {
    let host = run("tutorial_states.py");
    let evil = RawClient::login(host.address(), &Login::new("evil", "")).unwrap_err();
    assert_eq!(evil.to_string(), "1105 evil logins are not allowed");

    let elsewhere = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    let options = OptsBuilder::from_opts(Opts::from_url(&host.url()).unwrap());
    let refused = Conn::new(options.bind_address(Some(elsewhere))).unwrap_err();
    assert!(refused.to_string().contains("only clients on 127.0.0.1 may connect"), "{refused}");
    assert_in_step(&mut host.client());
    let lines = printed(host);
    assert!(
        lines.iter().any(|line| line.starts_with("connect_server: a client came from 127.0.0.2:"))
    );
}

#[test]
fn login_routing_takes_clients_where_they_belong() {
    let first = MariaDb::shared();
    let other = MariaDb::start();
    for sql in [
        "CREATE USER report_anna IDENTIFIED BY 'reports'",
        "CREATE DATABASE tenant_1",
        "CREATE DATABASE tenant_3",
    ] {
        other.query(sql).ok();
    }
    first.query("CREATE DATABASE IF NOT EXISTS tenant_4").ok();
    let host = example("login_routing.py").backend(other.address()).start();
    let user = || MariaDb::user();
    let report = Login::new("report_anna", "reports");
    for (login, ndx) in [
        (report, Some(1)),
        (user().database("tenant_1"), Some(1)),
        (user().database("tenant_4"), Some(0)),
        (user().database("tenant_3"), Some(1)),
        (user().attribute("backend", "1"), Some(1)),
        (user().attribute("backend", "0"), Some(0)),
        // Anywhere.
        (user().attribute("backend", "7"), None),
        (user().attribute("backend", "x"), None),
    ] {
        let mut client = host.login(&login);
        let port = client.query("SELECT @@port").unwrap().value();
        if let Some(ndx) = ndx {
            let wanted: &MariaDb = [first, &other][ndx];
            assert_eq!(port, wanted.address().port().to_string(), "{login:?}");
        }
        client.quit();
    }
    let lines = printed(host);
    assert_eq!(lines[..2], ["report_anna: backend 1", "u: backend 1"]);
    assert_eq!(lines.len(), 8);
}
