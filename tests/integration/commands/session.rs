//! Commands that change or ask about the session: default database, other users, KILL, statistics.

use mysql::prelude::Queryable;
use testkit::client::{COM_INIT_DB, COM_PING};
use testkit::proto::{caps, ok_err, resultset};
use testkit::{Greeting, Host, Login, MariaDb, RawClient, RawServer};

use crate::support::*;

const COM_STATISTICS: u8 = 0x09;
const COM_PROCESS_KILL: u8 = 0x0c;
const COM_CHANGE_USER: u8 = 0x11;
const COM_RESET_CONNECTION: u8 = 0x1f;

/// Tells the database of both sides in answer to `db?`.
const TELL: &str = r#"
def read_query(proxy, packet):
    if packet == b"\x03db?":
        names = [side.default_db for side in (proxy.connection.client, proxy.connection.server)]
        fields = [("client", proxy.MYSQL_TYPE_STRING), ("server", proxy.MYSQL_TYPE_STRING)]
        resultset = {"fields": fields, "rows": [names]}
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": resultset}
        return proxy.PROXY_SEND_RESULT
    if b"kept" in packet:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    if b"behind" in packet:
        proxy.queries.append(1, b"\x03USE mysql", resultset_is_needed=True)
        proxy.queries.append(2, packet)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.id == 1 and inj.query == b"\x03USE mysql":
        return proxy.PROXY_IGNORE_RESULT
"#;

/// What the script believes and what the server says.
fn assert_database(client: &mut RawClient, name: &str) {
    assert_eq!(client.query("db?").unwrap().text(), [[name, name]]);
    let told = client.query("SELECT IFNULL(DATABASE(), '')").unwrap().value();
    assert_eq!(told, name);
}

/// The same for a client that asked for session tracking and for one that did not.
fn clients(host: &Host) -> [RawClient; 2] {
    let login = MariaDb::user().database("test");
    [host.login(&login), host.login(&login.with(caps::SESSION_TRACK))]
}

#[test]
fn the_default_database_is_followed() {
    MariaDb::shared().query("CREATE DATABASE IF NOT EXISTS `wire``db x`").ok();
    let host = Host::with_script(TELL);
    for mut client in clients(&host) {
        assert_database(&mut client, "test");
        assert_eq!(client.simple(COM_INIT_DB, b"mysql").unwrap().kind(), Some(0));
        assert_database(&mut client, "mysql");
        assert!(client.simple(COM_INIT_DB, b"nosuch").unwrap().is_err());
        assert_database(&mut client, "mysql");
        client.query("use test").unwrap().ok();
        assert_database(&mut client, "test");
        client.query(" /* to */ USE\n`wire``db x` ;").unwrap().ok();
        assert_database(&mut client, "wire`db x");
        assert_eq!(client.query("USE nosuch").unwrap().err().code, 1049);
        assert_database(&mut client, "wire`db x");
        client.query("USE mysql -- kept").unwrap().ok();
        assert_database(&mut client, "mysql");
    }
}

#[test]
fn the_default_database_is_followed_among_several_statements() {
    let host = Host::with_script(TELL);
    for mut client in clients(&host) {
        let answer = client.query("USE mysql; SELECT 1; SELECT nosuch").unwrap();
        assert_eq!(answer.outcomes.len(), 3);
        assert_database(&mut client, "mysql");
        let answer = client.query("USE test; USE nosuch").unwrap();
        assert_eq!(answer.outcomes.len(), 2);
        assert_database(&mut client, "test");
    }
    // Behind another statement only the server's word is followed.
    let [_, mut tracking] = clients(&host);
    assert_eq!(tracking.query("SELECT 1; USE mysql; SELECT 2").unwrap().outcomes.len(), 3);
    assert_database(&mut tracking, "mysql");
}

#[test]
fn what_a_script_queues_changes_the_server_only() {
    let host = Host::with_script(TELL);
    for mut client in clients(&host) {
        client.query("SELECT 'behind'").unwrap();
        assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "mysql");
        let told = client.query("db?").unwrap().text();
        assert_eq!(told[0][1], "mysql");
    }
}

#[test]
fn reset_connection_keeps_user_and_database() {
    let host = Host::with_script(TELL);
    let mut straight =
        RawClient::login(db(), &MariaDb::user().database("test")).expect("a direct login");
    straight.simple(COM_RESET_CONNECTION, b"").unwrap();
    let after = straight.query("SELECT IFNULL(DATABASE(), '')").unwrap().value();
    for mut client in clients(&host) {
        client.query("SET @a = 1").unwrap().ok();
        assert_eq!(client.simple(COM_RESET_CONNECTION, b"").unwrap().kind(), Some(0));
        assert_eq!(client.query("SELECT @a").unwrap().text(), [["NULL"]]);
        assert_database(&mut client, &after);
    }
}

/// A COM_CHANGE_USER whose auth data the server asks for; gives the answer to them.
fn change_user(client: &mut RawClient, user: &str, password: &str) -> testkit::Packet {
    let argument =
        [user.as_bytes(), b"\0\x00test\0\x2d\0mysql_native_password\0".as_slice()].concat();
    client.send_command(COM_CHANGE_USER, &argument).unwrap();
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (1, Some(0xfe)), "{switch:?}");
    let (_, data) = testkit::client::handshake::parse_switch(&switch.payload).unwrap();
    client.send_packet(2, &testkit::proto::scramble::native(password, &data)).unwrap();
    client.read_packet().unwrap()
}

#[test]
fn a_refused_change_of_user_leaves_the_old_one_as_directly() {
    let db = MariaDb::shared();
    db.query("CREATE OR REPLACE USER wire_other@'%' IDENTIFIED BY 'other'").ok();
    db.query("GRANT ALL ON test.* TO wire_other@'%'").ok();
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"who" in packet:
                print(proxy.connection.client.username, proxy.connection.server.username, flush=True)
        "#,
    );
    let mut through = host.client();
    let mut straight = direct();
    for client in [&mut through, &mut straight] {
        let who = |client: &mut RawClient| client.query("SELECT USER() AS who").unwrap().value();
        for _ in 0..2 {
            let refused = change_user(client, "wire_other", "wrong");
            let error = ok_err::parse_err(&refused.payload).unwrap();
            assert_eq!((refused.id, error.code), (3, 1045));
            assert_eq!(who(client), "u@127.0.0.1");
        }
        assert_eq!(change_user(client, "wire_other", "other").kind(), Some(0));
        assert_eq!(who(client), "wire_other@127.0.0.1");
        assert!(change_user(client, "u", "wrong").is_err());
        assert_eq!(who(client), "wire_other@127.0.0.1");
    }
    assert_in_step(&mut through);
    assert_eq!(host.stdout(), "u u\nu u\nwire_other wire_other\nwire_other wire_other\n");
}

#[test]
fn a_server_that_hangs_up_after_a_refused_change_of_user() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        conn.write(1, b"\xfemysql_native_password\0abcdefghijabcdefghij\0")?;
        conn.read()?;
        conn.err(3, 1045, "28000", "Access denied")?;
        Ok(())
    });
    let mut host = Host::plain(server.address());
    let mut client = host.client();
    assert!(change_user(&mut client, "u", "wrong").is_err());
    server.wait_all_ended();
    // The send may hit a connection that is closed already.
    let _ = client.send_command(COM_PING, b"");
    if let Ok(packet) = client.read_packet() {
        assert!(packet.is_err(), "{packet:?}");
    }
    client.read_to_close();
    assert!(host.is_alive());
}

#[test]
fn statistics_are_text() {
    let host = Host::plain(db());
    let mut client = host.client();
    let answer = client.simple(COM_STATISTICS, b"").unwrap();
    assert!(answer.id == 1 && answer.payload.starts_with(b"Uptime: "), "{answer:?}");
    assert_in_step(&mut client);
}

fn connection_id(client: &mut RawClient) -> u32 {
    client.query("SELECT CONNECTION_ID()").unwrap().value().parse().unwrap()
}

#[test]
fn another_connection_is_killed() {
    let mut host = Host::plain(db());
    let mut killer = host.client();
    for by_command in [true, false] {
        let mut victim = host.client();
        let id = connection_id(&mut victim);
        if by_command {
            let answer = killer.simple(COM_PROCESS_KILL, &id.to_le_bytes()).unwrap();
            assert_eq!((answer.id, answer.kind()), (1, Some(0)), "{answer:?}");
        } else {
            killer.query(&format!("KILL {id}")).unwrap().ok();
        }
        // Directly, too, the victim finds out with its next command.
        let _ = victim.send_command(COM_PING, b"");
        if let Ok(packet) = victim.read_packet() {
            assert!(packet.is_err(), "{packet:?}");
        }
        victim.read_to_close();
        assert_in_step(&mut killer);
    }
    let unknown = killer.simple(COM_PROCESS_KILL, &u32::MAX.to_le_bytes()).unwrap();
    assert_eq!(ok_err::parse_err(&unknown.payload).unwrap().code, 1094);
    assert_in_step(&mut killer);
    host.assert_serves();
}

#[test]
fn a_running_query_is_killed() {
    let host = Host::plain(db());
    let mut victim = host.client();
    let id = connection_id(&mut victim);
    victim.send_command(testkit::client::COM_QUERY, b"SELECT SLEEP(100)").unwrap();
    let mut killer = host.client();
    let is_running = || {
        let sql = format!("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {id}");
        MariaDb::shared().query(&sql).text().concat().concat() == "User sleep"
    };
    assert!(testkit::eventually(testkit::wait::PATIENCE, is_running), "the query does not start");
    killer.query(&format!("KILL QUERY {id}")).unwrap().ok();
    assert_eq!(victim.read_answer(1).unwrap().err().code, 1317);
    assert_in_step(&mut victim);
    victim.send_command(testkit::client::COM_QUERY, b"SELECT SLEEP(100)").unwrap();
    assert!(testkit::eventually(testkit::wait::PATIENCE, is_running), "the query does not start");
    killer.query(&format!("KILL {id}")).unwrap().ok();
    victim.expect_closed();
    assert_in_step(&mut killer);
}

#[test]
fn a_client_kills_itself() {
    let mut host = Host::plain(db());
    let mut through = host.client();
    let mut straight = direct();
    let answers = [&mut through, &mut straight].map(|client| {
        let answer = client.query("KILL CONNECTION_ID()").unwrap();
        (answer.packets[0].id, answer.err().code)
    });
    assert_eq!(answers[0], answers[1]);
    let _ = through.send_command(COM_PING, b"");
    if let Ok(packet) = through.read_packet() {
        assert!(packet.is_err(), "{packet:?}");
    }
    through.read_to_close();
    host.assert_serves();
}

#[test]
fn session_changes_reach_a_client_that_tracks_them() {
    let host = Host::plain(db());
    let login = MariaDb::user().with(caps::SESSION_TRACK);
    let mut clients = [host.login(&login), RawClient::login(db(), &login).expect("a direct login")];
    for sql in [
        "SET SESSION session_track_system_variables = '*'",
        "SET autocommit = 0",
        "USE mysql",
        "SET NAMES latin1",
        "DO 1; USE test; SELECT 1",
    ] {
        let [through, straight] = clients.each_mut().map(|client| client.query(sql).unwrap());
        assert_eq!(through.payloads(), straight.payloads(), "{sql}");
    }
}

#[test]
fn a_real_client_changes_the_database_in_every_way() {
    let host = Host::with_script(TELL);
    let mut conn = mysql::Conn::new(host.url().as_str()).unwrap();
    for name in ["mysql", "test"] {
        conn.query_drop(format!("USE `{name}`")).unwrap();
        let told: Option<(String, String)> = conn.query_first("db?").unwrap();
        assert_eq!(told, Some((name.into(), name.into())));
    }
    conn.select_db("mysql").unwrap();
    let told: Option<(String, String)> = conn.query_first("db?").unwrap();
    assert_eq!(told, Some(("mysql".into(), "mysql".into())));
}

#[test]
fn a_statement_that_only_looks_like_use_changes_nothing() {
    // A server that says OK to everything.
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|command| match command {
            b"\x03SELECT 1" => resultset::one_cell("1", "1"),
            _ => vec![ok_err::plain_ok()],
        })
    });
    let host = Host::builder().backend(server.address()).script(TELL).start();
    let mut client = host.login(&Login::new("u", "p").with(caps::CONNECT_WITH_DB).database("d"));
    for sql in ["USER other", "(USE other)", "/* USE other */", "UPDATE t SET a = 'USE b'"] {
        client.query(sql).unwrap().ok();
        assert_eq!(client.query("db?").unwrap().text(), [["d", "d"]], "{sql}");
    }
    // Servers run what stands in such a comment.
    for (sql, database) in [("USE other", "other"), ("/*! USE third */", "third")] {
        client.query(sql).unwrap().ok();
        assert_eq!(client.query("db?").unwrap().text(), [[database, database]]);
    }
}
